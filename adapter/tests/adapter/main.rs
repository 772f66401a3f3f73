//! Conversations with the adapter, in this process, on recordings that the tests write.

mod client;
mod hostile;
mod launcher;
mod launches;
mod replays;
mod schema;
mod shop;
mod tcp;
