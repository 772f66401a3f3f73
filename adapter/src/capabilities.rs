//! What the adapter says it can do.

use crate::dap::types::{Capabilities, ExceptionBreakpointsFilter};

/// The capabilities: each has a handler.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        supports_breakpoint_locations_request: Some(true),
        supports_cancel_request: Some(true),
        supports_clipboard_context: Some(true),
        supports_completions_request: Some(true),
        supports_conditional_breakpoints: Some(true),
        supports_configuration_done_request: Some(true),
        supports_data_breakpoints: Some(true),
        supports_delayed_stack_trace_loading: Some(true),
        supports_evaluate_for_hovers: Some(true),
        supports_exception_info_request: Some(true),
        supports_function_breakpoints: Some(true),
        supports_goto_targets_request: Some(true),
        supports_hit_conditional_breakpoints: Some(true),
        supports_loaded_sources_request: Some(true),
        supports_log_points: Some(true),
        supports_modules_request: Some(true),
        supports_restart_frame: Some(true),
        supports_restart_request: Some(true),
        supports_set_variable: Some(true),
        supports_step_back: Some(true),
        supports_terminate_request: Some(true),
        exception_breakpoint_filters: Some(exception_filters()),
        ..Capabilities::default()
    }
}

fn exception_filters() -> Vec<ExceptionBreakpointsFilter> {
    let filter =
        |filter: &str, label: &str, description: &str, default| ExceptionBreakpointsFilter {
            filter: filter.to_owned(),
            label: label.to_owned(),
            description: Some(description.to_owned()),
            default: Some(default),
            ..ExceptionBreakpointsFilter::default()
        };
    vec![
        filter(
            "uncaught",
            "Uncaught Exceptions",
            "Stops where an exception was raised that nothing caught.",
            true,
        ),
        filter(
            "raised",
            "Raised Exceptions",
            "Stops wherever an exception was first raised.",
            false,
        ),
        filter(
            "left",
            "Exceptions That Leave a Function",
            "Stops where an exception left a function, once per function.",
            false,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{handlers, server};

    /// What each capability of the protocol promises: a request, or something that a request carries.
    const PROMISES: &[(&str, &str)] = &[
        ("supportsBreakpointLocationsRequest", "breakpointLocations"),
        ("supportsCancelRequest", "cancel"),
        ("supportsClipboardContext", "evaluate"),
        ("supportsCompletionsRequest", "completions"),
        ("supportsConditionalBreakpoints", "setBreakpoints"),
        ("supportsConfigurationDoneRequest", "configurationDone"),
        ("supportsDataBreakpoints", "setDataBreakpoints"),
        ("supportsDelayedStackTraceLoading", "stackTrace"),
        ("supportsDisassembleRequest", "disassemble"),
        ("supportsEvaluateForHovers", "evaluate"),
        ("supportsExceptionInfoRequest", "exceptionInfo"),
        ("supportsFunctionBreakpoints", "setFunctionBreakpoints"),
        ("supportsGotoTargetsRequest", "gotoTargets"),
        ("supportsHitConditionalBreakpoints", "setBreakpoints"),
        (
            "supportsInstructionBreakpoints",
            "setInstructionBreakpoints",
        ),
        ("supportsLoadedSourcesRequest", "loadedSources"),
        ("supportsLogPoints", "setBreakpoints"),
        ("supportsModulesRequest", "modules"),
        ("supportsReadMemoryRequest", "readMemory"),
        ("supportsRestartFrame", "restartFrame"),
        ("supportsRestartRequest", "restart"),
        ("supportsSetExpression", "setExpression"),
        ("supportsSetVariable", "setVariable"),
        ("supportsStepBack", "stepBack"),
        ("supportsStepInTargetsRequest", "stepInTargets"),
        ("supportsTerminateRequest", "terminate"),
        ("supportsTerminateThreadsRequest", "terminateThreads"),
        ("supportsWriteMemoryRequest", "writeMemory"),
    ];

    #[test]
    fn what_is_advertised_is_what_is_answered() {
        let capabilities = serde_json::to_value(capabilities()).unwrap();
        let advertised: BTreeSet<&str> = capabilities
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| **value == true)
            .map(|(name, _)| name.as_str())
            .collect();
        let answered: BTreeSet<&str> = handlers::COMMANDS
            .iter()
            .chain(server::requests::COMMANDS)
            .copied()
            .collect();
        let promised: BTreeSet<&str> = PROMISES
            .iter()
            .filter(|(_, command)| answered.contains(command))
            .map(|(capability, _)| *capability)
            .collect();
        assert_eq!(advertised, promised);
    }
}
