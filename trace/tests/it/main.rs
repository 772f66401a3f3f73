//! Tests of the recording format: what is written is read again, every question is answered as a plain
//! list of events answers it, and no damage does more than hide what it hit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected must fail"
)]

mod damage;
mod golden;
mod long_lists;
mod oracle;
mod queries;
mod round_trip;
mod story;
