//! The expression at a place in a text.

use std::ops::Range;

use tree_sitter::Node;

use super::Syntax;

/// An expression in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionRange {
    /// Where it stands.
    pub range: Range<usize>,
    /// The line it begins at, 1-based.
    pub line: u32,
    /// Whether it is a name, and nothing more.
    pub is_name: bool,
}

impl Syntax {
    /// The smallest expression around a place, or around all of a selection; `None` where there is none:
    /// in comments, in text, in keywords, in names that bind no variable (keyword arguments, imports).
    ///
    /// A place in the name of an attribute means the object with that attribute (`order.lines` of
    /// `order.lines[0]`), one between brackets what stands there, and one on an operator what it joins.
    #[must_use]
    pub fn expression_at(&self, selected: Range<usize>) -> Option<ExpressionRange> {
        let root = self.tree()?.root_node();
        let is_name = |node: &Node<'_>| node.kind() == "identifier";
        let mut node = named(root, &selected)?;
        // A place after the last character of a name belongs to it.
        if selected.is_empty()
            && !is_name(&node)
            && let Some(before) = selected.start.checked_sub(1)
            && let Some(before) = named(root, &(before..before)).filter(is_name)
        {
            node = before;
        }
        loop {
            node = match whole(node) {
                Whole::This(node) => {
                    return Some(ExpressionRange {
                        range: node.byte_range(),
                        line: u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX),
                        is_name: node.kind() == "identifier",
                    });
                }
                Whole::Around(node) => node,
                Whole::Nothing => return None,
            }
        }
    }
}

enum Whole<'a> {
    This(Node<'a>),
    /// Only together with what is around it.
    Around(Node<'a>),
    Nothing,
}

fn named<'a>(root: Node<'a>, selected: &Range<usize>) -> Option<Node<'a>> {
    root.named_descendant_for_byte_range(selected.start, selected.end)
}

fn whole(node: Node<'_>) -> Whole<'_> {
    let Some(parent) = node.parent() else {
        return Whole::Nothing;
    };
    let is_field = |name: &str| parent.child_by_field_name(name) == Some(node);
    match (node.kind(), parent.kind()) {
        ("identifier", "attribute") if is_field("attribute") => Whole::Around(parent),
        ("identifier", "keyword_argument") if is_field("name") => Whole::Nothing,
        (
            "identifier",
            "dotted_name" | "aliased_import" | "global_statement" | "nonlocal_statement" | "type",
        ) => Whole::Nothing,
        _ if is_expression(node) => Whole::This(node),
        _ => Whole::Nothing,
    }
}

fn is_expression(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "identifier"
            | "attribute"
            | "subscript"
            | "call"
            | "binary_operator"
            | "unary_operator"
            | "boolean_operator"
            | "not_operator"
            | "comparison_operator"
            | "conditional_expression"
            | "parenthesized_expression"
            | "tuple"
            | "list"
            | "dictionary"
            | "set"
    )
}
