//! `retrostep info`: what one recording holds.

use std::io::{self, Write as _};

use crate::args::InfoOptions;
use crate::facts::{Facts, State};
use retrostep_replay::render;
use retrostep_sessions::words;

pub(crate) fn run(options: &InfoOptions) -> anyhow::Result<()> {
    let facts = Facts::read(&crate::open::find(&options.recording)?)?;
    let answer = if options.json {
        format!("{:#}\n", facts.json())
    } else {
        for_people(&facts)
    };
    io::stdout().write_all(answer.as_bytes())?;
    Ok(())
}

fn for_people(facts: &Facts) -> String {
    let header = facts.recording.header();
    let mut rows = vec![
        ("name", facts.name().to_owned()),
        ("file", crate::open::shown(&facts.entry.path)),
    ];
    match &facts.state {
        State::Complete => {}
        State::Running => rows.push(("state", "the program still runs".to_owned())),
        State::EndsEarly => rows.push((
            "state",
            format!(
                "the recording ends early: the recorder was killed; everything up to event {} is here",
                render::count(facts.events())
            ),
        )),
        State::Damaged(what) => rows.push(("state", format!("damaged: {what}"))),
    }
    rows.push(("command", header.command.join(" ")));
    rows.push(("folder", header.working_directory.clone()));
    rows.push(("started", words::full_moment(facts.started())));
    rows.push((
        "size",
        format!(
            "{}, {}, {}",
            render::counted(facts.events(), "event"),
            words::duration(facts.duration()),
            words::size(facts.recording.len_bytes())
        ),
    ));
    rows.push(("result", facts.result()));
    if let Some(exception) = &facts.exception {
        let place = exception
            .source
            .as_ref()
            .map_or_else(String::new, |(source, line)| {
                format!(" at {}:{line}", crate::open::shown(source))
            });
        rows.push(("raised", format!("{}{place}", exception.text())));
    }
    rows.push(("python", facts.python().to_owned()));
    if !header.git_commit.is_empty() {
        let commit: String = header.git_commit.chars().take(7).collect();
        let branch = match header.git_branch.as_str() {
            "" => String::new(),
            branch => format!(" on {branch}"),
        };
        let changed = match header.git_changed_files {
            0 => String::new(),
            files => format!(", {} changed", render::counted(u64::from(files), "file")),
        };
        rows.push(("commit", format!("{commit}{branch}{changed}")));
    }
    rows.push(("recorded", format!("code in {}", header.scope.join(", "))));
    let redacted = facts
        .recording
        .summary()
        .map_or(0, |summary| summary.redacted);
    rows.push((
        "redacted",
        format!(
            "{} ({})",
            render::counted(redacted, "value"),
            header.redacted_names.join(", ")
        ),
    ));
    for note in facts
        .recording
        .summary()
        .map_or(&[][..], |summary| &summary.notes)
    {
        rows.push(("note", note.clone()));
    }
    rows.iter()
        .map(|(label, fact)| format!("{label:<9} {fact}\n"))
        .collect()
}
