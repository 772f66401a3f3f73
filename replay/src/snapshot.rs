//! What can be seen at one position: scopes, variables and their children.
//!
//! A snapshot is a view: it costs nothing to make and reads only what is asked for.

mod children;
mod names;
mod variable;

use std::ops::Range;
use std::sync::Arc;

use retrostep_trace::{Content, Excerpt, FrameId, ObjectId, Position, Recording, Result};

use crate::expression::{Evaluator, TemplatePart};
use crate::render;
use crate::{Datum, Expression, ExpressionError, Place, Template};

/// A recording, seen at one position.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// The recording.
    pub recording: &'a Recording,
    /// The position: everything shown is the state before the event at this position.
    pub position: Position,
}

/// A group of variables of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Which group.
    pub kind: ScopeKind,
    /// Its name for people: `Locals`, `Closure`, `Globals`, `Return value`.
    pub name: &'static str,
    /// Its variables, for [`Snapshot::children`].
    pub node: Node,
    /// How many variables it has.
    pub named: u64,
    /// Whether a client should show it only on demand.
    pub expensive: bool,
}

/// Which group of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeKind {
    /// Arguments and locals, those seen by inner functions included.
    Locals,
    /// Variables of outer functions.
    Closure,
    /// The module's namespace.
    Globals,
    /// What the frame returns, where its last line runs; and what the calls of the line before returned.
    ReturnValue,
}

/// Something that has children. Equal nodes are the same thing, at any position.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Node {
    /// A scope of a frame.
    Scope(FrameId, ScopeKind),
    /// A recorded object.
    Object(ObjectId),
    /// A recorded object as it is at a position of its own, such as the return that hands it over.
    ObjectAt(ObjectId, Position),
    /// A container that an expression computed.
    Computed(Computed),
}

/// A computed container; equal only to itself.
#[derive(Clone, Debug)]
pub struct Computed(pub(crate) Arc<Datum>);

impl PartialEq for Computed {
    fn eq(&self, other: &Computed) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Computed {}

impl std::hash::Hash for Computed {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// Which children are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Elements of sequences and sets.
    Indexed,
    /// Variables, attributes and entries of mappings.
    Named,
    /// Both: the named first.
    All,
}

/// One variable, attribute, element or result, ready to show.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name among its siblings: `codes`, `0`, `'LOYAL20'`.
    pub name: String,
    /// Its value.
    pub value: Datum,
    /// Its value as text, at most [`crate::render::LIMIT`] characters.
    pub text: String,
    /// The name of its type: `list`, `Customer`. Empty where it is not known.
    pub type_name: String,
    /// Its children, or `None` if it has none.
    pub node: Option<Node>,
    /// How many indexed children it has.
    pub indexed: u64,
    /// How many named children it has.
    pub named: u64,
    /// An expression that gives this value in the same frame, or `None` if there is none.
    pub evaluate_name: Option<String>,
    /// What holds it: what a data breakpoint watches. `None` for computed values.
    pub place: Option<Place>,
    /// How a client may present it.
    pub hint: Hint,
}

/// How a client may present a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hint {
    /// Data like any other.
    Data,
    /// A function or method.
    Method,
    /// A class.
    Class,
    /// A module, or a name that starts and ends with two underscores.
    Internal,
    /// What a function returned.
    ReturnValue,
    /// A note about what was not recorded.
    Missing,
}

impl<'a> Snapshot<'a> {
    /// `recording` seen at `position`; positions beyond the end show the end.
    #[must_use]
    pub fn new(recording: &'a Recording, position: Position) -> Snapshot<'a> {
        Snapshot {
            recording,
            position: position.min(recording.end()),
        }
    }

    /// The contents of an object at this position; `None` if it was not yet seen.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn content(&self, object: ObjectId) -> Result<Option<Arc<Content>>> {
        let found = self.recording.object(object, self.position)?;
        Ok(found.map(|(content, _)| content))
    }

    /// As [`Snapshot::content`], when of a list only the elements in `range` are needed.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn excerpt(&self, object: ObjectId, range: Range<u64>) -> Result<Option<Excerpt>> {
        let found = self.recording.excerpt(object, range, self.position)?;
        Ok(found.map(|(excerpt, _)| excerpt))
    }

    /// The contents of an object without the elements of a list that is long.
    pub(crate) fn outline(&self, object: ObjectId) -> Result<Option<Arc<Content>>> {
        Ok(self.excerpt(object, 0..0)?.map(|excerpt| excerpt.content))
    }

    /// The scopes of a frame, empty ones left out. `Locals` is always there.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn scopes(&self, frame: FrameId) -> Result<Vec<Scope>> {
        let all = [
            (ScopeKind::Locals, "Locals"),
            (ScopeKind::Closure, "Closure"),
            (ScopeKind::Globals, "Globals"),
            (ScopeKind::ReturnValue, "Return value"),
        ];
        let mut scopes = Vec::new();
        for (kind, name) in all {
            let named = self.names_in(frame, kind)?.len() as u64;
            if named > 0 || kind == ScopeKind::Locals {
                scopes.push(Scope {
                    kind,
                    name,
                    node: Node::Scope(frame, kind),
                    named,
                    expensive: false,
                });
            }
        }
        Ok(scopes)
    }

    /// A page of the children of `node`: skips `page.start`, returns at most as many as it is long.
    ///
    /// `parent` is the parent's [`Variable::evaluate_name`], from which those of the children are made;
    /// scopes need none. With [`Filter::All`] the named children come first.
    /// Cost: in proportion to the page, plus the reading of one object.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn children(
        &self,
        node: &Node,
        parent: Option<&str>,
        filter: Filter,
        page: Range<u64>,
    ) -> Result<Vec<Variable>> {
        children::page(*self, node, parent, filter, page)
    }

    /// The value of an expression in a frame; without a frame, in none: built-ins and literals only.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`]: what the language itself would raise, what is refused because it would
    /// run program code, and what was not recorded.
    pub fn evaluate(
        &self,
        frame: Option<FrameId>,
        expression: &Expression,
    ) -> Result<Variable, ExpressionError> {
        let mut evaluator = Evaluator::new(*self, frame, expression.text());
        let value = evaluator.evaluate_any(expression.node())?;
        let evaluate_name = if expression.is_primary() {
            expression.text().to_owned()
        } else {
            format!("({})", expression.text())
        };
        let name = expression.text().to_owned();
        let mut variable = self.variable(name, value, Some(evaluate_name))?;
        variable.place = self.place(frame, expression).ok();
        Ok(variable)
    }

    /// Whether an expression is true in a frame: for conditions.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::evaluate`].
    pub fn holds(
        &self,
        frame: Option<FrameId>,
        expression: &Expression,
    ) -> Result<bool, ExpressionError> {
        let mut evaluator = Evaluator::new(*self, frame, expression.text());
        let value = evaluator.evaluate(expression.node())?;
        evaluator.truth(&value)
    }

    /// A log message with the values of its expressions filled in: text as it is, other values as
    /// `repr` writes them. An expression that fails stands as its error in angle brackets.
    #[must_use]
    pub fn fill(&self, frame: Option<FrameId>, template: &Template) -> String {
        let mut out = String::new();
        for part in template.parts() {
            match part {
                TemplatePart::Text(text) => out.push_str(text),
                TemplatePart::Expression(expression) => {
                    match self.evaluate_text(frame, expression) {
                        Ok(text) => out.push_str(&text),
                        Err(error) => {
                            out.push('<');
                            out.push_str(&error.to_string());
                            out.push('>');
                        }
                    }
                }
            }
        }
        out
    }

    fn evaluate_text(
        &self,
        frame: Option<FrameId>,
        expression: &Expression,
    ) -> Result<String, ExpressionError> {
        let mut evaluator = Evaluator::new(*self, frame, expression.text());
        let value = evaluator.evaluate_any(expression.node())?;
        Ok(match &value {
            Datum::Str(text) => render::shortened(&render::lossy(text), render::LIMIT),
            _ => self.text(&value, render::LIMIT)?,
        })
    }

    /// A value as text of at most `limit` characters, the `…` included.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn text(&self, value: &Datum, limit: usize) -> Result<String> {
        render::value(*self, value, limit)
    }

    /// The place that an expression names: a local, a global, an attribute, an element or an entry.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] if it names none, or what it is found through cannot be evaluated.
    pub fn place(
        &self,
        frame: Option<FrameId>,
        expression: &Expression,
    ) -> Result<Place, ExpressionError> {
        names::place(*self, frame, expression)
    }
}
