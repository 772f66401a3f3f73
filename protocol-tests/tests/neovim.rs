//! Neovim's own client shows what the language server tells, and follows a replay.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use protocol_tests::programs::{checkout, mark, neovim};
use protocol_tests::pythons;
use protocol_tests::replay::{go, look, open, set_breakpoints};
use protocol_tests::run::succeed;
use protocol_tests::skip::skip;
use protocol_tests::workspace::Workspace;
use serde_json::json;

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const TEST: &str = "neovim_shows_recorded_values_and_follows_a_replay";

#[test]
fn neovim_shows_recorded_values_and_follows_a_replay() -> Result<()> {
    let Some(neovim) = neovim() else {
        skip(
            TEST,
            "Neovim is not installed; cargo xtask test installs it",
        );
        return Ok(());
    };
    let Some(python) = pythons::newest() else {
        skip(TEST, "no Python from 3.9 to 3.14 was found");
        return Ok(());
    };
    let workspace = Workspace::with_samples()?;
    let shop = workspace.path().join("shop");
    let script = shop.join("replay_orders.py");
    let name = "replay_orders-20260101-000000";
    let recording = workspace.record(BINARY.as_ref(), &python, &script, name)?;

    // Where the third order begins to be billed, two are done.
    let pricing = shop.join("pricing.py");
    let marked = mark(&pricing, "raise")? - 2;
    let mut replay = open(BINARY.as_ref(), &recording)?;
    set_breakpoints(&mut replay, &pricing.display().to_string(), &[marked + 1])?;
    for _ in 0..3 {
        go(&mut replay, "continue", &json!({"threadId": 1}))?;
    }
    let stop = look(&mut replay, 1, true)?;
    replay.finish()?;
    let variables = stop.variables.context("the variables of total_due")?;
    let due = variables.get("due").context("due")?;
    let due = due.trim_start_matches("Decimal('").trim_end_matches("')");

    let mut command = Command::new(neovim);
    command
        .args(["--clean", "--headless", "-l"])
        .arg(checkout().join("protocol-tests/lsp/neovim.lua"))
        .arg(BINARY)
        .arg(&pricing)
        .arg(&recording)
        .arg(marked.to_string())
        .arg(stop.position.to_string())
        .arg("= -18.7500 · last of 32")
        .arg(format!("= {due}"))
        .env("XDG_DATA_HOME", workspace.path().join("data"))
        .env("XDG_STATE_HOME", workspace.path().join("state"))
        .env("XDG_CACHE_HOME", workspace.path().join("cache"))
        .current_dir(workspace.path())
        .stdin(Stdio::null());
    succeed(&mut command, Duration::from_secs(180))?;
    Ok(())
}
