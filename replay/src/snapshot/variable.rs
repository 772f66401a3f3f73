//! One variable, ready to show.

use retrostep_trace::{Content, ObjectKind, Result};

use super::{Computed, Hint, Node, Snapshot, Variable};
use crate::Datum;
use crate::render::{self, class_name};

impl Snapshot<'_> {
    /// A variable with everything that can be told from its value alone.
    pub(crate) fn variable(
        &self,
        name: String,
        value: Datum,
        evaluate_name: Option<String>,
    ) -> Result<Variable> {
        let (indexed, named) = self.counts(&value)?;
        let node = match &value {
            _ if indexed == 0 && named == 0 => None,
            Datum::Object(object) => Some(Node::Object(*object)),
            other => Some(Node::Computed(Computed(other.clone().into()))),
        };
        let hint = self.hint(&name, &value)?;
        Ok(Variable {
            text: self.text(&value, render::LIMIT)?,
            type_name: self.type_name(&value)?,
            name,
            value,
            node,
            indexed,
            named,
            evaluate_name,
            place: None,
            hint,
        })
    }

    fn hint(&self, name: &str, value: &Datum) -> Result<Hint> {
        if name.len() > 4 && name.starts_with("__") && name.ends_with("__") {
            return Ok(Hint::Internal);
        }
        Ok(match value {
            Datum::Unavailable(_) => Hint::Missing,
            Datum::Type(_) => Hint::Class,
            Datum::Builtin(_) => Hint::Method,
            Datum::Object(object) => match self.outline(*object)? {
                None => Hint::Missing,
                Some(content) => match content.kind {
                    ObjectKind::Function => Hint::Method,
                    ObjectKind::Class => Hint::Class,
                    ObjectKind::Module => Hint::Internal,
                    _ => Hint::Data,
                },
            },
            _ => Hint::Data,
        })
    }

    /// How many indexed and named children a value has.
    fn counts(&self, value: &Datum) -> Result<(u64, u64)> {
        Ok(match value {
            Datum::List(items)
            | Datum::Tuple(items)
            | Datum::Set(items)
            | Datum::FrozenSet(items) => (items.len() as u64, 0),
            Datum::Dict(dictionary) => (0, dictionary.entries.len() as u64),
            Datum::Object(object) => match self.outline(*object)? {
                Some(content) => self.content_counts(&content)?,
                None => (0, 0),
            },
            _ => (0, 0),
        })
    }

    /// How many indexed and named children an object has.
    pub(super) fn content_counts(&self, content: &Content) -> Result<(u64, u64)> {
        let attributes =
            content.attributes.len() as u64 + u64::from(content.attributes_omitted > 0);
        Ok(match content.kind {
            ObjectKind::Tuple if !self.recording.type_of(content.type_id)?.fields.is_empty() => {
                (0, content.len + attributes)
            }
            ObjectKind::List
            | ObjectKind::Tuple
            | ObjectKind::Set
            | ObjectKind::FrozenSet
            | ObjectKind::Deque
            | ObjectKind::Array => (content.len, attributes),
            ObjectKind::Dict | ObjectKind::Namespace => {
                let recorded = content.entries.len() as u64;
                (0, recorded + u64::from(content.len > recorded) + attributes)
            }
            ObjectKind::Cell => (0, content.items.len() as u64),
            ObjectKind::Exception => (0, 1 + attributes),
            ObjectKind::Enum => (0, 2 + attributes),
            _ => (0, attributes),
        })
    }

    /// The name of a value's type; empty where it is not known.
    pub(crate) fn type_name(&self, value: &Datum) -> Result<String> {
        let name = match value {
            Datum::None => "NoneType",
            Datum::Bool(_) => "bool",
            Datum::Int(_) => "int",
            Datum::Float(_) => "float",
            Datum::Complex(..) => "complex",
            Datum::Str(_) => "str",
            Datum::Bytes(_) => "bytes",
            Datum::Ellipsis => "ellipsis",
            Datum::NotImplemented => "NotImplementedType",
            Datum::List(_) => "list",
            Datum::Tuple(_) => "tuple",
            Datum::Set(_) => "set",
            Datum::FrozenSet(_) => "frozenset",
            Datum::Dict(_) => "dict",
            Datum::Range(_) => "range",
            Datum::Type(_) => "type",
            Datum::Builtin(_) => "builtin_function_or_method",
            Datum::Unavailable(_) => "",
            Datum::Object(object) => {
                let Some(content) = self.outline(*object)? else {
                    return Ok(String::new());
                };
                let ty = self.recording.type_of(content.type_id)?;
                return Ok(class_name(&ty).to_owned());
            }
        };
        Ok(name.to_owned())
    }
}
