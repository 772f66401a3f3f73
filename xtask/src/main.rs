//! Development tasks of Retrostep: `cargo xtask TASK`.

mod bench;
mod dap_types;
mod fuzz;
mod licences;
mod lsp;
mod pythons;
mod setup;
mod suite;
mod vscode;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((task, rest)) if task == "test" => suite::run(rest),
        Some((task, rest)) if task == "bench" => bench::run(rest),
        Some((task, rest)) if task == "fuzz" => fuzz::run(rest),
        Some((task, [])) if task == "licences" => licences::run(),
        Some((task, rest)) if task == "dap-types" => dap_types::run(rest),
        _ => bail!(
            "usage: cargo xtask TASK\n\
             \x20 test [WORD…]           everything CI runs; with words only the steps whose name has one\n\
             \x20 licences               whether every dependency's licence is on the list\n\
             \x20 fuzz [TARGET] [SECONDS] hostile input for one target or all\n\
             \x20 bench [--help]         what recording and replaying cost, beside targets, floors and peers\n\
             \x20 dap-types [--schema]   the protocol's types from the official schema"
        ),
    }
}
