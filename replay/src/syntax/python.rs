//! Definitions and statements of a Python text.

use std::ops::{Range, RangeInclusive};

use tree_sitter::{Node, Tree};

use super::parts::Part;
use super::{Definition, Parameter, Statement, StatementKind};

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 200;

/// Reads a tree into `part`.
pub(super) fn read(tree: &Tree, text: &str, part: &mut Part) {
    let mut reader = Reader { text, part };
    reader.block(tree.root_node(), Around::default());
    debug_assert!(part.statements.is_sorted_by_key(|it| *it.lines.start()));
}

/// What is around a statement.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    definition: Option<usize>,
    enclosing_loop: Option<usize>,
    depth: usize,
}

struct Reader<'a> {
    text: &'a str,
    part: &'a mut Part,
}

impl Reader<'_> {
    /// The statements among the children of a node.
    fn block(&mut self, node: Node<'_>, around: Around) {
        if around.depth > MAX_DEPTH {
            return;
        }
        let around = Around {
            depth: around.depth + 1,
            ..around
        };
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.statement(child, around);
        }
    }

    fn statement(&mut self, node: Node<'_>, around: Around) {
        match node.kind() {
            "comment" => {}
            "decorated_definition" => {
                if let Some(definition) = node.child_by_field_name("definition") {
                    self.definition(definition, line_of(node), around);
                }
            }
            "function_definition" | "class_definition" => {
                self.definition(node, line_of(node), around);
            }
            "if_statement" => {
                self.head(node, StatementKind::If, "consequence", around);
                self.clauses(node, around);
            }
            "elif_clause" => self.head(node, StatementKind::If, "consequence", around),
            "for_statement" => {
                self.head(node, StatementKind::For, "body", around);
                self.clauses(node, around);
            }
            "while_statement" => {
                self.head(node, StatementKind::While, "body", around);
                self.clauses(node, around);
            }
            "try_statement" => {
                self.head(node, StatementKind::Other, "body", around);
                self.clauses(node, around);
            }
            "with_statement" => self.head(node, StatementKind::Other, "body", around),
            "match_statement" => self.head(node, StatementKind::Other, "body", around),
            "case_clause" => self.head(node, StatementKind::Other, "consequence", around),
            "else_clause" => self.head(node, StatementKind::Other, "body", around),
            "except_clause" | "except_group_clause" | "finally_clause" => {
                self.head(node, StatementKind::Other, "", around);
            }
            // What could not be read may have statements in it that can.
            "ERROR" | "block" => self.block(node, around),
            "return_statement" => self.simple(node, StatementKind::Return, around),
            "pass_statement" | "break_statement" | "continue_statement" => {
                self.simple(node, StatementKind::Jump, around);
            }
            "import_statement" | "import_from_statement" | "future_import_statement" => {
                self.simple(node, StatementKind::Import, around);
            }
            kind if kind.ends_with("_statement") => {
                self.simple(node, StatementKind::Other, around);
            }
            _ => {}
        }
    }

    /// The parts of a statement that have heads of their own.
    fn clauses(&mut self, node: Node<'_>, around: Around) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            if child.kind().ends_with("_clause") {
                self.statement(child, around);
            }
        }
    }

    fn simple(&mut self, node: Node<'_>, kind: StatementKind, around: Around) {
        let mut targets = Vec::new();
        let mut parts = Vec::new();
        let mut assigned = 0;
        if kind != StatementKind::Import {
            targets_in(node, &mut targets, &mut parts);
            assigned = targets.len();
            self.walruses_in(node, &mut targets);
        }
        self.push(Statement {
            lines: line_of(node)..=last_line_of(node),
            kind,
            body: None,
            definition: around.definition,
            enclosing_loop: around.enclosing_loop,
            targets,
            assigned,
            parts,
        });
    }

    /// A statement with a body: its head, and what is in the body.
    fn head(&mut self, node: Node<'_>, kind: StatementKind, field: &str, around: Around) {
        let body = match field {
            "" => last_block(node),
            field => node.child_by_field_name(field),
        };
        let is_constant = (node.child_by_field_name("condition")).is_some_and(|it| is_constant(it));
        let kind = match kind {
            StatementKind::While if is_constant => StatementKind::Forever,
            StatementKind::If if is_constant => StatementKind::Other,
            kind => kind,
        };
        let first = line_of(node);
        let head_end = head_end(node, body);
        let mut targets = Vec::new();
        if kind == StatementKind::For
            && let Some(left) = node.child_by_field_name("left")
        {
            names_bound(left, &mut targets, &mut Vec::new());
        }
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            let in_head = body.is_none_or(|body| child.end_byte() <= body.start_byte());
            if in_head && !child.kind().ends_with("_clause") || child.kind() == "with_clause" {
                self.walruses_in(child, &mut targets);
                aliases_in(child, &mut targets, 0);
            }
        }
        let index = self.push(Statement {
            lines: first..=head_end,
            kind,
            body: body.and_then(|body| lines_below(body, head_end)),
            definition: around.definition,
            enclosing_loop: around.enclosing_loop,
            targets,
            assigned: 0,
            parts: Vec::new(),
        });
        let inside = match kind.is_loop() {
            true => Around {
                enclosing_loop: Some(index),
                ..around
            },
            false => around,
        };
        if let Some(body) = body {
            self.block(body, inside);
        }
    }

    fn definition(&mut self, node: Node<'_>, first: u32, around: Around) {
        let body = node.child_by_field_name("body");
        let Some(name) = node.child_by_field_name("name") else {
            return;
        };
        let is_class = node.kind() == "class_definition";
        let own = self.slice(name.byte_range()).to_owned();
        let parent = around
            .definition
            .and_then(|index| self.part.definitions.get(index));
        let qualified_name = match parent {
            None => own.clone(),
            Some(parent) if parent.is_class => format!("{}.{own}", parent.qualified_name),
            Some(parent) => format!("{}.<locals>.{own}", parent.qualified_name),
        };
        let head_end = head_end(node, body);
        let head = line_of(node)..=head_end;
        let index = self.part.definitions.len();
        let parameters = node.child_by_field_name("parameters");
        let definition = Definition {
            is_class,
            name: own,
            qualified_name,
            name_range: name.byte_range(),
            lines: first..=last_line_of(node),
            head: head.clone(),
            body: body.map_or(head, |body| line_of(body)..=last_line_of(body)),
            parent: around.definition,
            parameters: parameters.map_or_else(Vec::new, |node| self.parameters(node)),
        };
        self.part.definitions.push(definition);
        self.push(Statement {
            lines: first..=head_end,
            kind: StatementKind::Definition,
            body: body.and_then(|body| lines_below(body, head_end)),
            definition: around.definition,
            enclosing_loop: around.enclosing_loop,
            targets: Vec::new(),
            assigned: 0,
            parts: Vec::new(),
        });
        if let Some(body) = body {
            let inside = Around {
                definition: Some(index),
                enclosing_loop: None,
                depth: around.depth,
            };
            self.block(body, inside);
        }
    }

    fn parameters(&self, node: Node<'_>) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            let has_default = child.kind().contains("default");
            let name = match child.kind() {
                "identifier" => Some(child),
                "default_parameter" | "typed_default_parameter" => {
                    child.child_by_field_name("name")
                }
                _ => first_identifier(child),
            };
            if let Some(name) = name.filter(|name| name.kind() == "identifier") {
                parameters.push(Parameter {
                    name: self.slice(name.byte_range()).to_owned(),
                    has_default,
                });
            }
        }
        parameters
    }

    /// The names that expressions bind in a node, outside of functions of their own.
    fn walruses_in(&self, node: Node<'_>, targets: &mut Vec<Range<usize>>) {
        if self.slice(node.byte_range()).contains(":=") {
            walruses(node, targets, 0);
        }
    }

    fn push(&mut self, statement: Statement) -> usize {
        self.part.statements.push(statement);
        self.part.statements.len() - 1
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}

/// The names that a simple statement assigns to.
fn targets_in(node: Node<'_>, targets: &mut Vec<Range<usize>>, parts: &mut Vec<Range<usize>>) {
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        let mut assignment = Some(child);
        // `a = b = 1` is an assignment whose value is another, `a: int` one without a value.
        while let Some(node) = assignment.take_if(|node| node.kind().ends_with("assignment")) {
            assignment = node.child_by_field_name("right");
            if assignment.is_some()
                && let Some(left) = node.child_by_field_name("left")
            {
                names_bound(left, targets, parts);
            }
        }
    }
}

/// Whether a condition is decided when the program is compiled.
fn is_constant(condition: Node<'_>) -> bool {
    match condition.kind() {
        "true" | "false" | "none" | "integer" | "float" | "string" | "ellipsis" => true,
        "parenthesized_expression" | "not_operator" | "unary_operator" => {
            let mut cursor = condition.walk();
            condition.named_children(&mut cursor).all(is_constant)
        }
        // Not constants to the parser, but to the compiler.
        "tuple" => condition.named_child_count() == 0,
        "identifier" => condition.end_byte() - condition.start_byte() == "__debug__".len(),
        _ => false,
    }
}

fn walruses(node: Node<'_>, targets: &mut Vec<Range<usize>>, depth: usize) {
    if depth > MAX_DEPTH || node.kind() == "lambda" {
        return;
    }
    if node.kind() == "named_expression"
        && let Some(name) = node.child_by_field_name("name")
    {
        targets.push(name.byte_range());
    }
    let mut cursor = node.walk();
    for child in node.named_children(&mut cursor) {
        walruses(child, targets, depth + 1);
    }
}

/// The names in what is assigned to, and the attributes and elements.
fn names_bound(node: Node<'_>, targets: &mut Vec<Range<usize>>, parts: &mut Vec<Range<usize>>) {
    match node.kind() {
        "attribute" | "subscript" => parts.push(node.byte_range()),
        "identifier" => targets.push(node.byte_range()),
        "pattern_list"
        | "tuple_pattern"
        | "list_pattern"
        | "list_splat_pattern"
        | "expression_list"
        | "tuple"
        | "list"
        | "as_pattern_target"
        | "parenthesized_expression" => {
            let mut cursor = node.walk();
            for child in node.named_children(&mut cursor) {
                names_bound(child, targets, parts);
            }
        }
        _ => {}
    }
}

/// The names after `as` in a head.
fn aliases_in(node: Node<'_>, targets: &mut Vec<Range<usize>>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match node.kind() {
        "as_pattern_target" => names_bound(node, targets, &mut Vec::new()),
        "with_clause" | "with_item" | "as_pattern" => {
            let mut cursor = node.walk();
            for child in node.named_children(&mut cursor) {
                aliases_in(child, targets, depth + 1);
            }
        }
        _ => {}
    }
}

fn first_identifier(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    let child = node.named_children(&mut cursor).next()?;
    match child.kind() {
        "identifier" => Some(child),
        "list_splat_pattern" | "dictionary_splat_pattern" => first_identifier(child),
        _ => None,
    }
}

fn last_block(node: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = node.walk();
    let blocks = node.named_children(&mut cursor);
    blocks.filter(|child| child.kind() == "block").last()
}

/// The last line of a statement's head: that of the colon before the body.
fn head_end(node: Node<'_>, body: Option<Node<'_>>) -> u32 {
    let Some(body) = body else {
        return last_line_of(node);
    };
    let mut end = line_of(node);
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        if child.start_byte() >= body.start_byte() {
            break;
        }
        if child.kind() != "comment" {
            end = last_line_of(child);
        }
    }
    end
}

/// The lines of a body, unless it begins on the line of its head or is empty.
fn lines_below(body: Node<'_>, head_end: u32) -> Option<RangeInclusive<u32>> {
    let first = body.named_child(0).map_or(line_of(body), line_of);
    let last = last_line_of(body);
    (first > head_end && first <= last).then_some(first..=last)
}

fn line_of(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX)
}

/// The last line with a character of the node.
fn last_line_of(node: Node<'_>) -> u32 {
    let end = node.end_position();
    let row = match end.column {
        0 => end.row.max(node.start_position().row + 1),
        _ => end.row + 1,
    };
    u32::try_from(row).unwrap_or(u32::MAX)
}
