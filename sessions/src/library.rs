//! Finding a library, and the recordings in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Local};

use crate::{Error, Result};

/// How the name of a recording's file ends, without the dot.
pub const RECORDING_EXTENSION: &str = "retro";

const FOLDER: &str = ".retrostep";
const RECORDINGS: &str = "recordings";
const STAMP_LEN: usize = "-20261121-143200".len();

/// The recordings of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    folder: PathBuf,
    in_repository: bool,
}

/// One recording in a library, readable or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub path: PathBuf,
    /// The file's name without its ending: unique in the library.
    pub id: String,
    /// The name for people: the id without the time.
    pub name: String,
    /// When the file was last written.
    pub modified: SystemTime,
    /// The file's size.
    pub len_bytes: u64,
}

impl Library {
    /// The library of the repository that `folder` is in, else the user's. Nothing is created.
    #[must_use]
    pub fn find(folder: &Path) -> Library {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let repository = folder
            .ancestors()
            .find(|folder| folder.join(".git").exists());
        match repository {
            Some(root) => Library {
                folder: root.join(FOLDER),
                in_repository: true,
            },
            None => Library {
                folder: user_folder(),
                in_repository: false,
            },
        }
    }

    /// The library's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it stands in a repository, which ignores it, and not in the user's data folder.
    #[must_use]
    pub fn is_in_repository(&self) -> bool {
        self.in_repository
    }

    /// The folder of the recordings.
    #[must_use]
    pub fn recordings_folder(&self) -> PathBuf {
        self.folder.join(RECORDINGS)
    }

    /// Makes the library's folders, unless they are there. Returns whether the library is new.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn create(&self) -> Result<bool> {
        let recordings = self.recordings_folder();
        let new = !self.folder.exists();
        fs::create_dir_all(&recordings).map_err(failed("create", &recordings))?;
        let ignore = self.folder.join(".gitignore");
        if self.in_repository && !ignore.exists() {
            fs::write(&ignore, "*\n").map_err(failed("create", &ignore))?;
        }
        Ok(new)
    }

    /// Takes a file for a new recording of that name, which starts now.
    ///
    /// The file exists, empty, when this returns: no other recording gets the same one.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::BadName`].
    pub fn reserve(&self, name: &str) -> Result<PathBuf> {
        self.create()?;
        let name = file_name(name)?;
        let stamp = DateTime::<Local>::from(SystemTime::now()).format("%Y%m%d-%H%M%S");
        let folder = self.recordings_folder();
        let mut again = 1_u32;
        loop {
            let id = if again == 1 {
                format!("{name}-{stamp}")
            } else {
                format!("{name}-{stamp}-{again}")
            };
            let path = folder.join(format!("{id}.{RECORDING_EXTENSION}"));
            match File::options().write(true).create_new(true).open(&path) {
                Ok(_) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => again += 1,
                Err(source) => return Err(failed("create", &path)(source)),
            }
        }
    }

    /// All recordings, the ones last written first.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn recordings(&self) -> Result<Vec<Entry>> {
        let folder = self.recordings_folder();
        let listed = match fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed("list", &folder)(source)),
        };
        let mut entries = Vec::new();
        for file in listed {
            let path = file.map_err(failed("list", &folder))?.path();
            // What disappears while it is listed is not there.
            if is_recording(&path)
                && let Ok(entry) = Entry::of(&path)
            {
                entries.push(entry);
            }
        }
        entries.sort_by(|a, b| b.modified.cmp(&a.modified).then(b.id.cmp(&a.id)));
        Ok(entries)
    }

    /// The file that `name` means: a path, `last`, a recording's name, or how one begins.
    ///
    /// Of several recordings with the same name the newest is meant.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchRecording`], [`Error::Empty`], [`Error::Ambiguous`], [`Error::Io`].
    pub fn resolve(&self, name: &str) -> Result<PathBuf> {
        let path = Path::new(name);
        if path.is_file() {
            return Ok(path.to_owned());
        }
        let entries = self.recordings()?;
        if name == "last" {
            return match entries.into_iter().next() {
                Some(entry) => Ok(entry.path),
                None => Err(Error::Empty {
                    library: self.recordings_folder(),
                }),
            };
        }
        let wanted = name
            .strip_suffix(&format!(".{RECORDING_EXTENSION}"))
            .unwrap_or(name);
        let exact = entries
            .iter()
            .find(|entry| entry.id == wanted)
            .or_else(|| entries.iter().find(|entry| entry.name == wanted));
        if let Some(entry) = exact {
            return Ok(entry.path.clone());
        }
        let begin_alike: Vec<&Entry> = entries
            .iter()
            .filter(|entry| !wanted.is_empty() && entry.id.starts_with(wanted))
            .collect();
        match begin_alike.as_slice() {
            [] => Err(Error::NoSuchRecording {
                name: name.to_owned(),
                library: self.recordings_folder(),
            }),
            [entry] => Ok(entry.path.clone()),
            [first, others @ ..] if others.iter().all(|other| other.name == first.name) => {
                Ok(first.path.clone())
            }
            several => Err(Error::Ambiguous {
                name: name.to_owned(),
                candidates: several.iter().map(|entry| entry.id.clone()).collect(),
            }),
        }
    }
}

impl Entry {
    /// The facts of a recording's file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn of(path: &Path) -> Result<Entry> {
        let facts = path.metadata().map_err(failed("read", path))?;
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Entry {
            path: path.to_owned(),
            name: without_stamp(&id).to_owned(),
            id,
            modified: facts.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            len_bytes: facts.len(),
        })
    }

    /// Gives the recording another name; its time stays. Returns the new file.
    ///
    /// # Errors
    ///
    /// [`Error::BadName`], [`Error::Exists`], [`Error::Io`].
    pub fn rename(&self, name: &str) -> Result<PathBuf> {
        let stamp = self.id.strip_prefix(&self.name).unwrap_or_default();
        let name = name
            .strip_suffix(&format!(".{RECORDING_EXTENSION}"))
            .unwrap_or(name);
        if name.contains('/') {
            return Err(Error::BadName {
                name: name.to_owned(),
            });
        }
        let file = format!("{}{stamp}.{RECORDING_EXTENSION}", file_name(name)?);
        let path = self.path.with_file_name(file);
        // A link fails where a file is; a rename would replace it.
        match fs::hard_link(&self.path, &path) {
            Ok(()) => fs::remove_file(&self.path).map_err(failed("rename", &self.path))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::Exists { path });
            }
            // Not every file system has links.
            Err(_) => fs::rename(&self.path, &path).map_err(failed("rename", &self.path))?,
        }
        Ok(path)
    }

    /// Deletes the recording.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn delete(&self) -> Result<()> {
        fs::remove_file(&self.path).map_err(failed("delete", &self.path))
    }
}

fn is_recording(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == RECORDING_EXTENSION)
}

/// `name` in the letters that every file system and shell takes as they are.
fn file_name(name: &str) -> Result<String> {
    let mut file = String::new();
    for letter in name.trim().chars().take(80) {
        if letter.is_alphanumeric() || matches!(letter, '_' | '.' | '+' | '=' | '@') {
            file.push(letter);
        } else if !file.ends_with('-') {
            file.push('-');
        }
    }
    let file = file.trim_matches(['-', '.']);
    if file.is_empty() || file == "last" {
        return Err(Error::BadName {
            name: name.to_owned(),
        });
    }
    Ok(file.to_owned())
}

/// The part of an id before `-YYYYMMDD-HHMMSS`, or before that and the number of a second one.
fn without_stamp(id: &str) -> &str {
    let without_number = id
        .rsplit_once('-')
        .filter(|(_, number)| number.len() < 6 && number.bytes().all(|byte| byte.is_ascii_digit()))
        .map(|(rest, _)| rest);
    [Some(id), without_number]
        .into_iter()
        .flatten()
        .find_map(before_stamp)
        .unwrap_or(id)
}

fn before_stamp(id: &str) -> Option<&str> {
    let (name, stamp) = id.split_at_checked(id.len().checked_sub(STAMP_LEN)?)?;
    let is_stamp = stamp.bytes().enumerate().all(|(at, byte)| match at {
        0 | 9 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    (is_stamp && !name.is_empty()).then_some(name)
}

fn user_folder() -> PathBuf {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .unwrap_or_else(std::env::temp_dir)
        .join("retrostep")
}

/// Says which attempt failed.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests;
