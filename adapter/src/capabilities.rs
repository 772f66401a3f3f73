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
