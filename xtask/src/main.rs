//! Development tasks of Retrostep: `cargo xtask TASK`.

mod dap_types;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((task, rest)) if task == "dap-types" => dap_types::run(rest),
        _ => bail!("usage: cargo xtask dap-types [--schema]"),
    }
}
