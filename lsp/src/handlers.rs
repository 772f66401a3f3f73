//! What each method means, one file for each.
//!
//! A method that is about an open document or the workspace is answered on a thread of the pool, with a
//! [`crate::context::Context`]; one that changes the conversation, by the main loop. To add one, write
//! its file and name it in the table of [`requests`] or [`notifications`]: what it can do is advertised
//! from there.

pub(crate) mod diagnostics;
pub(crate) mod notifications;
pub(crate) mod requests;
