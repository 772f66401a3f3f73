//! Microsoft's DebugClient drives one whole conversation with the real binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use protocol_tests::programs::{checkout, mark};
use protocol_tests::pythons;
use protocol_tests::run::succeed;
use protocol_tests::skip::skip;

const TEST: &str = "a_whole_conversation_with_the_debug_client";

#[test]
fn a_whole_conversation_with_the_debug_client() -> Result<()> {
    let cache = std::env::var_os("RETROSTEP_TEST_CACHE").map(PathBuf::from);
    let modules = cache.map(|cache| cache.join("node/node_modules"));
    let Some(modules) = modules.filter(|modules| modules.exists()) else {
        skip(
            TEST,
            "Microsoft's DebugClient is not installed; cargo xtask test installs it",
        );
        return Ok(());
    };
    let node = Command::new("node")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !node.is_ok_and(|status| status.success()) {
        skip(TEST, "node is not installed");
        return Ok(());
    }
    let Some(python) = pythons::newest() else {
        skip(TEST, "no Python from 3.9 to 3.14 was found");
        return Ok(());
    };
    let shop = checkout().join("samples/python/shop");
    let pricing = shop.join("pricing.py");
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("node");
    command
        .arg(checkout().join("protocol-tests/debug_client.js"))
        .arg(Path::new(env!("CARGO_BIN_EXE_retrostep")))
        .arg(&python.path)
        .arg(shop.join("replay_orders.py"))
        .arg(&pricing)
        .arg(mark(&pricing, "raise")?.to_string())
        .arg(mark(&pricing, "append")?.to_string())
        .env("NODE_PATH", modules)
        .env("XDG_DATA_HOME", folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null());
    succeed(&mut command, Duration::from_secs(120))?;
    Ok(())
}
