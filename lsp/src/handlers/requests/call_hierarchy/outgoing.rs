//! `callHierarchy/outgoingCalls`

use ls_types::{CallHierarchyOutgoingCall, CallHierarchyOutgoingCallsParams};
use retrostep_replay::calls::outgoing;

use super::Opened;
use crate::context::Context;
use crate::error::Result;
use crate::handlers::requests::WorkspaceRequest;

pub(in crate::handlers::requests) struct Outgoing;

impl WorkspaceRequest for Outgoing {
    const METHOD: &'static str = "callHierarchy/outgoingCalls";
    type Params = CallHierarchyOutgoingCallsParams;
    type Answer = Vec<CallHierarchyOutgoingCall>;

    fn answer(
        ctx: &Context,
        params: CallHierarchyOutgoingCallsParams,
    ) -> Result<Vec<CallHierarchyOutgoingCall>> {
        let opened = Opened::of(ctx, &params.item)?;
        let edges = outgoing(&opened.recording, opened.function, &ctx.cancel)?;
        let mut calls = Vec::new();
        for edge in &edges.edges {
            if let Some(to) = opened.other(ctx, edge)? {
                let from_ranges = opened.lines(ctx, edge)?;
                calls.push(CallHierarchyOutgoingCall { to, from_ranges });
            }
        }
        Ok(calls)
    }
}
