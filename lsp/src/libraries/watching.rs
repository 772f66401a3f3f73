//! Noticing that a library changed.
//!
//! A thread of its own listens to the file system and compares what it finds with what it last told. It
//! looks also by itself, now and then, for file systems that tell nothing, and often while a replay is
//! open, whose process may end without a word.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use retrostep_sessions::Library;

use super::LibraryState;
use crate::server::Event;

/// How often a library is looked at without a reason.
const LOOK: Duration = Duration::from_secs(1);
/// How often the process of an open replay is looked for.
const PULSE: Duration = Duration::from_millis(25);
/// How long changes are gathered before they are told.
const GATHER: Duration = Duration::from_millis(5);
/// The shortest time between two tellings of recordings that have only grown.
const GROWTH: Duration = Duration::from_millis(100);

/// What happened to a library.
#[derive(Clone, Debug)]
pub(crate) struct LibraryChange {
    pub(crate) state: Arc<LibraryState>,
    /// A recording came, grew, or went.
    pub(crate) recordings: bool,
    /// The replay stands elsewhere, or was opened or closed.
    pub(crate) position: bool,
}

#[derive(Debug)]
enum Notice {
    /// These libraries are to be watched, and were last seen so.
    Watch(Vec<Arc<LibraryState>>),
    /// Something happened to these files.
    Files(Vec<PathBuf>),
    /// The file system has more to tell than it can.
    Overflow,
    /// Nobody wants to know any more.
    End,
}

/// The way to the thread that watches; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watcher(Sender<Notice>);

impl Watcher {
    /// Starts the thread; it tells `events`.
    pub(crate) fn start(events: Sender<Event>) -> anyhow::Result<Watcher> {
        let (notices, queue) = channel();
        // The file system must not keep the thread alive: what it tells has a channel of its own.
        let (files, told) = channel();
        let told_of = move |event: notify::Result<notify::Event>| {
            let notice = match event {
                Ok(event) if event.need_rescan() => Notice::Overflow,
                Ok(event) if event.kind.is_access() => return,
                Ok(event) => Notice::Files(event.paths),
                Err(error) => {
                    tracing::debug!(%error, "the file system cannot tell");
                    Notice::Overflow
                }
            };
            let _ = files.send(notice);
        };
        let system = match notify::recommended_watcher(told_of) {
            Ok(system) => Some(system),
            Err(error) => {
                tracing::warn!(%error, "files are looked at instead of watched");
                None
            }
        };
        let forward = notices.clone();
        std::thread::Builder::new()
            .name("file system".to_owned())
            .spawn(move || {
                // Ends with the watcher that sends.
                while let Ok(notice) = told.recv() {
                    if forward.send(notice).is_err() {
                        return;
                    }
                }
            })
            .context("start the thread that hears of files")?;
        let watching = Watching {
            events,
            system,
            watched: HashSet::new(),
            libraries: HashMap::new(),
            ended: false,
        };
        std::thread::Builder::new()
            .name("libraries".to_owned())
            .spawn(move || watching.run(&queue))
            .context("start the thread that watches the libraries")?;
        Ok(Watcher(notices))
    }

    /// Watches these libraries, and no others.
    pub(crate) fn watch(&self, libraries: Vec<Arc<LibraryState>>) {
        let _ = self.0.send(Notice::Watch(libraries));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.send(Notice::End);
    }
}

struct Watched {
    told: Arc<LibraryState>,
    told_at: Instant,
    looked_at: Instant,
    /// What grew a moment ago is not told yet.
    untold: bool,
}

struct Watching {
    events: Sender<Event>,
    system: Option<RecommendedWatcher>,
    /// The folders that the file system tells of.
    watched: HashSet<PathBuf>,
    libraries: HashMap<PathBuf, Watched>,
    /// Nobody listens any more.
    ended: bool,
}

impl Watching {
    fn run(mut self, queue: &Receiver<Notice>) {
        while !self.ended {
            let mut touched = HashSet::new();
            match queue.recv_timeout(self.patience()) {
                Ok(notice) => {
                    self.take(notice, &mut touched);
                    let deadline = Instant::now() + GATHER;
                    while let Ok(notice) =
                        queue.recv_timeout(deadline.saturating_duration_since(Instant::now()))
                    {
                        self.take(notice, &mut touched);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // Listening comes first: what happens after it is heard, what happened before is seen. What
            // is made while it begins may have to be listened to as well.
            while self.listen() {}
            let folders: Vec<PathBuf> = self.libraries.keys().cloned().collect();
            for folder in folders {
                self.look(&folder, touched.contains(&folder));
            }
        }
    }

    fn patience(&self) -> Duration {
        let mut libraries = self.libraries.values();
        if libraries
            .clone()
            .any(|library| library.told.position.is_some())
        {
            PULSE
        } else if libraries.any(|library| library.untold) {
            GROWTH
        } else {
            LOOK
        }
    }

    fn take(&mut self, notice: Notice, touched: &mut HashSet<PathBuf>) {
        match notice {
            Notice::Watch(states) => {
                let mut libraries = HashMap::new();
                for state in states {
                    let folder = state.folder().to_owned();
                    let known = self.libraries.remove(&folder);
                    touched.insert(folder.clone());
                    let now = Instant::now();
                    let watched = known.unwrap_or(Watched {
                        told: state,
                        told_at: now,
                        looked_at: now,
                        untold: false,
                    });
                    libraries.insert(folder, watched);
                }
                self.libraries = libraries;
            }
            Notice::Files(paths) => {
                for path in &paths {
                    // A folder that was deleted and made again is to be listened to again.
                    self.watched.remove(path);
                }
                for folder in self.libraries.keys() {
                    let concerns =
                        |path: &PathBuf| path.starts_with(folder) || folder.starts_with(path);
                    if paths.iter().any(concerns) {
                        touched.insert(folder.clone());
                    }
                }
            }
            Notice::End => self.ended = true,
            Notice::Overflow => touched.extend(self.libraries.keys().cloned()),
        }
    }

    /// Looks at a library if it is time to, and tells what changed.
    fn look(&mut self, folder: &Path, touched: bool) {
        let Some(watched) = self.libraries.get_mut(folder) else {
            return;
        };
        let is_gone = || {
            let position = watched.told.position.as_ref();
            position.is_some() && watched.told.library.position().is_none()
        };
        let due = match watched.untold {
            true => watched.told_at.elapsed() >= GROWTH,
            false => watched.looked_at.elapsed() >= LOOK,
        };
        if !touched && !due && !is_gone() {
            return;
        }
        let state = LibraryState::read(&watched.told.library);
        let now = Instant::now();
        watched.looked_at = now;
        let position = state.position != watched.told.position;
        let recordings = state.entries != watched.told.entries;
        let only_grew = recordings && paths(&state) == paths(&watched.told);
        watched.untold = only_grew && !position && watched.told_at.elapsed() < GROWTH;
        if watched.untold || !position && !recordings {
            return;
        }
        watched.told_at = now;
        watched.told = Arc::new(state);
        let change = LibraryChange {
            state: watched.told.clone(),
            recordings,
            position,
        };
        self.ended = self.events.send(Event::Library(change)).is_err();
    }

    /// Listens to the folders in which something can happen to a library: its own, that of the
    /// recordings, and of what does not exist yet the nearest one that does. Returns whether one came to
    /// those it listened to.
    fn listen(&mut self) -> bool {
        let Some(system) = &mut self.system else {
            return false;
        };
        let mut wanted = HashSet::new();
        for watched in self.libraries.values() {
            let library: &Library = &watched.told.library;
            let recordings = library.recordings_folder();
            for folder in [recordings.as_path(), library.folder()] {
                let nearest = folder.ancestors().find(|folder| folder.is_dir());
                wanted.extend(nearest.map(Path::to_owned));
            }
            // Where the library's folder itself is made and deleted.
            wanted.extend(
                library
                    .folder()
                    .parent()
                    .filter(|it| it.is_dir())
                    .map(Path::to_owned),
            );
        }
        for folder in self.watched.difference(&wanted) {
            // A folder that was deleted is not watched any more.
            let _ = system.unwatch(folder);
        }
        let mut listens_to_more = false;
        for folder in wanted.difference(&self.watched) {
            listens_to_more = true;
            if let Err(error) = system.watch(folder, RecursiveMode::NonRecursive) {
                tracing::debug!(%error, folder = %folder.display(), "a folder cannot be watched");
            }
        }
        self.watched = wanted;
        listens_to_more
    }
}

fn paths(state: &LibraryState) -> HashSet<&Path> {
    (state.entries.iter())
        .map(|entry| entry.path.as_path())
        .collect()
}
