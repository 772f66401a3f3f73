//! What an expression gives, with Python's own rules, on recorded values.

use std::ops::Range;
use std::sync::Arc;

use num_bigint::BigInt;
use retrostep_trace::{Content, Excerpt, FrameId, ObjectId, ObjectKind, Value};

use super::ExpressionError;
use super::syntax::{Clause, ComprehensionForm, Kind, Node, UnaryOperator};
use crate::datum::TypeName;
use crate::render::{self, class_name};
use crate::{Datum, Dictionary, Snapshot};

/// Most elements that one evaluation looks at.
const MAX_STEPS: u64 = 2_000_000;

/// What evaluating gives.
pub(super) type Outcome<T = Datum> = Result<T, ExpressionError>;

/// Evaluates one expression.
pub(crate) struct Evaluator<'a> {
    pub(super) snapshot: Snapshot<'a>,
    frame: Option<FrameId>,
    /// The text that the nodes' positions refer to.
    text: &'a str,
    /// Names bound by comprehensions, innermost last.
    bound: Vec<(String, Datum)>,
    steps: u64,
}

/// An exception that the language itself would raise.
pub(super) fn raised<T>(kind: &'static str, message: impl Into<String>) -> Outcome<T> {
    Err(ExpressionError::Raised {
        kind,
        message: message.into(),
    })
}

/// Refuses what would run code of the program: `sum(...)`.
pub(super) fn would_run<T>(what: &str) -> Outcome<T> {
    Err(ExpressionError::Refused(format!(
        "{what} would run program code, which a recording cannot do."
    )))
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        snapshot: Snapshot<'a>,
        frame: Option<FrameId>,
        text: &'a str,
    ) -> Evaluator<'a> {
        Evaluator {
            snapshot,
            frame,
            text,
            bound: Vec::new(),
            steps: 0,
        }
    }

    pub(super) fn source(&self, node: &Node) -> &'a str {
        self.text.get(node.start..node.end).unwrap_or_default()
    }

    /// The `12` of the recorded Python 3.12.
    pub(super) fn python_minor(&self) -> u32 {
        render::PythonVersion::of(self.snapshot.recording).minor
    }

    /// Counts work that was done.
    pub(super) fn spend(&mut self, steps: u64) -> Outcome<()> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS {
            return Err(ExpressionError::TooLarge(
                "the expression looks at too many values".to_owned(),
            ));
        }
        Ok(())
    }

    pub(crate) fn evaluate(&mut self, node: &Node) -> Outcome {
        let value = self.evaluate_any(node)?;
        if let Datum::Unavailable(why) = value {
            return Err(ExpressionError::NotRecorded(format!(
                "{} is not there: {}",
                self.source(node),
                render::reason(why)
            )));
        }
        Ok(value)
    }

    /// As [`Evaluator::evaluate`], but a value that was not recorded is a value too.
    pub(crate) fn evaluate_any(&mut self, node: &Node) -> Outcome {
        self.spend(1)?;
        match &node.kind {
            Kind::Name(name) => self.name(name),
            Kind::Constant(value) => Ok(value.clone()),
            Kind::Formatted(_) => Err(ExpressionError::Refused(
                "formatted strings are not evaluated on a recording".to_owned(),
            )),
            Kind::Attribute(object, name) => {
                let value = self.evaluate(object)?;
                let text = self.source(node);
                self.attribute(&value, name, text)
            }
            Kind::Subscript(object, index) => {
                let value = self.evaluate(object)?;
                if let Kind::Slice(parts) = &index.kind {
                    let mut bounds = [None, None, None];
                    for (bound, part) in bounds.iter_mut().zip(parts) {
                        if let Some(part) = part {
                            *bound = Some(self.evaluate(part)?);
                        }
                    }
                    return self.slice(&value, &bounds);
                }
                let index = self.evaluate(index)?;
                self.index(&value, &index)
            }
            Kind::Slice(_) => raised("TypeError", "a slice stands inside an index only"),
            Kind::Call(function, arguments) => self.call(function, arguments),
            Kind::Unary(operator, operand) => {
                let value = self.evaluate(operand)?;
                self.unary(*operator, &value)
            }
            Kind::Binary(operator, left, right) => {
                let left = self.evaluate(left)?;
                let right = self.evaluate(right)?;
                self.binary(*operator, &left, &right)
            }
            Kind::Compare(first, rest) => {
                let mut left = self.evaluate(first)?;
                for (comparison, node) in rest {
                    let right = self.evaluate(node)?;
                    if !self.compare(*comparison, &left, &right)? {
                        return Ok(Datum::Bool(false));
                    }
                    left = right;
                }
                Ok(Datum::Bool(true))
            }
            Kind::And(left, right) => {
                let value = self.evaluate(left)?;
                if self.truth(&value)? {
                    self.evaluate(right)
                } else {
                    Ok(value)
                }
            }
            Kind::Or(left, right) => {
                let value = self.evaluate(left)?;
                if self.truth(&value)? {
                    Ok(value)
                } else {
                    self.evaluate(right)
                }
            }
            Kind::Not(operand) => {
                let value = self.evaluate(operand)?;
                Ok(Datum::Bool(!self.truth(&value)?))
            }
            Kind::Conditional {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.evaluate(condition)?;
                if self.truth(&condition)? {
                    self.evaluate(then)
                } else {
                    self.evaluate(otherwise)
                }
            }
            Kind::Tuple(nodes) => Ok(Datum::Tuple(self.display(nodes)?.into())),
            Kind::List(nodes) => Ok(Datum::List(self.display(nodes)?.into())),
            Kind::Set(nodes) => {
                let items = self.display(nodes)?;
                Ok(Datum::Set(self.distinct(items)?.into()))
            }
            Kind::Dict(entries) => {
                let mut dictionary = Dictionary::default();
                for (key, value) in entries {
                    let value = self.evaluate(value)?;
                    match key {
                        Some(key) => {
                            let key = self.evaluate(key)?;
                            self.insert(&mut dictionary, key, value)?;
                        }
                        None => {
                            for (key, value) in self.mapping_entries(&value)? {
                                self.insert(&mut dictionary, key, value)?;
                            }
                        }
                    }
                }
                Ok(Datum::Dict(Arc::new(dictionary)))
            }
            Kind::Starred(_) => raised("TypeError", "can't use starred expression here"),
            Kind::Comprehension {
                form,
                element,
                value,
                clauses,
            } => self.comprehension(*form, element, value.as_deref(), clauses),
            Kind::Lambda(..) => would_run("a lambda"),
            Kind::Walrus(name, _) => Err(ExpressionError::Refused(format!(
                "`{name} :=` would change the recording, which cannot be changed"
            ))),
            Kind::Await(_) => would_run("await"),
            Kind::Yield(_) => would_run("yield"),
        }
    }

    /// The elements of a list, tuple or set display, starred ones spread.
    fn display(&mut self, nodes: &[Node]) -> Outcome<Vec<Datum>> {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            if let Kind::Starred(inner) = &node.kind {
                let value = self.evaluate(inner)?;
                items.extend(self.elements(&value)?);
            } else {
                items.push(self.evaluate(node)?);
            }
        }
        Ok(items)
    }

    fn comprehension(
        &mut self,
        form: ComprehensionForm,
        element: &Node,
        value: Option<&Node>,
        clauses: &[Clause],
    ) -> Outcome {
        let mut items = Vec::new();
        let depth = self.bound.len();
        let result = self.clauses(clauses, &mut |evaluator| {
            let item = evaluator.evaluate(element)?;
            let value = value.map(|value| evaluator.evaluate(value)).transpose()?;
            items.push((item, value));
            Ok(())
        });
        self.bound.truncate(depth);
        result?;
        match form {
            ComprehensionForm::Dict => {
                let mut dictionary = Dictionary::default();
                for (key, value) in items {
                    self.insert(&mut dictionary, key, value.unwrap_or(Datum::None))?;
                }
                Ok(Datum::Dict(Arc::new(dictionary)))
            }
            _ => {
                let items: Vec<Datum> = items.into_iter().map(|(item, _)| item).collect();
                if form == ComprehensionForm::Set {
                    return Ok(Datum::Set(self.distinct(items)?.into()));
                }
                Ok(Datum::List(items.into()))
            }
        }
    }

    fn clauses(
        &mut self,
        clauses: &[Clause],
        each: &mut dyn FnMut(&mut Self) -> Outcome<()>,
    ) -> Outcome<()> {
        let Some((clause, inner)) = clauses.split_first() else {
            return each(self);
        };
        let values = self.evaluate(&clause.values)?;
        for item in self.elements(&values)? {
            let depth = self.bound.len();
            self.bind(&clause.target, item)?;
            let mut wanted = true;
            for condition in &clause.conditions {
                let condition = self.evaluate(condition)?;
                wanted = wanted && self.truth(&condition)?;
            }
            if wanted {
                self.clauses(inner, each)?;
            }
            self.bound.truncate(depth);
        }
        Ok(())
    }

    fn bind(&mut self, target: &Node, value: Datum) -> Outcome<()> {
        self.spend(1)?;
        match &target.kind {
            Kind::Name(name) => {
                self.bound.push((name.clone(), value));
                Ok(())
            }
            Kind::Tuple(targets) | Kind::List(targets) => {
                let items = self.elements(&value)?;
                if items.len() != targets.len() {
                    return raised(
                        "ValueError",
                        format!("expected {} values, got {}", targets.len(), items.len()),
                    );
                }
                for (target, item) in targets.iter().zip(items) {
                    self.bind(target, item)?;
                }
                Ok(())
            }
            _ => Err(ExpressionError::Refused(
                "a comprehension here binds names only".to_owned(),
            )),
        }
    }

    fn name(&mut self, name: &str) -> Outcome {
        if let Some((_, value)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            return Ok(value.clone());
        }
        match self.snapshot.lookup(self.frame, name)? {
            Some(value) => Ok(value),
            None => match super::builtins::named(name) {
                Some(value) => Ok(value),
                None if super::builtins::is_refused(name) => Err(ExpressionError::Refused(
                    format!("{name} is a built-in function that a recording cannot run."),
                )),
                None => raised("NameError", format!("name '{name}' is not defined")),
            },
        }
    }

    /// Whether a name means the built-in function: nothing recorded hides it.
    pub(super) fn is_builtin(&mut self, name: &str) -> Outcome<bool> {
        Ok(!self.bound.iter().any(|(bound, _)| bound == name)
            && self.snapshot.lookup(self.frame, name)?.is_none())
    }

    fn unary(&mut self, operator: UnaryOperator, value: &Datum) -> Outcome {
        match (operator, value) {
            (UnaryOperator::Invert, Datum::Float(_) | Datum::Complex(..)) => {}
            (UnaryOperator::Minus, Datum::Float(value)) => return Ok(Datum::Float(-value)),
            (UnaryOperator::Plus, Datum::Float(value)) => return Ok(Datum::Float(*value)),
            (UnaryOperator::Minus, Datum::Complex(real, imaginary)) => {
                return Ok(Datum::Complex(-real, -imaginary));
            }
            (UnaryOperator::Plus, Datum::Complex(..)) => return Ok(value.clone()),
            _ => {
                if let Some(value) = super::number::integer(value) {
                    return Ok(Datum::int(match operator {
                        UnaryOperator::Plus => value,
                        UnaryOperator::Minus => -value,
                        UnaryOperator::Invert => -value - BigInt::from(1),
                    }));
                }
            }
        }
        let symbol = match operator {
            UnaryOperator::Plus => "+",
            UnaryOperator::Minus => "-",
            UnaryOperator::Invert => "~",
        };
        let type_name = self.type_name(value)?;
        if self.may_be_overridden(value)? {
            return would_run(&format!("{symbol} of {type_name}"));
        }
        raised(
            "TypeError",
            format!("bad operand type for unary {symbol}: '{type_name}'"),
        )
    }

    /// The contents of an object.
    pub(super) fn content(&self, object: ObjectId) -> Outcome<Arc<Content>> {
        self.snapshot.content(object)?.ok_or_else(|| {
            ExpressionError::NotRecorded("the object's contents were not recorded".to_owned())
        })
    }

    /// As [`Evaluator::content`], without the elements of a list that is long.
    pub(super) fn outline(&self, object: ObjectId) -> Outcome<Arc<Content>> {
        let excerpt = self.excerpt(object, 0..0)?;
        Ok(excerpt.content)
    }

    /// As [`Evaluator::content`], when of a list only the elements in `range` are needed.
    pub(super) fn excerpt(&self, object: ObjectId, range: Range<u64>) -> Outcome<Excerpt> {
        self.snapshot.excerpt(object, range)?.ok_or_else(|| {
            ExpressionError::NotRecorded("the object's contents were not recorded".to_owned())
        })
    }

    /// Whether operations on the value may be defined by the program: it is an instance of a class
    /// that is no built-in one.
    pub(super) fn may_be_overridden(&self, value: &Datum) -> Outcome<bool> {
        let Datum::Object(object) = value else {
            return Ok(false);
        };
        let content = self.outline(*object)?;
        let ty = self.snapshot.recording.type_of(content.type_id)?;
        let named_tuple = content.kind == ObjectKind::Tuple && !ty.fields.is_empty();
        Ok(!named_tuple && !matches!(&*ty.module, "builtins" | "collections"))
    }

    /// The name of the value's type.
    pub(super) fn type_name(&self, value: &Datum) -> Outcome<String> {
        Ok(self.snapshot.type_name(value)?)
    }

    /// The value's type.
    pub(super) fn type_of(&self, value: &Datum) -> Outcome<TypeName> {
        let Datum::Object(object) = value else {
            return Ok(TypeName::builtin(&self.type_name(value)?));
        };
        let content = self.outline(*object)?;
        let ty = self.snapshot.recording.type_of(content.type_id)?;
        Ok(TypeName {
            module: ty.module.clone(),
            qualified_name: ty.qualified_name.clone(),
        })
    }

    pub(super) fn attribute(&mut self, value: &Datum, name: &str, text: &str) -> Outcome {
        if name == "__class__" {
            return Ok(Datum::Type(self.type_of(value)?));
        }
        let found = match value {
            Datum::Object(object) => {
                let content = self.content(*object)?;
                self.object_attribute(&content, name)?
            }
            Datum::Type(ty) => match name {
                "__name__" => ty.qualified_name.rsplit('.').next().map(Datum::str),
                "__qualname__" => Some(Datum::str(&ty.qualified_name)),
                "__module__" => Some(Datum::str(&ty.module)),
                _ => None,
            },
            Datum::Complex(real, imaginary) => match name {
                "real" => Some(Datum::Float(*real)),
                "imag" => Some(Datum::Float(*imaginary)),
                _ => None,
            },
            Datum::Float(number) => match name {
                "real" => Some(Datum::Float(*number)),
                "imag" => Some(Datum::Float(0.0)),
                _ => None,
            },
            Datum::Int(_) | Datum::Bool(_) => match name {
                "real" | "numerator" => super::number::integer(value).map(Datum::int),
                "imag" => Some(Datum::int(0)),
                "denominator" => Some(Datum::int(1)),
                _ => None,
            },
            Datum::Range(bounds) => match (name, bounds.as_ref()) {
                ("start", [start, ..]) => Some(Datum::int(start.clone())),
                ("stop", [_, stop, _]) => Some(Datum::int(stop.clone())),
                ("step", [.., step]) => Some(Datum::int(step.clone())),
                _ => None,
            },
            _ => None,
        };
        if let Some(found) = found {
            return Ok(found);
        }
        if super::methods::exists(self, value, name)? {
            return Ok(Datum::Builtin(text.into()));
        }
        let type_name = self.type_name(value)?;
        let Datum::Object(object) = value else {
            return raised(
                "AttributeError",
                format!("'{type_name}' object has no attribute '{name}'"),
            );
        };
        let content = self.content(*object)?;
        if content.attributes_omitted > 0 {
            return Err(ExpressionError::NotRecorded(format!(
                "{text} was not recorded: {} of {type_name} were left out",
                render::counted(content.attributes_omitted, "attribute")
            )));
        }
        Err(ExpressionError::Refused(format!(
            "{name} is no recorded attribute of {type_name}; if it is a property, {text} would run \
             program code, which a recording cannot do."
        )))
    }

    fn object_attribute(&self, content: &Content, name: &str) -> Outcome<Option<Datum>> {
        let own = content
            .attributes
            .iter()
            .find(|(attribute, _)| &**attribute == name);
        if let Some((_, value)) = own {
            return Ok(Some(Datum::from(value)));
        }
        let ty = self.snapshot.recording.type_of(content.type_id)?;
        let text = || content.text.clone().map(Datum::Str);
        Ok(match (content.kind, name) {
            (ObjectKind::Tuple, _) => {
                let field = ty.fields.iter().position(|field| &**field == name);
                field
                    .and_then(|index| content.items.get(index))
                    .map(Datum::from)
            }
            (ObjectKind::Exception, "args") if content.items.len() as u64 == content.len => {
                let items: Vec<Datum> = content.items.iter().map(Datum::from).collect();
                Some(Datum::Tuple(items.into()))
            }
            (ObjectKind::Enum, "name" | "_name_") => text(),
            (ObjectKind::Enum, "value" | "_value_") => content.items.first().map(Datum::from),
            (ObjectKind::Function | ObjectKind::Class, "__qualname__") => text(),
            (ObjectKind::Function | ObjectKind::Class, "__name__") => {
                content.text.as_ref().map(|text| {
                    let text = render::lossy(text);
                    Datum::str(text.rsplit('.').next().unwrap_or(&text))
                })
            }
            (ObjectKind::Module, "__name__") => text(),
            (ObjectKind::Cell, "cell_contents") => content.items.first().map(Datum::from),
            _ => None,
        })
    }

    /// Whether a value is true, as `if` sees it.
    pub(crate) fn truth(&mut self, value: &Datum) -> Outcome<bool> {
        Ok(match value {
            Datum::None => false,
            Datum::Bool(value) => *value,
            Datum::Int(value) => **value != BigInt::ZERO,
            Datum::Float(value) => *value != 0.0,
            Datum::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Datum::Str(text) | Datum::Bytes(text) => text.len > 0,
            Datum::List(items)
            | Datum::Tuple(items)
            | Datum::Set(items)
            | Datum::FrozenSet(items) => !items.is_empty(),
            Datum::Dict(dictionary) => !dictionary.entries.is_empty(),
            Datum::Range(_) => self.len(value)? > BigInt::ZERO,
            Datum::Ellipsis | Datum::Type(_) | Datum::Builtin(_) => true,
            Datum::NotImplemented => {
                return raised(
                    "TypeError",
                    "NotImplemented should not be used in a boolean context",
                );
            }
            Datum::Unavailable(why) => {
                return Err(ExpressionError::NotRecorded(
                    render::reason(*why).to_owned(),
                ));
            }
            Datum::Object(object) => {
                let content = self.content(*object)?;
                match content.kind {
                    ObjectKind::Function
                    | ObjectKind::Class
                    | ObjectKind::Module
                    | ObjectKind::Generator
                    | ObjectKind::Cell => true,
                    ObjectKind::Literal => match self.exact(value)? {
                        Some(number) => !number.is_zero(),
                        None => return would_run("the truth of this value"),
                    },
                    _ if self.may_be_overridden(value)? => {
                        let ty = self.snapshot.recording.type_of(content.type_id)?;
                        let what = format!("the truth of a {}", class_name(&ty));
                        return would_run(&what);
                    }
                    ObjectKind::Instance | ObjectKind::Exception | ObjectKind::Opaque => true,
                    _ => content.len > 0,
                }
            }
        })
    }
}

/// The value a recorded mapping has under a text key.
pub(crate) fn namespace_entry<'c>(content: &'c Content, name: &str) -> Option<&'c Value> {
    content.entries.iter().find_map(|(key, value)| match key {
        Value::Str(text) if *text.kept == *name.as_bytes() => Some(value),
        _ => None,
    })
}
