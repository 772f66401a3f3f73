//! What is published about open documents without being asked for.

mod failures;

use ls_types::Diagnostic;

use crate::context::DocumentContext;
use crate::error::Result;

/// Says what is to be published about a document.
pub(crate) type Provider = fn(&DocumentContext) -> Result<Vec<Diagnostic>>;

/// All providers. A document is asked about when it was opened or changed, and when recordings, the
/// selected one or the settings changed.
pub(crate) static PROVIDERS: &[Provider] = &[failures::uncaught];
