//! Pages of children: only what is asked for is rendered.

use std::ops::Range;
use std::sync::Arc;

use retrostep_trace::{
    Content, Excerpt, ObjectId, ObjectKind, Position, Result, Type, Unavailable,
};

use super::{Filter, Hint, Node, ScopeKind, Snapshot, Variable};
use crate::render::{self, ordered_attributes};
use crate::{Datum, Place};

/// See [`Snapshot::children`].
pub(super) fn page(
    snapshot: Snapshot<'_>,
    node: &Node,
    parent: Option<&str>,
    filter: Filter,
    page: Range<u64>,
) -> Result<Vec<Variable>> {
    match node {
        Node::Scope(frame, scope) => {
            if filter == Filter::Indexed {
                return Ok(Vec::new());
            }
            let names = snapshot.names_in(*frame, *scope)?;
            let mut out = Vec::new();
            for named in within(names, &page) {
                let returned = *scope == ScopeKind::ReturnValue;
                let evaluate_name = (!returned).then(|| named.name.clone());
                let moment = Snapshot {
                    position: named.at.unwrap_or(snapshot.position),
                    ..snapshot
                };
                let mut variable = moment.variable(named.name, named.value, evaluate_name)?;
                if let Some(at) = named.at {
                    keep_at(&mut variable, at);
                }
                variable.place = named.place;
                if returned {
                    variable.hint = Hint::ReturnValue;
                }
                out.push(variable);
            }
            Ok(out)
        }
        Node::Object(object) => {
            let Some(outline) = snapshot.outline(*object)? else {
                return Ok(Vec::new());
            };
            let (indexed, named) = snapshot.content_counts(&outline)?;
            let mut out = Vec::new();
            let (named_page, indexed_page) = match filter {
                Filter::Named => (page, 0..0),
                Filter::Indexed => (0..0, page),
                Filter::All => {
                    let shifted = page.start.saturating_sub(named)..page.end.saturating_sub(named);
                    (page.start.min(named)..page.end.min(named), shifted)
                }
            };
            let indexed_page = indexed_page.start..indexed_page.end.min(indexed);
            let Some(excerpt) = snapshot.excerpt(*object, indexed_page.clone())? else {
                return Ok(out);
            };
            let parts = Parts {
                snapshot,
                object: *object,
                ty: snapshot.recording.type_of(outline.type_id)?,
                content: Arc::clone(&excerpt.content),
                excerpt,
                parent,
            };
            for index in named_page.start..named_page.end.min(named) {
                out.extend(parts.named(index)?);
            }
            for index in indexed_page {
                out.push(parts.indexed(index)?);
            }
            Ok(out)
        }
        Node::ObjectAt(object, at) => {
            let moment = Snapshot {
                position: *at,
                ..snapshot
            };
            let mut out = self::page(moment, &Node::Object(*object), None, filter, page)?;
            for variable in &mut out {
                keep_at(variable, *at);
            }
            Ok(out)
        }
        Node::Computed(computed) => {
            let indexed = |items: &Arc<[Datum]>| {
                let items = items.iter().cloned().enumerate();
                items
                    .map(|(index, value)| (index.to_string(), index.to_string(), value))
                    .collect::<Vec<_>>()
            };
            let (children, found) = match &*computed.0 {
                Datum::List(items) | Datum::Tuple(items) => (indexed(items), Filter::Indexed),
                Datum::Set(items) | Datum::FrozenSet(items) => (indexed(items), Filter::Indexed),
                Datum::Dict(dictionary) => {
                    let mut children = Vec::new();
                    for (key, value) in &dictionary.entries {
                        let key = snapshot.text(key, render::LIMIT)?;
                        children.push((key.clone(), key, value.clone()));
                    }
                    (children, Filter::Named)
                }
                _ => (Vec::new(), Filter::All),
            };
            if filter != Filter::All && filter != found {
                return Ok(Vec::new());
            }
            let is_set = matches!(&*computed.0, Datum::Set(_) | Datum::FrozenSet(_));
            let mut out = Vec::new();
            for (name, index, value) in within(children, &page) {
                let evaluate_name = parent
                    .filter(|_| !index.contains('…'))
                    .map(|parent| element_name(parent, &index, is_set));
                out.push(snapshot.variable(name, value, evaluate_name)?);
            }
            Ok(out)
        }
    }
}

/// The children of the variable are of the same moment as it is itself.
fn keep_at(variable: &mut Variable, at: Position) {
    if let Some(Node::Object(object)) = variable.node {
        variable.node = Some(Node::ObjectAt(object, at));
    }
}

fn within<T>(items: Vec<T>, page: &Range<u64>) -> impl Iterator<Item = T> + use<T> {
    let start = usize::try_from(page.start).unwrap_or(usize::MAX);
    let len = usize::try_from(page.end.saturating_sub(page.start)).unwrap_or(usize::MAX);
    items.into_iter().skip(start).take(len)
}

fn element_name(parent: &str, index: &str, is_set: bool) -> String {
    if is_set {
        format!("list({parent})[{index}]")
    } else {
        format!("{parent}[{index}]")
    }
}

/// The children of one object.
struct Parts<'a> {
    snapshot: Snapshot<'a>,
    object: ObjectId,
    /// The elements of the page; everything else is complete.
    excerpt: Excerpt,
    content: Arc<Content>,
    ty: Arc<Type>,
    parent: Option<&'a str>,
}

impl Parts<'_> {
    fn indexed(&self, index: u64) -> Result<Variable> {
        let content = &self.content;
        let recorded = self.excerpt.item(index);
        let value = match recorded {
            Some(value) => Datum::from(value),
            None => Datum::Unavailable(Unavailable::TooLarge),
        };
        let is_set = matches!(content.kind, ObjectKind::Set | ObjectKind::FrozenSet);
        let name = index.to_string();
        let evaluate_name = self
            .parent
            .filter(|_| content.kind != ObjectKind::Array)
            .map(|parent| element_name(parent, &name, is_set));
        let mut variable = self.snapshot.variable(name, value, evaluate_name)?;
        if matches!(content.kind, ObjectKind::List | ObjectKind::Deque) && recorded.is_some() {
            variable.place = Some(Place::Item {
                object: self.object,
                index,
            });
        }
        Ok(variable)
    }

    /// The named child at a place in the order: the kind's own ones, then attributes.
    fn named(&self, index: u64) -> Result<Option<Variable>> {
        let own = match self.content.kind {
            ObjectKind::Tuple if !self.ty.fields.is_empty() => self.content.len,
            ObjectKind::Dict | ObjectKind::Namespace => {
                let recorded = self.content.entries.len() as u64;
                recorded + u64::from(self.content.len > recorded)
            }
            ObjectKind::Cell => self.content.items.len() as u64,
            ObjectKind::Exception => 1,
            ObjectKind::Enum => 2,
            _ => 0,
        };
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        if index < own {
            return self.own(place).map(Some);
        }
        let place = place - usize::try_from(own).unwrap_or(usize::MAX);
        let attributes = ordered_attributes(&self.content, &self.ty);
        let Some((name, value)) = attributes.get(place) else {
            let missing = render::counted(self.content.attributes_omitted, "attribute");
            return self.missing(&missing).map(Some);
        };
        let mut variable = self.attribute(name, Datum::from(*value))?;
        variable.place = Some(Place::Attribute {
            object: self.object,
            name: (*name).into(),
        });
        Ok(Some(variable))
    }

    fn own(&self, index: usize) -> Result<Variable> {
        let content = &self.content;
        let item = |index: usize| match content.items.get(index) {
            Some(value) => Datum::from(value),
            None => Datum::Unavailable(Unavailable::TooLarge),
        };
        match content.kind {
            ObjectKind::Tuple => {
                let name = match self.ty.fields.get(index) {
                    Some(field) => field.to_string(),
                    None => index.to_string(),
                };
                self.attribute(&name, item(index))
            }
            ObjectKind::Dict | ObjectKind::Namespace => {
                let Some((key, value)) = content.entries.get(index) else {
                    let missing = content.len.saturating_sub(content.entries.len() as u64);
                    return self.missing(&render::counted(missing, "entry"));
                };
                let text = self.snapshot.text(&Datum::from(key), render::LIMIT)?;
                let evaluate_name = self
                    .parent
                    .filter(|_| is_literal(&text))
                    .map(|parent| element_name(parent, &text, false));
                let mut variable =
                    self.snapshot
                        .variable(text, Datum::from(value), evaluate_name)?;
                variable.place = Some(Place::Entry {
                    object: self.object,
                    key: key.clone(),
                });
                Ok(variable)
            }
            ObjectKind::Cell => self.attribute("cell_contents", item(0)),
            ObjectKind::Exception => {
                let items: Vec<Datum> = content.items.iter().map(Datum::from).collect();
                self.attribute("args", Datum::Tuple(items.into()))
            }
            _ if index == 0 => {
                let name = content.text.clone().map_or(Datum::None, Datum::Str);
                self.attribute("name", name)
            }
            _ => self.attribute("value", item(0)),
        }
    }

    fn attribute(&self, name: &str, value: Datum) -> Result<Variable> {
        let evaluate_name = self.parent.map(|parent| format!("{parent}.{name}"));
        self.snapshot
            .variable(name.to_owned(), value, evaluate_name)
    }

    fn missing(&self, missing: &str) -> Result<Variable> {
        let value = Datum::Unavailable(Unavailable::TooLarge);
        let mut variable = self.snapshot.variable("…".to_owned(), value, None)?;
        variable.text = format!("+{missing} not recorded");
        variable.hint = Hint::Missing;
        Ok(variable)
    }
}

/// Whether a key's text can be read again as an expression with the same value.
fn is_literal(text: &str) -> bool {
    !text.contains('…') && !text.contains(['<', '=']) && !text.contains("not recorded")
}
