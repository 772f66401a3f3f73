//! No secret leaves the process: not in the file, not in any of its blocks once decompressed, in no
//! encoding. The same search finds a text that is no secret, so that it can find one.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use protocol_tests::programs::checkout;
use protocol_tests::pythons::{Python, found, missing};
use protocol_tests::raw::decompressed;
use protocol_tests::run::run;

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const OPEN: &str = "quite-open-text";
/// More than the program reads.
const SECRETS: u64 = 120;
/// Lines that the program wants as numbers.
const LARGE: u64 = 7_046_029_254_386_353_131;

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let pythons = found();
    let absent = missing(&pythons).into_iter().map(|minor| {
        Trial::test(format!("python3.{minor} is not on this machine"), || Ok(()))
            .with_ignored_flag(true)
    });
    let present = pythons.iter().map(|python| {
        let python = python.clone();
        Trial::test(
            format!("{}::no secret is recorded", python.name()),
            move || check(&python).map_err(|error| Failed::from(format!("{error:#}"))),
        )
    });
    let trials = absent.chain(present).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// Every secret is a number, so that `int` takes it, and different from all others.
fn secret(number: u64) -> String {
    (LARGE + number * 1_000_003).to_string()
}

fn check(python: &Python) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("secrets.py");
    let text = std::fs::read_to_string(checkout().join("protocol-tests/redaction/secrets.py"))?;
    std::fs::write(&script, &text)?;
    let mut typed = tempfile::tempfile()?;
    writeln!(typed, "{OPEN}")?;
    for number in 0..SECRETS {
        writeln!(typed, "{}", secret(number))?;
    }
    typed.seek(SeekFrom::Start(0))?;
    let recording = folder.path().join("secrets.retro");
    let mut command = Command::new(BINARY);
    command
        .args(["record", "--quiet", "--redact", "pin", "--out"])
        .arg(&recording)
        .arg("--")
        .args([&python.path, &script])
        .stdin(Stdio::from(typed));
    let outcome = run(&mut command, Duration::from_secs(120))?;
    ensure!(outcome.status.success(), "the program fails: {outcome:?}");
    let left: u64 = outcome
        .stdout
        .rsplit(' ')
        .next()
        .and_then(|left| left.trim().parse().ok())
        .context("how much is left over")?;
    ensure!(left > 0, "the program wants more secrets than there are");
    let read = SECRETS - left / (secret(0).len() as u64 + 1);
    ensure!(read > 55, "only {read} secrets were read");

    let file = std::fs::read(&recording)?;
    let mut parts = decompressed(&file)?;
    ensure!(parts.len() > 4, "only {} parts", parts.len());
    let recorded = parts.iter().filter(|part| holds(part, OPEN)).count();
    ensure!(recorded > 0, "the search does not find what is no secret");
    parts.push(file);
    let is_recorded = |number: u64| {
        let secret = secret(number);
        parts
            .iter()
            .any(|part| holds(part, &secret) || holds_number(part, &secret))
    };
    for number in 0..read {
        ensure!(
            !is_recorded(number),
            "the secret of line {} is in the recording\n{}",
            number + 2,
            outcome.stdout
        );
    }
    Ok(())
}

/// Whether a text occurs as UTF-8, UTF-16 or UTF-32, in either order of bytes.
fn holds(part: &[u8], text: &str) -> bool {
    let wide = |width: usize, big: bool| -> Vec<u8> {
        text.bytes()
            .flat_map(|byte| {
                let mut unit = vec![0; width];
                let place = if big { width - 1 } else { 0 };
                unit[place] = byte;
                unit
            })
            .collect()
    };
    [
        text.as_bytes().to_vec(),
        wide(2, false),
        wide(2, true),
        wide(4, false),
        wide(4, true),
    ]
    .iter()
    .any(|bytes| contains(part, bytes))
}

/// Whether a number occurs as eight bytes, or as the recording writes numbers.
fn holds_number(part: &[u8], text: &str) -> bool {
    let Ok(number) = text.parse::<u64>() else {
        return false;
    };
    let mut zigzag = number << 1;
    let mut written = Vec::new();
    while zigzag >= 0x80 {
        written.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    written.push(zigzag as u8);
    contains(part, &number.to_le_bytes())
        || contains(part, &number.to_be_bytes())
        || contains(part, &written)
}

fn contains(part: &[u8], wanted: &[u8]) -> bool {
    let Some(&first) = wanted.first() else {
        return false;
    };
    part.iter()
        .enumerate()
        .any(|(at, byte)| *byte == first && part.get(at..at + wanted.len()) == Some(wanted))
}
