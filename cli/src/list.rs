//! `retrostep list`: the recordings of the workspace.

use std::cmp::Reverse;
use std::io::{self, Write as _};
use std::time::SystemTime;

use retrostep_replay::render;
use retrostep_sessions::Entry;
use retrostep_sessions::words;
use serde_json::{Value as Json, json};

use crate::args::ListOptions;
use crate::facts::Facts;
use crate::text;

pub(crate) fn run(options: &ListOptions) -> anyhow::Result<()> {
    let library = crate::open::library()?;
    let mut rows: Vec<Row> = library.recordings()?.into_iter().map(Row::read).collect();
    rows.sort_by_key(|row| Reverse(row.time()));
    let answer = if options.json {
        let rows: Vec<Json> = rows.iter().map(Row::json).collect();
        format!("{:#}\n", Json::Array(rows))
    } else if rows.is_empty() {
        format!(
            "No recordings in {}.\n\"retrostep record COMMAND\" makes one.\n",
            crate::open::shown(&library.recordings_folder())
        )
    } else {
        table(&rows)
    };
    io::stdout().write_all(answer.as_bytes())?;
    Ok(())
}

/// One recording, or why it cannot be read.
struct Row {
    entry: Entry,
    facts: Result<Facts, String>,
}

impl Row {
    fn read(entry: Entry) -> Row {
        let facts = Facts::read(&entry.path).map_err(|error| text::with_causes(&error));
        Row { entry, facts }
    }

    fn time(&self) -> SystemTime {
        match &self.facts {
            Ok(facts) => facts.started(),
            Err(_) => self.entry.modified,
        }
    }

    fn json(&self) -> Json {
        match &self.facts {
            Ok(facts) => facts.json(),
            Err(reason) => json!({
                "id": self.entry.id,
                "name": self.entry.name,
                "path": crate::facts::absolute(&self.entry.path),
                "bytes": self.entry.len_bytes,
                "complete": false,
                "result": "unreadable",
                "unreadable": reason,
            }),
        }
    }

    fn columns(&self, now: SystemTime) -> [String; 6] {
        let moment = words::moment(self.time(), now);
        let id = self.entry.id.clone();
        match &self.facts {
            Ok(facts) => [
                id,
                facts.result(),
                moment,
                render::count(facts.events()),
                words::duration(facts.duration()),
                words::size(self.entry.len_bytes),
            ],
            Err(reason) => [
                id,
                format!("unreadable: {reason}"),
                moment,
                String::new(),
                String::new(),
                words::size(self.entry.len_bytes),
            ],
        }
    }
}

fn table(rows: &[Row]) -> String {
    const HEADINGS: [&str; 6] = [
        "RECORDING",
        "RESULT",
        "STARTED",
        "EVENTS",
        "DURATION",
        "SIZE",
    ];
    const RIGHT_ALIGNED_FROM: usize = 3;
    let now = SystemTime::now();
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| row.columns(now)));
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count().min(60));
        }
    }
    let mut table = String::new();
    for line in &lines {
        let mut text = String::new();
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            let padded = if column < RIGHT_ALIGNED_FROM {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            };
            text.push_str(&padded);
            text.push_str("  ");
        }
        table.push_str(text.trim_end());
        table.push('\n');
    }
    table
}
