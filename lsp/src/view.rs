//! What a document is shown with: a recording, the source in it, and the moment if a replay is open.

use std::sync::Arc;

use retrostep_replay::code::SourceCode;
use retrostep_replay::hints::{Hint, Moment, overall};
use retrostep_replay::hover::Which;
use retrostep_trace::{CancellationToken, Position, Recording, SourceId, ThreadId};

use crate::context::{DocumentContext, Mapped};
use crate::error::Result;
use crate::recordings::{FileKey, RecordingFacts};
use crate::surveys::{Hints, Surveyed};

/// A document beside what was recorded of it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) facts: Arc<RecordingFacts>,
    pub(crate) recording: Arc<Recording>,
    pub(crate) key: FileKey,
    pub(crate) source: SourceId,
    pub(crate) code: Arc<SourceCode>,
    /// Which line of the document is which recorded one.
    pub(crate) mapped: Mapped,
    /// Where the replay stands, if one of this recording is open.
    pub(crate) moment: Option<(Position, ThreadId)>,
}

impl DocumentContext {
    /// What the document is shown with: the replay that is open if it ran there, else the chosen or the
    /// newest recording; `None` if it ran in none.
    ///
    /// # Errors
    ///
    /// Cancelled, or the recording cannot be read.
    pub(crate) fn view(&self) -> Result<Option<View>> {
        let (facts, recording, source, moment) = match self.replayed()? {
            Some((replay, source)) => {
                let moment = (replay.position, replay.thread);
                (replay.facts, replay.recording, source, Some(moment))
            }
            None => {
                let Some(covering) = self.shown()? else {
                    return Ok(None);
                };
                let recording = self.workspace.open(&covering.facts)?;
                (covering.facts, recording, covering.source, None)
            }
        };
        let Some(mapped) = self.mapped(&recording, source)? else {
            return Ok(None);
        };
        let key = FileKey::from(&facts.entry);
        let code = self.workspace.surveys.code(&key, &recording, source)?;
        Ok(Some(View {
            facts,
            recording,
            key,
            source,
            code,
            mapped,
            moment,
        }))
    }
}

impl View {
    /// What happened in the source over the whole recording; waits until it is found out.
    ///
    /// # Errors
    ///
    /// As [`crate::surveys::Surveys::survey`].
    pub(crate) fn survey(&self, ctx: &DocumentContext) -> Result<Arc<Surveyed>> {
        let workspace = &ctx.workspace;
        workspace.surveys.survey(
            &self.key,
            &self.recording,
            self.source,
            &workspace.cancel,
            &workspace.progress,
        )
    }

    /// The moment that is looked at, and which executions of lines: in a replay those that it shows, else the
    /// newest of the recording.
    ///
    /// # Errors
    ///
    /// Cancelled, or the recording cannot be read.
    pub(crate) fn looked_at<'a>(
        &'a self,
        cancel: &'a CancellationToken,
    ) -> Result<(Moment<'a>, Which)> {
        let end = self.recording.end();
        let ((position, thread), which) = match self.moment {
            Some(moment) => (moment, Which::Shown),
            None => ((end, self.recording.thread_at(end)?), Which::Newest),
        };
        let moment = Moment::new(&self.recording, &self.code, position, thread, cancel)?;
        Ok((moment, which))
    }

    /// The hints of recorded lines, in the order asked.
    ///
    /// # Errors
    ///
    /// Cancelled, or the recording cannot be read.
    pub(crate) fn hints(
        &self,
        ctx: &DocumentContext,
        lines: &[u32],
    ) -> Result<Vec<Option<Arc<Hint>>>> {
        let max_len = ctx.workspace.settings.max_length;
        let cancel = &ctx.workspace.cancel;
        match self.moment {
            Some((position, thread)) => {
                let surveys = &ctx.workspace.surveys;
                let known = surveys.hints(&self.key, self.source, position, thread);
                let mut moment = None;
                remembered(&known, lines, max_len, |line| {
                    cancel.check()?;
                    let moment = match &mut moment {
                        Some(moment) => moment,
                        empty => empty.insert(Moment::new(
                            &self.recording,
                            &self.code,
                            position,
                            thread,
                            cancel,
                        )?),
                    };
                    Ok(moment.hint(line, max_len)?)
                })
            }
            None => {
                let surveyed = self.survey(ctx)?;
                remembered(&surveyed.hints, lines, max_len, |line| {
                    cancel.check()?;
                    let (recording, code) = (&self.recording, &surveyed.code);
                    Ok(overall(recording, code, &surveyed.survey, line, max_len)?)
                })
            }
        }
    }
}

/// Looks up hints, and makes those that were not made before.
fn remembered(
    known: &Hints,
    lines: &[u32],
    max_len: usize,
    mut make: impl FnMut(u32) -> Result<Option<Hint>>,
) -> Result<Vec<Option<Arc<Hint>>>> {
    let lock = || {
        known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    let missing: Vec<u32> = {
        let known = lock();
        let is_missing = |line: &&u32| !known.contains_key(&(**line, max_len));
        lines.iter().filter(is_missing).copied().collect()
    };
    let mut made = Vec::new();
    for line in missing {
        made.push(((line, max_len), make(line)?.map(Arc::new)));
    }
    let mut known = lock();
    known.extend(made);
    let hint = |line: &u32| known.get(&(*line, max_len)).cloned().flatten();
    Ok(lines.iter().map(hint).collect())
}
