//! The expression at a place in a text.

use std::ops::{Range, RangeInclusive};

use tree_sitter::Node;

use super::parts::Placed;
use super::{StatementKind, Syntax};

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
    ///
    /// `text` is the text whose structure this is.
    #[must_use]
    pub fn expression_at(&self, text: &str, selected: Range<usize>) -> Option<ExpressionRange> {
        let at = self
            .parts
            .partition_point(|placed| placed.end <= selected.start);
        // The end of the text is a place of its last part.
        let placed = self.parts.get(at).or(self.parts.last())?;
        let tree = placed.tree(text)?;
        let root = tree.root_node();
        let selected = selected.start.checked_sub(placed.start)?..selected.end - placed.start;
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
                    let range = node.byte_range();
                    return Some(ExpressionRange {
                        range: range.start + placed.start..range.end + placed.start,
                        line: row(node.start_position()) + placed.line,
                        is_name: node.kind() == "identifier",
                    });
                }
                Whole::Around(node) => node,
                Whole::Nothing => return None,
            }
        }
    }
}

/// Where a name stands, and how it is used there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameUse {
    /// Where it stands.
    pub range: Range<usize>,
    /// The line, 1-based.
    pub line: u32,
    /// Whether it is bound there.
    pub is_written: bool,
}

impl Syntax {
    /// Where a variable's name stands in some lines, in the order of the text. Attributes, keyword
    /// arguments and names of modules are none.
    #[must_use]
    pub fn uses_of(&self, text: &str, name: &str, lines: RangeInclusive<u32>) -> Vec<NameUse> {
        let mut uses = Vec::new();
        let first = self
            .parts
            .partition_point(|placed| placed.line < *lines.start());
        let parts = self.parts.iter().skip(first.saturating_sub(1));
        for placed in parts.take_while(|placed| placed.line < *lines.end()) {
            self.uses_in(placed, text, name, &lines, &mut uses);
        }
        uses
    }

    fn uses_in(
        &self,
        placed: &Placed,
        text: &str,
        name: &str,
        lines: &RangeInclusive<u32>,
        uses: &mut Vec<NameUse>,
    ) {
        let piece = text.get(placed.start..placed.end).unwrap_or_default();
        if !piece.contains(name) {
            return;
        }
        let Some(tree) = placed.tree(text) else {
            return;
        };
        let line = |point| row(point) + placed.line;
        let mut cursor = tree.walk();
        // Without recursion: texts can be nested as deep as they like.
        loop {
            let node = cursor.node();
            let (first, last) = (line(node.start_position()), line(node.end_position()));
            let is_inside = last >= *lines.start() && first <= *lines.end();
            let range = node.byte_range();
            let range = range.start + placed.start..range.end + placed.start;
            if is_inside
                && node.kind() == "identifier"
                && text.get(range.clone()) == Some(name)
                && is_variable(node)
            {
                uses.push(NameUse {
                    line: first,
                    is_written: self.is_bound(&range, first),
                    range,
                });
            }
            if is_inside && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// Whether a name at a place is one that a statement binds, or a parameter.
    fn is_bound(&self, range: &Range<usize>, line: u32) -> bool {
        let mut statements = self.statements_at(line);
        statements.any(|(_, statement)| {
            statement.targets.contains(range) || statement.kind == StatementKind::Definition
        })
    }
}

fn row(point: tree_sitter::Point) -> u32 {
    u32::try_from(point.row + 1).unwrap_or(u32::MAX)
}

/// Whether an identifier names a variable.
fn is_variable(node: Node<'_>) -> bool {
    let Some(parent) = node.parent() else {
        return false;
    };
    let is_field = |name: &str| parent.child_by_field_name(name) == Some(node);
    match parent.kind() {
        "attribute" => !is_field("attribute"),
        "keyword_argument" => !is_field("name"),
        "dotted_name" | "aliased_import" | "type" => false,
        _ => true,
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
