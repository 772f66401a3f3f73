//! Recorded objects as text, by the shape of their contents.

use retrostep_trace::{Content, ObjectKind, Recording, Result, Text, Type, Value};

use super::{Painter, code_points, counted, text};
use crate::Datum;

/// What stands for an object inside itself.
pub(super) fn recursive(recording: &Recording, content: &Content) -> Result<String> {
    Ok(match content.kind {
        ObjectKind::List | ObjectKind::Deque | ObjectKind::Array => "[...]".to_owned(),
        ObjectKind::Tuple => "(...)".to_owned(),
        ObjectKind::Dict | ObjectKind::Namespace => "{...}".to_owned(),
        _ => {
            let ty = recording.type_of(content.type_id)?;
            format!("{}(...)", class_name(&ty))
        }
    })
}

/// A type's name for people: without the functions that it was defined in.
pub(crate) fn class_name(ty: &Type) -> &str {
    ty.qualified_name
        .rsplit("<locals>.")
        .next()
        .unwrap_or(&ty.qualified_name)
}

/// Text as recorded, with U+FFFD for lone surrogates.
pub(crate) fn lossy(text: &Text) -> String {
    let mut out: String = code_points(&text.kept)
        .map(|code_point| char::from_u32(code_point).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if (out.chars().count() as u64) < text.len {
        out.push('…');
    }
    out
}

pub(super) fn paint(painter: &mut Painter<'_>, content: &Content) -> Result<()> {
    let ty = painter.snapshot.recording.type_of(content.type_id)?;
    let built_in = &*ty.module == "builtins";
    let name = class_name(&ty);
    match content.kind {
        ObjectKind::Tuple if !ty.fields.is_empty() => named_tuple(painter, content, &ty),
        ObjectKind::List
        | ObjectKind::Tuple
        | ObjectKind::Dict
        | ObjectKind::Set
        | ObjectKind::FrozenSet
        | ObjectKind::ByteArray
            if built_in =>
        {
            container(painter, content)
        }
        ObjectKind::List
        | ObjectKind::Tuple
        | ObjectKind::Dict
        | ObjectKind::Set
        | ObjectKind::FrozenSet
        | ObjectKind::Deque
        | ObjectKind::ByteArray => {
            painter.canvas.push_str(name);
            painter.canvas.push('(');
            let empty = content.len == 0
                && matches!(
                    content.kind,
                    ObjectKind::Dict | ObjectKind::Set | ObjectKind::FrozenSet
                );
            if !empty {
                container(painter, content)?;
            }
            attributes(painter, content, &ty, empty)?;
            painter.canvas.push(')');
            Ok(())
        }
        ObjectKind::Cell => {
            painter.canvas.push_str("<cell: ");
            match content.items.first() {
                Some(value) => painter.value(&Datum::from(value))?,
                None => painter.canvas.push_str("empty"),
            }
            painter.canvas.push('>');
            Ok(())
        }
        ObjectKind::Namespace => container(painter, content),
        ObjectKind::Instance => {
            painter.canvas.push_str(name);
            painter.canvas.push('(');
            attributes(painter, content, &ty, true)?;
            painter.canvas.push(')');
            Ok(())
        }
        ObjectKind::Exception => {
            painter.canvas.push_str(name);
            let items: Vec<Datum> = content.items.iter().map(Datum::from).collect();
            painter.items("(", &items, ")", content.len)
        }
        ObjectKind::Function => {
            let what = match &*ty.qualified_name {
                "builtin_function_or_method" => "built-in function",
                "method" => "bound method",
                "method_descriptor" | "wrapper_descriptor" => "method",
                _ => "function",
            };
            labelled(painter, what, content)
        }
        ObjectKind::Class => {
            painter.canvas.push_str("<class '");
            push_text(painter, content);
            painter.canvas.push_str("'>");
            Ok(())
        }
        ObjectKind::Module => {
            painter.canvas.push_str("<module '");
            push_text(painter, content);
            painter.canvas.push_str("'>");
            Ok(())
        }
        ObjectKind::Generator => {
            let what = format!("{name} object");
            labelled(painter, &what, content)
        }
        ObjectKind::Enum => {
            painter.canvas.push('<');
            painter
                .canvas
                .push_str(name.rsplit('.').next().unwrap_or(name));
            painter.canvas.push('.');
            push_text(painter, content);
            painter.canvas.push_str(": ");
            match content.items.first() {
                Some(value) => painter.value(&Datum::from(value))?,
                None => painter.canvas.push_str("not recorded"),
            }
            painter.canvas.push('>');
            Ok(())
        }
        ObjectKind::Literal => {
            // What has no text of its own is a number of another class than Python's.
            match (&content.text, content.items.first()) {
                (None, Some(value)) => painter.value(&Datum::from(value))?,
                _ => push_text(painter, content),
            }
            Ok(())
        }
        ObjectKind::Array => {
            painter.canvas.push_str(name);
            painter.canvas.push(' ');
            push_text(painter, content);
            painter.canvas.push(' ');
            container(painter, content)
        }
        ObjectKind::Opaque => {
            painter.canvas.push('<');
            painter.canvas.push_str(name);
            painter.canvas.push_str(" object>");
            Ok(())
        }
    }
}

fn labelled(painter: &mut Painter<'_>, what: &str, content: &Content) -> Result<()> {
    painter.canvas.push('<');
    painter.canvas.push_str(what);
    painter.canvas.push(' ');
    push_text(painter, content);
    painter.canvas.push('>');
    Ok(())
}

fn push_text(painter: &mut Painter<'_>, content: &Content) {
    match &content.text {
        Some(text) => painter.canvas.push_str(&lossy(text)),
        None => painter.canvas.push('?'),
    }
}

/// The elements or entries of a container, as the built-in type writes them.
fn container(painter: &mut Painter<'_>, content: &Content) -> Result<()> {
    match content.kind {
        ObjectKind::Dict | ObjectKind::Namespace => {
            let entries: Vec<(Datum, Datum)> = content
                .entries
                .iter()
                .take(painter.canvas.limit)
                .map(|(key, value)| (Datum::from(key), Datum::from(value)))
                .collect();
            painter.entries(&entries, content.len)
        }
        ObjectKind::ByteArray => {
            painter.canvas.push_str("bytearray(");
            if let Some(kept) = &content.text {
                text::bytes(&mut painter.canvas, &kept.kept, content.len);
            }
            painter.canvas.push(')');
            Ok(())
        }
        ObjectKind::Set => {
            let items = first_items(painter, content);
            painter.set("set", &items, content.len)
        }
        ObjectKind::FrozenSet => {
            let items = first_items(painter, content);
            painter.frozen_set(&items, content.len)
        }
        ObjectKind::Tuple => {
            let items = first_items(painter, content);
            let close = if content.len == 1 { ",)" } else { ")" };
            painter.items("(", &items, close, content.len)
        }
        _ if content.sparse.is_empty() => {
            let items = first_items(painter, content);
            painter.items("[", &items, "]", content.len)
        }
        _ => sparse(painter, content),
    }
}

/// As many elements as can be shown: a large list is never walked to its end for a short text.
fn first_items(painter: &Painter<'_>, content: &Content) -> Vec<Datum> {
    content
        .items
        .iter()
        .take(painter.canvas.limit)
        .map(Datum::from)
        .collect()
}

/// A list with recorded elements behind the limit: each gap says how long it is.
fn sparse(painter: &mut Painter<'_>, content: &Content) -> Result<()> {
    painter.canvas.push('[');
    let mut next = 0;
    let first = content.items.iter().enumerate();
    let first = first.map(|(index, value)| (index as u64, value));
    let all = first.chain(content.sparse.iter().map(|(index, value)| (*index, value)));
    for (index, value) in all {
        if painter.canvas.is_full() {
            return Ok(());
        }
        painter.missing(index.saturating_sub(next), "element", next == 0);
        if index > 0 {
            painter.canvas.push_str(", ");
        }
        painter.value(&Datum::from(value))?;
        next = index.saturating_add(1);
    }
    painter.missing(content.len.saturating_sub(next), "element", next == 0);
    painter.canvas.push(']');
    Ok(())
}

fn named_tuple(painter: &mut Painter<'_>, content: &Content, ty: &Type) -> Result<()> {
    painter.canvas.push_str(class_name(ty));
    painter.canvas.push('(');
    for (index, value) in content.items.iter().enumerate() {
        if painter.canvas.is_full() {
            return Ok(());
        }
        if index > 0 {
            painter.canvas.push_str(", ");
        }
        if let Some(field) = ty.fields.get(index) {
            painter.canvas.push_str(field);
            painter.canvas.push('=');
        }
        painter.value(&Datum::from(value))?;
    }
    let missing = content.len.saturating_sub(content.items.len() as u64);
    painter.missing(missing, "element", content.items.is_empty());
    painter.canvas.push(')');
    Ok(())
}

/// The fields of a data class in their order, then the other attributes.
pub(crate) fn ordered_attributes<'c>(content: &'c Content, ty: &Type) -> Vec<(&'c str, &'c Value)> {
    let mut ordered: Vec<(&str, &Value)> = content
        .attributes
        .iter()
        .map(|(name, value)| (&**name, value))
        .collect();
    if !ty.fields.is_empty() {
        let rank = |name: &str| ty.fields.iter().position(|field| &**field == name);
        ordered.sort_by_key(|(name, _)| rank(name).unwrap_or(usize::MAX));
    }
    ordered
}

fn attributes(
    painter: &mut Painter<'_>,
    content: &Content,
    ty: &Type,
    mut first: bool,
) -> Result<()> {
    for (name, value) in ordered_attributes(content, ty) {
        if painter.canvas.is_full() {
            return Ok(());
        }
        if !first {
            painter.canvas.push_str(", ");
        }
        first = false;
        painter.canvas.push_str(name);
        painter.canvas.push('=');
        painter.value(&Datum::from(value))?;
    }
    if content.attributes_omitted > 0 {
        if !first {
            painter.canvas.push_str(", ");
        }
        let missing = counted(content.attributes_omitted, "attribute");
        painter.canvas.push_str(&format!("+{missing} not recorded"));
    }
    Ok(())
}
