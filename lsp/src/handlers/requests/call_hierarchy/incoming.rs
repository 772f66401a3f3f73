//! `callHierarchy/incomingCalls`

use ls_types::{CallHierarchyIncomingCall, CallHierarchyIncomingCallsParams};
use retrostep_replay::calls::incoming;

use super::Opened;
use crate::context::Context;
use crate::error::Result;
use crate::handlers::requests::WorkspaceRequest;

pub(in crate::handlers::requests) struct Incoming;

impl WorkspaceRequest for Incoming {
    const METHOD: &'static str = "callHierarchy/incomingCalls";
    type Params = CallHierarchyIncomingCallsParams;
    type Answer = Vec<CallHierarchyIncomingCall>;

    fn answer(
        ctx: &Context,
        params: CallHierarchyIncomingCallsParams,
    ) -> Result<Vec<CallHierarchyIncomingCall>> {
        let opened = Opened::of(ctx, &params.item)?;
        let edges = incoming(&opened.recording, opened.function, &ctx.cancel)?;
        let mut calls = Vec::new();
        for edge in &edges.edges {
            if let Some(from) = opened.other(ctx, edge)? {
                let from_ranges = opened.lines(ctx, edge)?;
                calls.push(CallHierarchyIncomingCall { from, from_ranges });
            }
        }
        Ok(calls)
    }
}
