//! The extension and the Python package that travel inside this library, and unpacking them.
//!
//! They are unpacked once into the user's cache folder, under a name made from their contents, and
//! compared byte by byte before each use: a cut or changed file is written again.

use std::ffi::CString;
use std::fs;
use std::io::{self, Write as _};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use retrostep_record_python_wire::EXTENSION_NAME;
use tempfile::TempDir;

use crate::{Error, Result};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

const PACKAGE_FOLDER: &str = "package";

/// Where the recorder's files are.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// The library to preload.
    pub(crate) extension: PathBuf,
    /// The folder to put on `sys.path`.
    pub(crate) package_folder: PathBuf,
    /// Removed with this value, when the cache could not be used.
    _temporary: Option<TempDir>,
}

/// Unpacks the recorder where `preload` and `exec` work, unless it is there already.
pub(crate) fn unpack(cache: Option<&Path>) -> Result<Unpacked> {
    if let Some(cache) = cache {
        let folder = cache.join("retrostep").join(CONTENTS_NAME);
        if can_be_preloaded_from(&folder) && fill(&folder).is_ok() && allows_execution(&folder) {
            return Ok(unpacked_in(&folder, None));
        }
    }
    let temporary = tempfile::Builder::new()
        .prefix("retrostep-")
        .tempdir()
        .map_err(|source| Error::Unpack {
            path: std::env::temp_dir(),
            source,
        })?;
    let folder = temporary.path().to_owned();
    fill(&folder).map_err(|source| Error::Unpack {
        path: folder.clone(),
        source,
    })?;
    if !can_be_preloaded_from(&folder) || !allows_execution(&folder) {
        return Err(Error::Unpack {
            path: folder,
            source: io::Error::other(
                "libraries cannot be loaded from there; set TMPDIR to a folder without spaces or colons that allows it",
            ),
        });
    }
    Ok(unpacked_in(&folder, Some(temporary)))
}

/// The user's cache folder, if the environment names one.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
}

fn unpacked_in(folder: &Path, temporary: Option<TempDir>) -> Unpacked {
    Unpacked {
        extension: folder.join(EXTENSION_NAME),
        package_folder: folder.join(PACKAGE_FOLDER),
        _temporary: temporary,
    }
}

fn fill(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    for (name, contents) in PACKAGE {
        let path = folder.join(PACKAGE_FOLDER).join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        put(&path, contents)?;
    }
    put(&folder.join(EXTENSION_NAME), EXTENSION)
}

/// Makes `path` hold `contents`, in one step for whoever reads it meanwhile.
fn put(path: &Path, contents: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|found| found == contents) {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    file.write_all(contents)?;
    file.persist(path)?;
    Ok(())
}

/// The dynamic linker splits its list at spaces and colons, and takes no escapes.
fn can_be_preloaded_from(folder: &Path) -> bool {
    let bytes = folder.as_os_str().as_bytes();
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(|byte| matches!(byte, b' ' | b':'))
}

fn allows_execution(folder: &Path) -> bool {
    let Ok(path) = CString::new(folder.as_os_str().as_bytes()) else {
        return false;
    };
    let mut facts = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `path` ends in NUL and `facts` has room for the answer; all zero is a valid value.
    let facts = unsafe {
        if libc::statvfs(path.as_ptr(), facts.as_mut_ptr()) != 0 {
            return false;
        }
        facts.assume_init()
    };
    facts.f_flag & libc::ST_NOEXEC == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_copy_is_written_again() {
        let cache = TempDir::new().unwrap();
        let first = unpack(Some(cache.path())).unwrap();
        assert!(first.extension.starts_with(cache.path()));
        assert_eq!(&EXTENSION[..4], b"\x7fELF");
        fs::write(&first.extension, b"cut").unwrap();
        fs::remove_dir_all(&first.package_folder).unwrap();
        let second = unpack(Some(cache.path())).unwrap();
        assert_eq!(second.extension, first.extension);
        assert_eq!(fs::read(&second.extension).unwrap(), EXTENSION);
        assert!(
            second
                .package_folder
                .join("retrostep/__init__.py")
                .is_file()
        );
    }

    #[test]
    fn a_cache_that_cannot_be_preloaded_from_is_not_used() {
        let cache = TempDir::with_prefix("with space ").unwrap();
        let unpacked = unpack(Some(cache.path())).unwrap();
        assert!(!unpacked.extension.starts_with(cache.path()));
        assert!(unpacked.extension.is_file());
        let folder = unpacked.extension.parent().unwrap().to_owned();
        drop(unpacked);
        assert!(!folder.exists());
    }
}
