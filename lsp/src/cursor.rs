//! Where the user is: told by clients that want hints only there.

use std::ops::RangeInclusive;

use ls_types::Uri;

use crate::context::DocumentContext;
use crate::document::Document;
use crate::settings::Scope;
use crate::view::View;

/// Where the user is in a document. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) uri: Uri,
    pub(crate) line: u32,
    /// The lines of the innermost function around it.
    pub(crate) function: Option<RangeInclusive<u32>>,
}

impl Cursor {
    /// Looks up the function around a line; to be called where it may take some milliseconds.
    pub(crate) fn at(document: &Document, line: u32) -> Cursor {
        let text = document.parsed();
        let syntax = text.syntax();
        let mut definition = syntax.definition_at(line);
        // A class is no place to be in: its functions are.
        while let Some(known) = definition.and_then(|index| syntax.definitions().get(index)) {
            if !known.is_class {
                break;
            }
            definition = known.parent;
        }
        let function = definition.and_then(|index| syntax.definitions().get(index));
        Cursor {
            uri: document.uri.clone(),
            line,
            function: function.map(|function| function.lines.clone()),
        }
    }

    /// Whether the same hints are shown with the cursor here as there.
    pub(crate) fn shows_as(&self, other: &Cursor, scope: Scope) -> bool {
        match scope {
            Scope::File => true,
            Scope::Function => self.uri == other.uri && self.function == other.function,
            Scope::Line => self.uri == other.uri && self.line == other.line,
        }
    }
}

impl DocumentContext {
    /// Whether the user wants to see the hints of a line. What the client does not tell limits nothing.
    pub(crate) fn is_in_scope(&self, view: &View, line: u32) -> bool {
        let workspace = &self.workspace;
        let Some(cursor) = &workspace.cursor else {
            return true;
        };
        match workspace.settings.scope {
            Scope::File => true,
            Scope::Line => cursor.uri == self.document.uri && cursor.line == line,
            // In a replay the calls on the stack are of interest, wherever the cursor is.
            Scope::Function if view.moment.is_some() => true,
            Scope::Function => {
                cursor.uri != self.document.uri
                    || cursor
                        .function
                        .as_ref()
                        .is_none_or(|lines| lines.contains(&line))
            }
        }
    }
}
