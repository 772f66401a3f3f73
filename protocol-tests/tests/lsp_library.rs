//! A client library that others wrote for testing language servers has a whole conversation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use protocol_tests::lsp_client::python_packages;
use protocol_tests::programs::{checkout, mark};
use protocol_tests::pythons;
use protocol_tests::run::succeed;
use protocol_tests::skip::skip;
use protocol_tests::workspace::Workspace;

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const TEST: &str = "a_whole_conversation_with_a_client_library";

#[test]
fn a_whole_conversation_with_a_client_library() -> Result<()> {
    let packages = python_packages();
    let Some(packages) = packages.filter(|folder| folder.join("pytest_lsp").is_dir()) else {
        skip(
            TEST,
            "the Python package pytest-lsp is not installed; cargo xtask test installs it",
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
    workspace.record(BINARY.as_ref(), &python, &script, name)?;
    let mut command = Command::new("python3");
    command
        .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"])
        .args(["-o", "asyncio_mode=auto"])
        .arg(checkout().join("protocol-tests/lsp/conversation.py"))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("RETROSTEP", Path::new(BINARY))
        .env("WORKSPACE", workspace.path())
        .env(
            "RAISES",
            mark(&shop.join("pricing.py"), "raise")?.to_string(),
        )
        .env("XDG_DATA_HOME", workspace.path().join("data"))
        .current_dir(workspace.path())
        .stdin(Stdio::null());
    succeed(&mut command, Duration::from_secs(120))?;
    Ok(())
}
