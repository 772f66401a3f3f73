//! Whether a recording without an end is still being written.
//!
//! Only the system knows: a program may run for hours without an event. Where it cannot be asked, or
//! the writer belongs to somebody else, the recording counts as cut off.

use std::path::Path;

/// Whether a process of this machine has the file open for writing.
#[cfg(target_os = "linux")]
#[must_use]
pub fn is_being_written(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(file) = std::fs::metadata(path) else {
        return false;
    };
    let is_it = |other: std::fs::Metadata| other.dev() == file.dev() && other.ino() == file.ino();
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return false;
    };
    processes.flatten().any(|process| {
        let process = process.path();
        let Ok(descriptors) = std::fs::read_dir(process.join("fd")) else {
            return false;
        };
        descriptors.flatten().any(|descriptor| {
            std::fs::metadata(descriptor.path()).is_ok_and(is_it)
                && writes(&process.join("fdinfo").join(descriptor.file_name()))
        })
    })
}

/// Whether a descriptor is open for writing, by what the system tells of it.
#[cfg(target_os = "linux")]
fn writes(facts: &Path) -> bool {
    const ACCESS: u32 = 0o3;
    let facts = std::fs::read_to_string(facts).unwrap_or_default();
    let flags = facts.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & ACCESS != 0)
}

/// Whether a process of this machine has the file open for writing.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn is_being_written(_path: &Path) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_being_written_while_it_is_open_for_writing() {
        let writer = tempfile::NamedTempFile::new().unwrap();
        assert!(is_being_written(writer.path()));
        let (closed, path) = writer.into_parts();
        drop(closed);
        let reader = std::fs::File::open(&path).unwrap();
        assert!(!is_being_written(&path));
        drop(reader);
        assert!(!is_being_written(Path::new("/there/is/no/such")));
    }
}
