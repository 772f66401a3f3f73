//! Where the variable that is pointed at was written and read, in the call that is shown.

use ls_types::{DocumentHighlightKind, Location, Position, Range};
use retrostep_replay::Snapshot;
use retrostep_replay::hover::Run;
use retrostep_replay::uses::references;
use retrostep_trace::SourceId;

use crate::context::DocumentContext;
use crate::error::Result;
use crate::pointed::Pointed;
use crate::view::View;
use crate::{to_proto, words};

/// A use of a variable by a line that ran.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Used {
    pub(crate) location: Location,
    pub(crate) kind: DocumentHighlightKind,
    /// Whether it is in the document itself.
    pub(crate) is_here: bool,
}

/// The uses of the variable at a position, each once; none where there is no variable, or nothing ran.
pub(crate) fn uses_at(ctx: &DocumentContext, position: Position) -> Result<Vec<Used>> {
    let Some(pointed) = Pointed::at(ctx, position).filter(|pointed| pointed.is_name) else {
        return Ok(Vec::new());
    };
    let Some(view) = ctx.view()? else {
        return Ok(Vec::new());
    };
    let Some(line) = pointed.recorded_line(&view) else {
        return Ok(Vec::new());
    };
    let cancel = &ctx.workspace.cancel;
    let (moment, which) = view.looked_at(cancel)?;
    let Some(run) = Run::of(&moment, which, line)? else {
        return Ok(Vec::new());
    };
    let syntax = &view.code.syntax;
    let inside = match view.code.owner_of_line(line) {
        retrostep_replay::code::Owner::Definition(index) => syntax
            .definitions()
            .get(index)
            .map(|definition| definition.lines.clone()),
        _ => None,
    };
    let inside = inside.unwrap_or(1..=u32::MAX);
    let names = syntax.uses_of(&view.code.text, &pointed.text, inside);
    let reading: Vec<u32> = (names.iter())
        .filter(|it| !it.is_written)
        .map(|it| it.line)
        .collect();
    let snapshot = Snapshot::new(&view.recording, run.after);
    // A name that means nothing there has no uses.
    let found = match references(snapshot, run.call.frame, &pointed.text, &reading, cancel) {
        Ok(found) => found,
        Err(error @ retrostep_replay::ExpressionError::Recording(_)) => return Err(error.into()),
        Err(_) => return Ok(Vec::new()),
    };
    let mut used = Vec::new();
    for (uses, kind) in [
        (&found.writes, DocumentHighlightKind::WRITE),
        (&found.reads, DocumentHighlightKind::READ),
    ] {
        for line in uses {
            let is_write = kind == DocumentHighlightKind::WRITE;
            let alike = names.iter().filter(|name| {
                name.line == line.line && name.is_written == is_write && line.source == view.source
            });
            let columns: Vec<&retrostep_replay::syntax::NameUse> = alike.collect();
            add(
                ctx,
                &view,
                (line.source, line.line),
                &columns,
                kind,
                &mut used,
            )?;
        }
    }
    Ok(used)
}

/// Adds a line's uses of a name; the whole line where they cannot be told.
fn add(
    ctx: &DocumentContext,
    view: &View,
    (source, line): (SourceId, u32),
    names: &[&retrostep_replay::syntax::NameUse],
    kind: DocumentHighlightKind,
    used: &mut Vec<Used>,
) -> Result<()> {
    let recorded = view.recording.source(source)?;
    let Some(place) = words::location(&recorded.path, line) else {
        return Ok(());
    };
    if source != view.source {
        let range = words::current_range(&ctx.workspace, &view.recording, source, line)?;
        used.push(Used {
            location: Location::new(place.uri, range.unwrap_or(place.range)),
            kind,
            is_here: false,
        });
        return Ok(());
    }
    let Some(now) = view.mapped.lines.to_buffer(line) else {
        return Ok(());
    };
    let encoding = ctx.workspace.client.encoding;
    let text = &ctx.document.text;
    let whole = to_proto::line_range(text, now, encoding);
    let start = text.line_to_byte((now as usize - 1).min(text.len_lines()));
    let starts: Vec<usize> = std::iter::once(0)
        .chain(view.code.text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let before = starts.get(line as usize - 1).copied().unwrap_or(0);
    // A line that is what was recorded has its names where they were, but for its indentation.
    let indent = |text: &str| text.len() - text.trim_start().len();
    let recorded_indent = indent(view.code.line(line));
    let now_indent = whole.start.character as usize;
    let mut ranges: Vec<Range> = Vec::new();
    for name in names {
        let shift = |byte: usize| (start + byte + now_indent).checked_sub(before + recorded_indent);
        if let (Some(from), Some(to)) = (shift(name.range.start), shift(name.range.end)) {
            ranges.push(to_proto::range(text, from..to, encoding));
        }
    }
    if ranges.is_empty() {
        ranges.push(whole);
    }
    for range in ranges {
        used.push(Used {
            location: Location::new(ctx.document.uri.clone(), range),
            kind,
            is_here: true,
        });
    }
    Ok(())
}
