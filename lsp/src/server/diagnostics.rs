//! Publishing diagnostics: found out by the pool when a document has rested.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use ls_types::{Diagnostic, PublishDiagnosticsParams, Uri};
use retrostep_trace::CancellationToken;

use super::{Event, Server};
use crate::context::DocumentContext;
use crate::error::RequestError;
use crate::handlers::diagnostics::PROVIDERS;

/// How long a document has to rest.
const REST: Duration = Duration::from_millis(100);

/// What is published, and what is to be found out.
#[derive(Debug, Default)]
pub(super) struct Publishing {
    /// When each document may be looked at.
    due: HashMap<Uri, Instant>,
    /// What is being found out.
    running: HashMap<Uri, CancellationToken>,
    published: HashMap<Uri, Vec<Diagnostic>>,
}

impl Publishing {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }
}

impl Server<'_> {
    /// A document changed.
    pub(super) fn diagnose(&mut self, uri: &Uri) {
        if let Some(cancel) = self.publishing.running.remove(uri) {
            cancel.cancel();
        }
        if !PROVIDERS.is_empty() && self.documents.get(uri).is_some() {
            (self.publishing.due).insert(uri.clone(), Instant::now() + REST);
        }
    }

    /// Something changed that all documents are about.
    pub(super) fn diagnose_all(&mut self) {
        let uris: Vec<Uri> = self.documents.iter().map(|it| it.uri.clone()).collect();
        for uri in uris {
            self.diagnose(&uri);
        }
    }

    /// Finds out what is to be published about the documents that have rested.
    pub(super) fn diagnose_due(&mut self) {
        let now = Instant::now();
        let due: Vec<Uri> = (self.publishing.due)
            .extract_if(|_, due| *due <= now)
            .map(|(uri, _)| uri)
            .collect();
        for uri in due {
            let Some(document) = self.documents.get(&uri).cloned() else {
                continue;
            };
            let ctx = DocumentContext {
                workspace: self.context(),
                document,
            };
            let cancel = ctx.workspace.cancel.clone();
            self.publishing.running.insert(uri, cancel);
            let events = self.events.clone();
            self.pool.post(Box::new(move || {
                let diagnostics = super::guarded(|| {
                    let mut all = Vec::new();
                    for provider in PROVIDERS {
                        all.extend(provider(&ctx)?);
                    }
                    Ok(all)
                });
                let _ = events.send(Event::Diagnosed {
                    uri: ctx.document.uri.clone(),
                    version: ctx.document.version,
                    diagnostics,
                });
            }));
        }
    }

    /// Publishes what was found out, unless the document changed since or nothing is new.
    pub(super) fn diagnosed(
        &mut self,
        uri: Uri,
        version: i32,
        diagnostics: Result<Vec<Diagnostic>, RequestError>,
    ) {
        let is_current = (self.documents.get(&uri)).is_some_and(|it| it.version == version);
        let diagnostics = match diagnostics {
            Ok(diagnostics) if is_current => diagnostics,
            Ok(_) => return,
            Err(error) => {
                tracing::debug!(%error, "nothing is published");
                return;
            }
        };
        self.publishing.running.remove(&uri);
        let published = self.publishing.published.get(&uri);
        if published.map_or(&[][..], Vec::as_slice) == diagnostics {
            return;
        }
        (self.publishing.published).insert(uri.clone(), diagnostics.clone());
        self.publish(PublishDiagnosticsParams {
            uri,
            diagnostics,
            version: Some(version),
        });
    }

    /// A document was closed: nothing is said about it any more.
    pub(super) fn withdraw_diagnostics(&mut self, uri: &Uri) {
        self.publishing.due.remove(uri);
        if let Some(cancel) = self.publishing.running.remove(uri) {
            cancel.cancel();
        }
        if (self.publishing.published.remove(uri)).is_some_and(|published| !published.is_empty()) {
            self.publish(PublishDiagnosticsParams {
                uri: uri.clone(),
                diagnostics: Vec::new(),
                version: None,
            });
        }
    }

    fn publish(&mut self, params: PublishDiagnosticsParams) {
        (self.connection).notify("textDocument/publishDiagnostics", params);
    }
}
