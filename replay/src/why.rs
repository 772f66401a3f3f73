//! The chain of writes that led to a value: the last write, what its line read, and so on back.

use std::collections::HashMap;
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Direction, Event, FrameId, Key, ObjectId, ObjectKind, Position, Recording,
    Result, SourceId, Value, VariableKind,
};

use crate::expression::{SourceLines, Statement, argument_for, names_in};
use crate::history::{Origin, place_of};
use crate::place::{RawChange, step_of};
use crate::render;
use crate::{Datum, Expression, ExpressionError, Place, Snapshot};

/// Most links that are told.
const MAX_LINKS: usize = 40;

/// Longest chain.
const MAX_DEPTH: u32 = 8;

/// Most names of one line that are followed.
const MAX_NAMES: usize = 6;

/// Why a name has its value.
#[derive(Clone, Debug)]
pub struct Why {
    /// What was asked for.
    pub name: String,
    /// The links, each followed by those that led to it.
    pub links: Vec<WhyLink>,
    /// Whether more links were left out.
    pub more: bool,
}

/// One write that led to the value.
#[derive(Clone, Debug)]
pub struct WhyLink {
    /// How many links it is away from the value: 0 for the value's own last write.
    pub depth: u32,
    /// The name that was written, or the call that returned: `subtotal`, `discount()`.
    pub name: String,
    /// What was written, as text at that time.
    pub value: String,
    /// What happened, ready to show: `= 93.75`, `5 → 6 items, + 'LOYAL20'`, `returned 112.5`.
    pub text: String,
    /// The step event of the line that did it.
    pub position: Position,
    /// The source of the line.
    pub source: Option<SourceId>,
    /// The line, 1-based; 0 where there is none.
    pub line: u32,
    /// The function of the line.
    pub function_name: Arc<str>,
    /// The text of the line.
    pub line_text: String,
}

/// The chain of writes that led to the value that `expression` names in `frame`.
///
/// # Errors
///
/// [`ExpressionError`] if it names nothing that has a value.
pub fn why(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    expression: &Expression,
    cancel: &CancellationToken,
) -> Result<Why, ExpressionError> {
    let place = place_of(snapshot, frame, expression)?;
    if place
        .value(snapshot.recording, snapshot.position)?
        .is_none()
    {
        return Err(ExpressionError::Raised {
            kind: "NameError",
            message: format!("{} has no value here", expression.text()),
        });
    }
    let mut search = Search {
        recording: snapshot.recording,
        cancel,
        sources: HashMap::new(),
        seen: Vec::new(),
        links: Vec::new(),
        more: false,
    };
    search.explain(expression.text(), &place, snapshot.position, 0)?;
    Ok(Why {
        name: expression.text().to_owned(),
        links: search.links,
        more: search.more,
    })
}

struct Search<'a> {
    recording: &'a Recording,
    cancel: &'a CancellationToken,
    sources: HashMap<SourceId, Arc<SourceLines>>,
    seen: Vec<Position>,
    links: Vec<WhyLink>,
    more: bool,
}

impl Search<'_> {
    /// Tells the last change of a place before `at`, and what led to it.
    fn explain(&mut self, name: &str, place: &Place, at: Position, depth: u32) -> Result<()> {
        self.cancel.check()?;
        let found = place.find_raw(self.recording, at, Direction::Backward, self.cancel)?;
        let Some(change) = found else {
            return Ok(());
        };
        let written = change.position;
        if self.seen.contains(&written) {
            return Ok(());
        }
        if depth > MAX_DEPTH || self.links.len() >= MAX_LINKS {
            self.more = true;
            return Ok(());
        }
        self.seen.push(written);
        let origin = Origin::of(self.recording, written)?;
        self.push_change(name, &change, &origin, depth)?;
        let Some(frame) = origin.frame else {
            return Ok(());
        };
        if origin.is_argument {
            return self.argument(written, &origin, depth);
        }
        let statement = self.statement(&origin)?;
        if statement.defines {
            return Ok(());
        }
        let in_place = matches!(
            (&change.old, &change.new),
            (Some(Value::Object(old)), Some(Value::Object(new))) if old == new
        );
        if in_place {
            self.explain(name, place, written, depth + 1)?;
        }
        self.returns(&statement, frame, origin.position, written, depth)?;
        let changed = match &change.new {
            Some(Value::Object(object)) if in_place => Some(*object),
            _ => None,
        };
        let names = statement.names_read();
        self.names(&names, changed, (frame, origin.position), depth)
    }

    fn push_change(
        &mut self,
        name: &str,
        change: &RawChange,
        origin: &Origin,
        depth: u32,
    ) -> Result<()> {
        let after = Snapshot::new(self.recording, change.position.next());
        let value = match &change.new {
            Some(value) => after.text(&Datum::from(value), render::LIMIT)?,
            None => "deleted".to_owned(),
        };
        let text = change.clone().complete(self.recording)?.text;
        self.push(name.to_owned(), value, text, origin, depth)
    }

    fn push(
        &mut self,
        name: String,
        value: String,
        text: String,
        origin: &Origin,
        depth: u32,
    ) -> Result<()> {
        let line_text = match origin.source {
            Some(source) => self.lines(source)?.line(origin.line).to_owned(),
            None => String::new(),
        };
        self.links.push(WhyLink {
            depth,
            name,
            value,
            text,
            position: origin.position,
            source: origin.source,
            line: origin.line,
            function_name: origin.function_name.clone(),
            line_text,
        });
        Ok(())
    }

    fn lines(&mut self, source: SourceId) -> Result<Arc<SourceLines>> {
        if let Some(lines) = self.sources.get(&source) {
            return Ok(lines.clone());
        }
        let text = self.recording.source(source)?.text.clone();
        let lines = Arc::new(SourceLines::new(text.as_deref().unwrap_or_default()));
        self.sources.insert(source, lines.clone());
        Ok(lines)
    }

    fn statement(&mut self, origin: &Origin) -> Result<Statement> {
        Ok(match origin.source {
            Some(source) => self.lines(source)?.statement(origin.line),
            None => Statement::default(),
        })
    }

    /// Follows names that a line of a frame read at a position; those of the `changed` object are
    /// other names of what is being explained.
    fn names(
        &mut self,
        names: &[String],
        changed: Option<ObjectId>,
        (frame, at): (FrameId, Position),
        depth: u32,
    ) -> Result<()> {
        let snapshot = Snapshot::new(self.recording, at);
        let mut followed = 0;
        for name in names {
            if followed >= MAX_NAMES {
                self.more = true;
                return Ok(());
            }
            let Ok(expression) = Expression::parse(name) else {
                continue;
            };
            let Ok(place) = snapshot.place(Some(frame), &expression) else {
                continue;
            };
            let value = place.value(self.recording, at)?;
            let is_changed =
                matches!(&value, Some(Datum::Object(object)) if Some(*object) == changed);
            if is_changed || value.is_none_or(|value| self.is_code(snapshot, &value)) {
                continue;
            }
            followed += 1;
            self.explain(name, &place, at, depth + 1)?;
        }
        Ok(())
    }

    /// Functions, classes and modules are no part of a value's story.
    fn is_code(&self, snapshot: Snapshot<'_>, value: &Datum) -> bool {
        let Datum::Object(object) = value else {
            return false;
        };
        let content = snapshot.outline(*object).ok().flatten();
        content.is_some_and(|content| {
            matches!(
                content.kind,
                ObjectKind::Function | ObjectKind::Class | ObjectKind::Module
            )
        })
    }

    /// Follows an argument to the expression that the caller passed.
    fn argument(&mut self, written: Position, origin: &Origin, depth: u32) -> Result<()> {
        let (Some(caller), Some(called)) = (origin.frame, self.recording.frame_of_event(written)?)
        else {
            return Ok(());
        };
        if caller == called {
            // Code that is not recorded made the call.
            return Ok(());
        }
        let Some(facts) = self.recording.frame(called)? else {
            return Ok(());
        };
        let function = self.recording.function(facts.function)?;
        let Some(Event::Write { slot, .. }) =
            self.recording.event(written)?.map(|event| event.event)
        else {
            return Ok(());
        };
        let slot = usize::try_from(slot).unwrap_or(usize::MAX);
        let is_parameter = |variable: &&retrostep_trace::Variable| {
            matches!(
                variable.kind,
                VariableKind::Argument | VariableKind::CellArgument
            )
        };
        let parameters: Vec<_> = function.variables.iter().filter(is_parameter).collect();
        let Some(variable) = function.variables.get(slot) else {
            return Ok(());
        };
        let place = parameters
            .iter()
            .position(|known| known.name == variable.name);
        let Some(place) = place else {
            return Ok(());
        };
        let statement = self.statement(origin)?;
        let wanted = |name: &str| {
            name == &*function.name
                || (&*function.name == "__init__" && is_class_of(name, &function.qualified_name))
        };
        let calls = statement.calls();
        let Some((_, arguments, is_method)) = calls.iter().find(|(name, ..)| wanted(name)) else {
            return Ok(());
        };
        let has_self = *is_method || &*function.name == "__init__";
        let is_bound = has_self
            && parameters
                .first()
                .is_some_and(|first| matches!(&*first.name, "self" | "cls"));
        let Some(place) = place.checked_sub(usize::from(is_bound)) else {
            return Ok(());
        };
        let Some(argument) = argument_for(arguments, &variable.name, place) else {
            return Ok(());
        };
        let names = names_in(argument);
        self.names(&names, None, (caller, origin.position), depth)
    }

    /// Follows calls that the line made and whose results it used.
    fn returns(
        &mut self,
        statement: &Statement,
        frame: FrameId,
        from: Position,
        to: Position,
        depth: u32,
    ) -> Result<()> {
        let wanted: Vec<String> = statement
            .calls()
            .into_iter()
            .map(|(name, ..)| name)
            .collect();
        if wanted.is_empty() || depth >= MAX_DEPTH {
            return Ok(());
        }
        let mut at = to;
        for _ in 0..MAX_NAMES {
            let call =
                self.recording
                    .find(Key::CallFrom(frame), at, Direction::Backward, self.cancel)?;
            let Some(call) = call.filter(|call| *call > from) else {
                return Ok(());
            };
            at = call;
            let Some(Event::Call {
                frame: called,
                function,
                ..
            }) = self.recording.event(call)?.map(|event| event.event)
            else {
                continue;
            };
            let function = self.recording.function(function)?;
            if !wanted.iter().any(|name| *name == *function.name) || self.seen.contains(&call) {
                continue;
            }
            let exit = self.recording.find(
                Key::FrameExit(called),
                call,
                Direction::Forward,
                self.cancel,
            )?;
            let Some(exit) = exit.filter(|exit| *exit <= to) else {
                continue;
            };
            let Some(Event::Return { value }) =
                self.recording.event(exit)?.map(|event| event.event)
            else {
                continue;
            };
            if self.links.len() >= MAX_LINKS {
                self.more = true;
                return Ok(());
            }
            self.seen.push(call);
            let step = step_of(self.recording, exit, Some(called))?;
            let mut origin = Origin::of(self.recording, exit)?;
            origin.position = step;
            let shown =
                Snapshot::new(self.recording, exit).text(&Datum::from(&value), render::LIMIT)?;
            let name = format!("{}()", function.name);
            let text = format!("returned {shown}");
            self.push(name, shown, text, &origin, depth + 1)?;
            let inner = self.statement(&origin)?;
            self.names(&inner.names_read(), None, (called, step), depth + 1)?;
        }
        Ok(())
    }
}

/// Whether `Customer(...)` calls `Customer.__init__`.
fn is_class_of(name: &str, qualified_name: &str) -> bool {
    qualified_name
        .strip_suffix(".__init__")
        .is_some_and(|class| class.rsplit('.').next() == Some(name))
}
