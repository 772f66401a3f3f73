//! Lines and functions by name: `FILE:LINE`, `LINE`, `FUNCTION`.

use retrostep_trace::{FunctionId, Recording, SourceId};

use super::{ConsoleError, Context, Result};

/// What a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// A line, 1-based, of a source, with the path it was recorded under.
    Line(SourceId, String, u32),
    /// A function, by name.
    Function(String),
}

/// Reads a location. A line without a file is one of the selected frame's.
pub(super) fn parse(ctx: &Context<'_>, text: &str) -> Result<Location> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ConsoleError::Input(
            "which line? FILE:LINE, LINE or FUNCTION".to_owned(),
        ));
    }
    if let Ok(line) = text.parse::<u32>() {
        let source = current_source(ctx)?
            .ok_or_else(|| ConsoleError::Input("no source here: use FILE:LINE".to_owned()))?;
        return line_of(ctx, source, line);
    }
    if let Some((file, line)) = text.rsplit_once(':') {
        let line: u32 = line
            .trim()
            .parse()
            .map_err(|_| ConsoleError::Input(format!("{line:?} is no line number")))?;
        let source = source_of(ctx, file.trim())?;
        return line_of(ctx, source, line);
    }
    let recording = ctx.timeline.recording();
    for id in 0..recording.function_count() {
        let function = recording.function(FunctionId(id))?;
        let qualified = &*function.qualified_name;
        if &*function.name == text || qualified == text || qualified.ends_with(&format!(".{text}"))
        {
            return Ok(Location::Function(text.to_owned()));
        }
    }
    Err(ConsoleError::Input(format!(
        "{text:?} is neither a line nor a function of the recording"
    )))
}

/// The source that the selected frame runs.
pub(super) fn current_source(ctx: &Context<'_>) -> Result<Option<SourceId>> {
    let recording = ctx.timeline.recording();
    let Some(frame) = ctx
        .frame
        .map(|frame| recording.frame(frame))
        .transpose()?
        .flatten()
    else {
        return Ok(None);
    };
    Ok(Some(recording.function(frame.function)?.source))
}

fn source_of(ctx: &Context<'_>, file: &str) -> Result<SourceId> {
    let found = ctx.timeline.sources_of_path(file)?;
    if let Some(source) = found.first() {
        return Ok(*source);
    }
    let mut known = Vec::new();
    let recording = ctx.timeline.recording();
    for id in 0..recording.source_count().min(20) {
        let source = recording.source(SourceId(id))?;
        known.push(short_path(recording, &source.path));
    }
    Err(ConsoleError::Input(format!(
        "{file} did not run in this recording; these did: {}",
        known.join(", ")
    )))
}

fn line_of(ctx: &Context<'_>, source: SourceId, line: u32) -> Result<Location> {
    let path = ctx.timeline.recording().source(source)?.path.to_string();
    Ok(Location::Line(source, path, line))
}

/// A path as seen from the folder the program was started in.
pub(super) fn short_path(recording: &Recording, path: &str) -> String {
    let folder = recording.header().working_directory.trim_end_matches('/');
    match path
        .strip_prefix(folder)
        .and_then(|rest| rest.strip_prefix('/'))
    {
        Some(rest) if !folder.is_empty() => rest.to_owned(),
        _ => path.to_owned(),
    }
}
