//! Requests for tests: they are answered when the test opens a gate.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use ls_types::{ServerCapabilities, TextDocumentIdentifier, Uri};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DocumentRequest, Late, WorkspaceRequest};
use crate::client::Client;
use crate::context::{Context, DocumentContext};
use crate::error::{RequestError, Result};

static OPEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
static OPENED: Condvar = Condvar::new();
/// How often a request that waits looks whether it was cancelled.
const PAUSE: Duration = Duration::from_millis(5);

/// Lets every request through that waits at this gate.
pub(crate) fn open(gate: &str) {
    let mut open = OPEN.lock().unwrap();
    open.get_or_insert_default().insert(gate.to_owned());
    OPENED.notify_all();
}

/// Waits for a gate, and whether the request was cancelled.
fn wait(gate: Option<&str>, ctx: &Context) -> Result<()> {
    let Some(gate) = gate else {
        return Ok(());
    };
    let mut open = OPEN.lock().unwrap();
    while !open.get_or_insert_default().contains(gate) {
        if ctx.cancel.is_cancelled() {
            return Err(RequestError::cancelled());
        }
        open = OPENED.wait_timeout(open, PAUSE).unwrap().0;
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    gate: Option<String>,
    done: Option<usize>,
    #[serde(default)]
    panics: bool,
}

/// `test/wait`: tells how far it is, waits at the gate, and answers.
pub(super) struct Wait;

impl WorkspaceRequest for Wait {
    const METHOD: &'static str = "test/wait";
    type Params = Params;
    type Answer = Value;

    fn answer(ctx: &Context, params: Params) -> Result<Value> {
        if let Some(done) = params.done {
            ctx.progress.report(done, 10);
        }
        wait(params.gate.as_deref(), ctx)?;
        assert!(!params.panics, "a fault in a handler");
        Ok(json!("waited"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TextParams {
    text_document: TextDocumentIdentifier,
    gate: Option<String>,
}

/// `test/text`: waits at the gate, and answers with the document's text.
pub(super) struct Text;

impl DocumentRequest for Text {
    const METHOD: &'static str = "test/text";
    const LATE: Late = Late::Wrong;
    type Params = TextParams;
    type Answer = Value;

    fn document(params: &TextParams) -> &Uri {
        &params.text_document.uri
    }

    fn advertise(_capabilities: &mut ServerCapabilities, _client: &Client) {}

    fn answer(ctx: &DocumentContext, params: TextParams) -> Result<Value> {
        wait(params.gate.as_deref(), &ctx.workspace)?;
        let read = ctx.document.parsed();
        Ok(json!({
            "text": ctx.document.text.to_string(),
            "version": ctx.document.version,
            "definitions": read.syntax().definitions().len(),
        }))
    }
}
