//! The engine's values as the protocol's.

use retrostep_replay::{Hint, Scope, ScopeKind, Stop, StopReason, Variable};
use retrostep_trace::{FrameId, SourceId, ThreadId};

use crate::client::Client;
use crate::dap::types;
use crate::handles::{Container, Handles};
use crate::launcher::{OutputStream, Report};

pub(crate) fn thread_id(thread: ThreadId) -> i64 {
    i64::from(thread.0) + 1
}

/// The number of the module that a source is.
pub(crate) fn module_id(source: SourceId) -> i64 {
    i64::from(source.0) + 1
}

/// A count as clients want it: left out when there is nothing.
pub(crate) fn count(number: u64) -> Option<i64> {
    (number > 0).then(|| whole(number))
}

/// A number that fits the protocol's.
pub(crate) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn scope(scope: Scope, frame: FrameId, handles: &mut Handles) -> types::Scope {
    types::Scope {
        name: scope.name.to_owned(),
        presentation_hint: match scope.kind {
            ScopeKind::Locals => Some("locals".to_owned()),
            ScopeKind::ReturnValue => Some("returnValue".to_owned()),
            _ => None,
        },
        variables_reference: handles.container(Container {
            node: scope.node,
            evaluate_name: None,
            frame: Some(frame),
        }),
        named_variables: count(scope.named),
        expensive: scope.expensive,
        ..types::Scope::default()
    }
}

/// The reference of a variable's children; 0 if it has none.
pub(crate) fn reference(variable: &Variable, frame: Option<FrameId>, handles: &mut Handles) -> i64 {
    match &variable.node {
        Some(node) => handles.container(Container {
            node: node.clone(),
            evaluate_name: variable.evaluate_name.clone(),
            frame,
        }),
        None => 0,
    }
}

pub(crate) fn variable(
    variable: Variable,
    frame: Option<FrameId>,
    client: &Client,
    handles: &mut Handles,
) -> types::Variable {
    types::Variable {
        variables_reference: reference(&variable, frame, handles),
        presentation_hint: Some(presentation_hint(variable.hint)),
        r#type: type_name(&variable, client),
        indexed_variables: count(variable.indexed),
        named_variables: count(variable.named),
        name: variable.name,
        value: variable.text,
        evaluate_name: variable.evaluate_name,
        ..types::Variable::default()
    }
}

pub(crate) fn type_name(variable: &Variable, client: &Client) -> Option<String> {
    (client.variable_types && !variable.type_name.is_empty()).then(|| variable.type_name.clone())
}

pub(crate) fn presentation_hint(hint: Hint) -> types::VariablePresentationHint {
    let (kind, visibility) = match hint {
        Hint::Method => ("method", None),
        Hint::Class => ("class", None),
        Hint::Internal => ("data", Some("internal")),
        Hint::ReturnValue | Hint::Missing => ("virtual", None),
        _ => ("data", None),
    };
    types::VariablePresentationHint {
        kind: Some(kind.to_owned()),
        visibility: visibility.map(str::to_owned),
        attributes: Some(vec!["readOnly".to_owned()]),
        ..types::VariablePresentationHint::default()
    }
}

/// The word that clients know for why something stopped.
pub(crate) fn stop_reason(reason: &StopReason) -> &'static str {
    match reason {
        StopReason::Step | StopReason::StartOfThread | StopReason::EndOfThread => "step",
        StopReason::Breakpoint => "breakpoint",
        StopReason::FunctionBreakpoint => "function breakpoint",
        StopReason::DataBreakpoint(_) => "data breakpoint",
        StopReason::Exception(_) => "exception",
        StopReason::Start => "entry",
        StopReason::Goto => "goto",
        _ => "pause",
    }
}

pub(crate) fn stopped(stop: &Stop, hit: Vec<i64>) -> types::StoppedEventBody {
    types::StoppedEventBody {
        reason: stop_reason(&stop.reason).to_owned(),
        description: Some(stop.description.clone()),
        text: stop.text.clone(),
        thread_id: Some(thread_id(stop.thread)),
        all_threads_stopped: Some(true),
        hit_breakpoint_ids: (!hit.is_empty()).then_some(hit),
        ..types::StoppedEventBody::default()
    }
}

/// The `output` event of something that the recorded program wrote; `None` for other reports.
pub(crate) fn output(report: &Report, client: &Client) -> Option<types::OutputEventBody> {
    let Report::Output {
        stream,
        text,
        position,
        source,
        line,
    } = report
    else {
        return None;
    };
    Some(types::OutputEventBody {
        category: Some(
            match stream {
                OutputStream::Stdout => "stdout",
                OutputStream::Stderr => "stderr",
            }
            .to_owned(),
        ),
        output: text.clone(),
        source: source.as_deref().map(source_of_path),
        line: source.as_ref().and(*line).map(|line| client.line(line)),
        data: position.map(|position| serde_json::json!({"position": position})),
        ..types::OutputEventBody::default()
    })
}

fn source_of_path(path: &str) -> types::Source {
    types::Source {
        name: std::path::Path::new(path)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned()),
        path: Some(path.to_owned()),
        ..types::Source::default()
    }
}
