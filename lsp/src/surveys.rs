//! What recorded sources tell of their lines: found out once, and kept.
//!
//! A survey goes through a whole recording, which can take seconds. It runs on a thread of its own, so
//! that a request that is cancelled, as editors do with each keystroke, does not begin it anew; it stops
//! when nobody has waited for it for a while.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use retrostep_replay::code::SourceCode;
use retrostep_replay::hints::Hint;
use retrostep_replay::survey::Survey;
use retrostep_trace::{CancellationToken, Position, Recording, SourceId, ThreadId};

use crate::error::{RequestError, Result};
use crate::progress::Progress;
use crate::recordings::FileKey;
use crate::server::guarded;

/// How many surveys are kept.
const MOST_SURVEYS: usize = 24;
/// How many structures of recorded sources are kept.
const MOST_CODES: usize = 24;
/// Of how many moments the hints are kept.
const MOST_MOMENTS: usize = 4;
/// A survey that nobody waits for stops after this.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often those who wait look whether they are still wanted.
const PAUSE: Duration = Duration::from_millis(10);
/// A recording that grows is surveyed again when so many times the last survey's duration has passed.
const SPARING: u32 = 5;

/// Hints by line and greatest length.
pub(crate) type Hints = Arc<Mutex<HashMap<(u32, usize), Option<Arc<Hint>>>>>;

/// A source of one state of a recording's file.
type Key = (FileKey, SourceId);

/// What happened in a source.
#[derive(Debug)]
pub(crate) struct Surveyed {
    /// The source.
    pub(crate) code: Arc<SourceCode>,
    /// What happened in it.
    pub(crate) survey: Survey,
    /// The hints that were asked for.
    pub(crate) hints: Hints,
    started_unix_ns: u64,
    taken: Instant,
    took: Duration,
}

/// The surveys, shared by all threads that answer requests.
#[derive(Debug, Default)]
pub(crate) struct Surveys(Mutex<Store>);

#[derive(Debug, Default)]
struct Store {
    /// Those asked for last are at the end, in this and the others.
    surveys: Vec<(Key, Arc<Slot>)>,
    codes: Vec<(Key, Arc<SourceCode>)>,
    moments: Vec<((Key, Position, ThreadId), Hints)>,
}

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    changed: Condvar,
    waiting: AtomicUsize,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    New,
    /// It runs, and has come to this position; somebody last waited for it then.
    Running(Position, Instant),
    Done(Arc<Surveyed>),
    Failed(String),
}

impl Surveys {
    /// The structure of a recorded source.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(crate) fn code(
        &self,
        key: &FileKey,
        recording: &Recording,
        source: SourceId,
    ) -> Result<Arc<SourceCode>> {
        let key = (key.clone(), source);
        if let Some(code) = take(&mut lock(&self.0).codes, &key, MOST_CODES, || None) {
            return Ok(code);
        }
        let code = Arc::new(SourceCode::read(recording, source)?);
        put(&mut lock(&self.0).codes, key, code.clone(), MOST_CODES);
        Ok(code)
    }

    /// The hints of a moment that were asked for so far.
    pub(crate) fn hints(
        &self,
        key: &FileKey,
        source: SourceId,
        position: Position,
        thread: ThreadId,
    ) -> Hints {
        let key = ((key.clone(), source), position, thread);
        let mut store = lock(&self.0);
        let new = || Some(Hints::default());
        take(&mut store.moments, &key, MOST_MOMENTS, new).unwrap_or_default()
    }

    /// What happened in a source; waits until it is found out.
    ///
    /// Of a recording that grows it may be what had happened a little earlier.
    ///
    /// # Errors
    ///
    /// Cancelled, or the recording cannot be read.
    pub(crate) fn survey(
        &self,
        file: &FileKey,
        recording: &Arc<Recording>,
        source: SourceId,
        cancel: &CancellationToken,
        progress: &Progress,
    ) -> Result<Arc<Surveyed>> {
        let key = (file.clone(), source);
        let slot = {
            let mut store = lock(&self.0);
            if let Some(earlier) = store.sparing(&key, recording) {
                return Ok(earlier);
            }
            let new = || Some(Arc::default());
            take(&mut store.surveys, &key, MOST_SURVEYS, new).unwrap_or_default()
        };
        slot.waiting.fetch_add(1, Ordering::SeqCst);
        let found = self.wait(&slot, &key, recording, cancel, progress);
        slot.waiting.fetch_sub(1, Ordering::SeqCst);
        if let State::Running(_, wanted) = &mut *lock(&slot.state) {
            *wanted = Instant::now();
        }
        found
    }

    fn wait(
        &self,
        slot: &Arc<Slot>,
        key: &Key,
        recording: &Arc<Recording>,
        cancel: &CancellationToken,
        progress: &Progress,
    ) -> Result<Arc<Surveyed>> {
        let mut state = lock(&slot.state);
        loop {
            match &*state {
                State::New => {
                    *state = State::Running(Position::START, Instant::now());
                    drop(state);
                    let started = self.start(slot, key, recording);
                    state = lock(&slot.state);
                    if let Err(error) = started {
                        *state = State::Failed(error.to_string());
                    }
                    continue;
                }
                State::Running(reached, _) => {
                    let of = |position: Position| usize::try_from(position.0).unwrap_or(usize::MAX);
                    progress.report(of(*reached), of(recording.end()));
                }
                State::Done(done) => return Ok(done.clone()),
                State::Failed(error) => {
                    let error = error.clone();
                    // Whoever asks next tries again.
                    lock(&self.0).surveys.retain(|(known, _)| known != key);
                    return Err(RequestError::failed(error));
                }
            }
            cancel.check()?;
            let waited = slot.changed.wait_timeout(state, PAUSE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn start(&self, slot: &Arc<Slot>, key: &Key, recording: &Arc<Recording>) -> Result<()> {
        let code = self.code(&key.0, recording, key.1);
        let (slot, recording) = (slot.clone(), recording.clone());
        let run = move || {
            let ended = guarded(|| code.and_then(|code| run(&slot, &recording, code)));
            *lock(&slot.state) = match ended {
                Ok(surveyed) => State::Done(Arc::new(surveyed)),
                Err(error) => State::Failed(error.to_string()),
            };
            slot.changed.notify_all();
        };
        let spawned = std::thread::Builder::new()
            .name("survey".to_owned())
            .spawn(run);
        match spawned {
            Ok(_) => Ok(()),
            Err(error) => Err(RequestError::failed(format!("start a thread: {error}"))),
        }
    }

    /// Forgets what is known of files that are not, or not any more, what these say.
    pub(crate) fn retain(&self, is_known: impl Fn(&FileKey) -> bool) {
        let mut store = lock(&self.0);
        store.codes.retain(|((file, _), _)| is_known(file));
        store.moments.retain(|(((file, _), ..), _)| is_known(file));
        // Surveys of a recording that grows may be used for a while.
    }
}

impl Store {
    /// An earlier survey of a recording that has grown since, if it took too long to take another.
    fn sparing(&self, key: &Key, recording: &Recording) -> Option<Arc<Surveyed>> {
        if recording.summary().is_some() {
            return None;
        }
        let started = recording.header().start_unix_ns;
        let earlier = self.surveys.iter().rev().find_map(|(known, slot)| {
            let is_earlier = known.0.path == key.0.path && known.1 == key.1 && known != key;
            match &*slot.state.try_lock().ok().filter(|_| is_earlier)? {
                State::Done(done) => Some(done.clone()),
                _ => None,
            }
        })?;
        let is_young = earlier.taken.elapsed() < earlier.took * SPARING;
        (is_young && earlier.started_unix_ns == started).then_some(earlier)
    }
}

fn run(slot: &Slot, recording: &Recording, code: Arc<SourceCode>) -> Result<Surveyed> {
    let begun = Instant::now();
    let cancel = CancellationToken::new();
    let mut reached = |position| {
        if let State::Running(reached, wanted) = &mut *lock(&slot.state) {
            *reached = position;
            if slot.waiting.load(Ordering::SeqCst) == 0 && wanted.elapsed() > PATIENCE {
                cancel.cancel();
            }
        }
    };
    let all = Position::START..recording.end();
    let survey = Survey::take(recording, &code, all, &mut reached, &cancel)?;
    Ok(Surveyed {
        code,
        survey,
        hints: Hints::default(),
        started_unix_ns: recording.header().start_unix_ns,
        taken: Instant::now(),
        took: begun.elapsed(),
    })
}

/// What is known by a key, else what `new` makes; it becomes the one asked for last.
fn take<K: Clone + PartialEq, T: Clone>(
    known: &mut Vec<(K, T)>,
    key: &K,
    most: usize,
    new: impl FnOnce() -> Option<T>,
) -> Option<T> {
    let found = match known.iter().position(|(other, _)| other == key) {
        Some(at) => known.remove(at).1,
        None => new()?,
    };
    put(known, key.clone(), found.clone(), most);
    Some(found)
}

/// Keeps something, and forgets what was asked for longest ago if that makes too many.
fn put<K, T>(known: &mut Vec<(K, T)>, key: K, value: T, most: usize) {
    known.push((key, value));
    if known.len() > most {
        known.remove(0);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
