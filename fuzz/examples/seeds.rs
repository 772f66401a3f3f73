//! Makes the inputs that the targets start from: `cargo run --example seeds` in `fuzz/`.

use std::fs;
use std::path::Path;

use retrostep_fuzz::{adapter, parts, sample};

const EXPRESSIONS: &[&str] = &[
    "xs[-1] + big // 3 if d['k'] is xs else None",
    "{key: value for key in d}",
    "[1, 2.5, 'a' * 3, b'\\x00', 0x1f, 1e3, 2j, ...][::-1]",
    "o.held[1].upper().split(' ')[0] == s != 'x'",
    "sorted(d.items(), key=len), sum(xs), max(1, n), round(2.675, 2)",
    "not (n < 7 <= big) and n in xs or 'k' in d",
    "f'{n!r:>10}' '%s' % n",
    "n ** 30 % 7, divmod(-n, 3), low * low, -z, ~n << 4 | 2 ^ 5 & 3",
    "isinstance(o, Box), type(t).__name__, len(long), nan == nan",
    "value {n} of {{xs}}: {d[\"k\"][0]!r}",
    ">= 5",
    "% 3",
    "print xs\nhistory xs\nwhy n\nrc\nback\nhits 5",
    "break app.py:5 if n > 3\nwatch xs\ncontinue\nwhere\nseek -20\nlog 5 {n}",
    "direction backward\nnext 3\nstep\nout\nseek 3.2s\nlocals\nthreads\nlist",
];

const CONVERSATIONS: &[&str] = &[
    "threads\nstackTrace {\"threadId\": 0}\nscopes {\"frameId\": 1}\nvariables {\"variablesReference\": 1}\nstepBack {\"threadId\": 0}\nreverseContinue {\"threadId\": 0}",
    "setBreakpoints {\"source\": {\"path\": \"/nowhere/app.py\"}, \"breakpoints\": [{\"line\": 5, \"condition\": \"n > 3\", \"hitCondition\": \"% 2\", \"logMessage\": \"{n}\"}]}\ncontinue {\"threadId\": 0}\nnext {\"threadId\": 0}\nstepIn {\"threadId\": 0}\nstepOut {\"threadId\": 0}\npause {\"threadId\": 0}",
    "setFunctionBreakpoints {\"breakpoints\": [{\"name\": \"work\"}]}\nsetExceptionBreakpoints {\"filters\": [\"raised\", \"left\"]}\ncontinue {\"threadId\": 0}\nexceptionInfo {\"threadId\": 0}\nrestartFrame {\"frameId\": 1}",
    "dataBreakpointInfo {\"variablesReference\": 1, \"name\": \"n\"}\nsetDataBreakpoints {\"breakpoints\": [{\"dataId\": \"n\"}]}\nevaluate {\"expression\": \"xs[0]\", \"frameId\": 1, \"context\": \"watch\"}\ncompletions {\"text\": \"his\", \"column\": 4}\nevaluate {\"expression\": \"history xs\", \"context\": \"repl\"}",
    "retrostep/position\nretrostep/seek {\"position\": 30}\nretrostep/history {\"expression\": \"xs\"}\nretrostep/hits {\"source\": {\"path\": \"/nowhere/app.py\"}, \"line\": 5}\nretrostep/stepBackInto {\"threadId\": 0}\ngotoTargets {\"source\": {\"path\": \"/nowhere/app.py\"}, \"line\": 5}\ngoto {\"threadId\": 0, \"targetId\": 1}",
    "loadedSources\nsource {\"sourceReference\": 1}\nbreakpointLocations {\"source\": {\"path\": \"/nowhere/app.py\"}, \"line\": 1, \"endLine\": 9}\nsetVariable {\"variablesReference\": 1, \"name\": \"n\", \"value\": \"1\"}\nmodules\ncancel {\"requestId\": 3}\nnothing\nrestart\nterminate",
];

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("app.retro");
    for rounds in [0, 1, 3] {
        sample::write(&path, rounds);
        let file = fs::read(&path)?;
        let chunks = parts::taken_apart(&file);
        // With the footer, and as a recorder that was killed leaves it.
        write("blocks", &format!("app-{rounds}"), &parts::input(&chunks))?;
        let unfinished = &chunks[..chunks.len() - 1];
        write(
            "blocks",
            &format!("unfinished-{rounds}"),
            &parts::input(unfinished),
        )?;
        let mut overcounted = unfinished.to_vec();
        for block in overcounted.iter_mut().filter(|chunk| chunk.kind == 3) {
            block.words[1] = 1 << 18;
        }
        write(
            "blocks",
            &format!("overcounted-{rounds}"),
            &parts::input(&overcounted),
        )?;
        write("reader", &format!("app-{rounds}"), &file)?;
        write(
            "reader",
            &format!("cut-{rounds}"),
            &file[..file.len() * 2 / 3],
        )?;
    }
    sample::write_long_list(&path);
    let file = fs::read(&path)?;
    let chunks = parts::taken_apart(&file);
    write("blocks", "pages", &parts::input(&chunks))?;
    write("reader", "pages", &file)?;
    for (number, text) in EXPRESSIONS.iter().enumerate() {
        write("expression", &format!("{number:02}"), text.as_bytes())?;
    }
    for (number, text) in CONVERSATIONS.iter().enumerate() {
        write("conversation", &format!("{number:02}"), text.as_bytes())?;
    }
    for (name, bytes) in adapter::frames() {
        write("codec", name, &bytes)?;
    }
    Ok(())
}
