//! What is told of an expression in the source: its value, how that came to be, and which others it had.

mod run;

use std::sync::Arc;

use retrostep_trace::{CancellationToken, FrameId, FunctionId, Key, Position, Recording, Value};

use crate::code::{Owner, SourceCode};
use crate::hints::phrase;
use crate::hints::{Call, Moment};
use crate::history::{Changing, HistoryChange, last_changes};
use crate::survey::{Survey, Values};
use crate::{Datum, Expression, ExpressionError, Place, Snapshot, render};

pub use run::{Run, Which};

/// Most lines of a value.
const MOST_LINES: usize = 12;
/// How many of the last changes are told.
const CHANGES: usize = 3;
/// Most cells of a series.
const CELLS: usize = 40;

/// What is known of an expression at one moment.
#[derive(Clone, Debug)]
pub struct About {
    /// The expression, as written.
    pub expression: String,
    /// The name of its value's type.
    pub type_name: String,
    /// How many elements it has, if it is a container.
    pub items: Option<u64>,
    /// The value, over several lines if need be.
    pub value: Vec<String>,
    /// The value.
    pub datum: Datum,
    /// The moment that is shown.
    pub at: Position,
    /// The call it is seen from.
    pub frame: FrameId,
    /// What that call runs.
    pub function: FunctionId,
    /// Which of how many calls of its function that is.
    pub call: (u64, u64),
    /// The last changes before the moment, the newest first.
    pub changes: Vec<HistoryChange>,
    /// How many changes there were before the moment; at least so many with `more_changes`.
    pub change_count: u64,
    /// Whether not all changes were counted.
    pub more_changes: bool,
    /// Whether the changes are those of one object, whatever names it.
    pub one_object: bool,
    /// Where the object was first seen, if the changes are those of one.
    pub created: Option<Created>,
    /// Whether the value is a function, class or module.
    pub is_code: bool,
    /// What holds the value, if something does.
    pub place: Option<Place>,
}

/// Where an object was first seen.
#[derive(Clone, Debug)]
pub struct Created {
    /// The function.
    pub function_name: Arc<str>,
    /// The source of the line.
    pub source: Option<retrostep_trace::SourceId>,
    /// The line, 1-based.
    pub line: u32,
    /// The step event of the line.
    pub position: Position,
}

/// What is told of an expression on a line; `None` if nothing is known of it: it has no value there, or
/// cannot be computed from recorded values.
///
/// A name, attribute or element that the line assigns is shown as it is after it, anything else as it is
/// before; what only a lambda or comprehension on the line knows, as its newest execution saw it.
///
/// # Errors
///
/// [`ExpressionError::Recording`] if the recording cannot be read.
pub fn about(
    moment: &Moment<'_>,
    which: Which,
    line: u32,
    text: &str,
    cancel: &CancellationToken,
) -> Result<Option<About>, ExpressionError> {
    let Ok(expression) = Expression::parse(text) else {
        return Ok(None);
    };
    if let Some(run) = Run::of(moment, which, line)?
        && let Some(about) = at_run(moment, &run, &expression, cancel)?
    {
        return Ok(Some(about));
    }
    // Without a lambda or comprehension on the line all its executions would be looked through.
    let mut parts = moment.code().functions_of(Owner::Part);
    if !parts.any(|part| part.function.lines.contains(&line)) {
        return Ok(None);
    }
    match Run::newest(moment, Owner::Part, line)? {
        Some(run) => at_run(moment, &run, &expression, cancel),
        None => Ok(None),
    }
}

fn at_run(
    moment: &Moment<'_>,
    run: &Run,
    expression: &Expression,
    cancel: &CancellationToken,
) -> Result<Option<About>, ExpressionError> {
    let recording = moment.recording();
    let at = run.seen(moment.code(), expression.text());
    let snapshot = Snapshot::new(recording, at);
    let frame = Some(run.call.frame);
    let shown = match snapshot.evaluate(frame, expression) {
        Ok(shown) => shown,
        Err(error @ ExpressionError::Recording(_)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let object = match &shown.value {
        Datum::Object(object) => Some(*object),
        _ => None,
    };
    let content = object.map(|object| snapshot.outline(object)).transpose()?;
    let content = content.flatten();
    let is_code = match (&content, &shown.value) {
        (Some(content), _) => {
            use retrostep_trace::ObjectKind::{Class, Function, Module};
            matches!(content.kind, Class | Function | Module)
        }
        (None, Datum::Type(_) | Datum::Builtin(_)) => true,
        (None, _) => false,
    };
    let items = content
        .filter(|content| content.kind.is_collection())
        .map(|content| content.len);
    let one_object = items.is_some() && object.is_some();
    let of = match one_object {
        true => Changing::Object,
        false => Changing::Both,
    };
    let history = match last_changes(snapshot, frame, expression, of, CHANGES, cancel) {
        Ok(history) => Some(history),
        Err(error @ ExpressionError::Recording(_)) => return Err(error),
        Err(_) => None,
    };
    let created = match object.filter(|_| one_object) {
        Some(object) => {
            let none = retrostep_trace::Direction::Forward;
            let first = recording.find(Key::Object(object), Position::START, none, cancel)?;
            first.map(|first| created(recording, first)).transpose()?
        }
        None => None,
    };
    let mut value = render::lines(snapshot, &shown.value, MOST_LINES)?;
    if let [only] = value.as_mut_slice()
        && let Some(decimal) = phrase::decimal(only)
    {
        *only = decimal.to_owned();
    }
    let (changes, change_count, more_changes) = match history {
        Some(history) => (history.changes, history.total, history.more),
        None => (Vec::new(), 0, false),
    };
    Ok(Some(About {
        expression: expression.text().to_owned(),
        type_name: shown.type_name,
        items,
        value,
        datum: shown.value,
        at,
        frame: run.call.frame,
        function: run.call.function,
        call: moment.number_of(&run.call)?,
        changes,
        change_count,
        more_changes,
        one_object,
        created,
        is_code,
        place: shown.place,
    }))
}

fn created(recording: &Recording, first: Position) -> retrostep_trace::Result<Created> {
    let origin = crate::history::Origin::of(recording, first)?;
    Ok(Created {
        function_name: origin.function_name,
        source: origin.source,
        line: origin.line,
        position: origin.position,
    })
}

/// The values that a variable had over a recording, ready to show.
#[derive(Clone, Debug)]
pub struct ValuesSeen {
    /// How often it was written.
    pub count: u64,
    /// How many different values it had; `None` if there are too many or they cannot be told apart.
    pub different: Option<u64>,
    /// The lowest and the highest as text, of numbers.
    pub range: Option<(String, String)>,
    /// Some of the values: the one seen most often, the last, the highest.
    pub rows: Vec<ValueSeen>,
    /// The series of numbers in at most 40 characters of different height.
    pub series: Option<String>,
}

/// One of the values a variable had.
#[derive(Clone, Debug)]
pub struct ValueSeen {
    /// As text.
    pub text: String,
    /// How often.
    pub count: u64,
    /// From where on it held, one of the times.
    pub at: Position,
}

/// The values of the variable `name` of the function that has this line.
///
/// # Errors
///
/// [`retrostep_trace::Error::Io`].
pub fn values_seen(
    recording: &Recording,
    code: &SourceCode,
    survey: &Survey,
    line: u32,
    name: &str,
) -> retrostep_trace::Result<Option<ValuesSeen>> {
    let functions: Vec<FunctionId> = code
        .functions_of(code.owner_of_line(line))
        .map(|function| function.id)
        .collect();
    let Some(values) = survey.variable(&functions, name) else {
        return Ok(None);
    };
    let text = |value: &Value, at| -> retrostep_trace::Result<Option<String>> {
        let snapshot = Snapshot::new(recording, at);
        phrase::value(snapshot, value, phrase::VALUE_LEN)
    };
    let range = match &values.range {
        Some((low, high)) => text(&low.value, low.at)?.zip(text(&high.value, high.at)?),
        None => None,
    };
    Ok(Some(ValuesSeen {
        count: values.count,
        different: values.different.as_ref().map(|it| it.len() as u64),
        range,
        rows: rows(values, &text)?,
        series: series(values),
    }))
}

fn rows(
    values: &Values,
    text: &dyn Fn(&Value, Position) -> retrostep_trace::Result<Option<String>>,
) -> retrostep_trace::Result<Vec<ValueSeen>> {
    let Some(different) = &values.different else {
        return Ok(Vec::new());
    };
    let most = different
        .values()
        .max_by_key(|seen| (seen.count, seen.last_at));
    let last = different.values().max_by_key(|seen| seen.last_at);
    let highest = values.range.as_ref().and_then(|(_, high)| {
        let mut all = different.values();
        all.find(|seen| seen.value == high.value)
    });
    let mut rows: Vec<ValueSeen> = Vec::new();
    for seen in [most, last, highest].into_iter().flatten() {
        if rows.iter().any(|row| row.at == seen.last_at) {
            continue;
        }
        if let Some(text) = text(&seen.value, seen.last_at)? {
            rows.push(ValueSeen {
                text,
                count: seen.count,
                at: seen.last_at,
            });
        }
    }
    Ok(rows)
}

/// A series drawn with block characters.
fn series(values: &Values) -> Option<String> {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if !values.are_numbers() || values.samples.len() < 2 {
        return None;
    }
    let all = &values.samples;
    let cells = all.len().min(CELLS);
    let shown: Vec<f64> = (0..cells)
        .filter_map(|cell| all.get(cell * all.len() / cells).copied())
        .collect();
    let low = shown.iter().copied().fold(f64::INFINITY, f64::min);
    let high = shown.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let whole = high - low;
    if !whole.is_finite() || whole <= 0.0 {
        return None;
    }
    Some(
        (shown.iter())
            .map(|value| {
                let height = (value - low) / whole * (BLOCKS.len() - 1) as f64;
                BLOCKS.get(height.round() as usize).copied().unwrap_or('█')
            })
            .collect(),
    )
}

/// A call, as people count it.
impl Call {
    /// The position where a replay of it goes first: its first step, or its call.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn first_step(
        &self,
        recording: &Recording,
        cancel: &CancellationToken,
    ) -> retrostep_trace::Result<Position> {
        let key = Key::FrameStep(self.frame);
        let forward = retrostep_trace::Direction::Forward;
        let found = recording.find_between(key, self.call..recording.end(), forward, cancel)?;
        Ok(found.unwrap_or(self.call))
    }
}
