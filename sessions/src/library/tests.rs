use super::*;

fn library() -> (tempfile::TempDir, Library) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join(".git")).unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    let library = Library::find(&folder.path().join("a/b"));
    (folder, library)
}

/// Puts a recording there that was written `age` seconds before the others.
fn put(library: &Library, id: &str, age: u64) -> PathBuf {
    library.create().unwrap();
    let path = library.recordings_folder().join(format!("{id}.retro"));
    let file = File::create(&path).unwrap();
    let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 - age);
    file.set_modified(time).unwrap();
    path
}

#[test]
fn the_library_stands_at_the_root_of_the_repository_and_git_ignores_it() {
    let (folder, library) = library();
    assert_eq!(library.folder(), folder.path().join(".retrostep"));
    assert_eq!(library.recordings().unwrap(), []);
    assert!(!library.folder().exists(), "looking creates nothing");
    assert!(library.create().unwrap());
    assert!(!library.create().unwrap());
    let ignore = fs::read_to_string(library.folder().join(".gitignore")).unwrap();
    assert_eq!(ignore, "*\n");
}

#[test]
fn two_recordings_of_one_second_get_two_files() {
    let (_folder, library) = library();
    let first = library.reserve("pytest tests/a.py").unwrap();
    let second = library.reserve("pytest tests/a.py").unwrap();
    assert_ne!(first, second);
    for path in [first, second] {
        assert_eq!(Entry::of(&path).unwrap().name, "pytest-tests-a.py");
    }
    assert!(library.reserve("  ").is_err());
    assert!(library.reserve("last").is_err());
}

#[test]
fn a_name_finds_the_newest_recording_it_fits() {
    let (folder, library) = library();
    let old = put(&library, "orders-20260101-101010", 20);
    let new = put(&library, "orders-20260102-101010", 10);
    let other = put(&library, "orbit-20251231-101010", 30);
    fs::write(library.recordings_folder().join("notes.txt"), "").unwrap();
    let ids: Vec<String> = library
        .recordings()
        .unwrap()
        .into_iter()
        .map(|e| e.id)
        .collect();
    assert_eq!(
        ids,
        [
            "orders-20260102-101010",
            "orders-20260101-101010",
            "orbit-20251231-101010"
        ]
    );
    let check = |name: &str, path: &Path| assert_eq!(library.resolve(name).unwrap(), path);
    check("last", &new);
    check("orders", &new);
    check("ord", &new);
    check("orders-20260101", &old);
    check("orders-20260101-101010.retro", &old);
    check("orb", &other);
    check(&old.to_string_lossy(), &old);
    let error = |name: &str| library.resolve(name).unwrap_err().to_string();
    assert!(error("or").starts_with("several recordings begin with \"or\": orders-20260102"));
    assert!(error("none").starts_with("there is no recording \"none\" in "));
    assert!(error("").starts_with("there is no recording \"\" in "));
    let empty = Library::find(&folder.path().join("a"));
    fs::remove_dir_all(empty.folder()).unwrap();
    assert!(error("last").starts_with("there is no recording in "));
}

#[test]
fn renaming_keeps_the_time_and_replaces_nothing() {
    let (_folder, library) = library();
    put(&library, "taken-20260101-101010", 5);
    let path = put(&library, "orders-20260101-101010", 0);
    let entry = Entry::of(&path).unwrap();
    assert!(matches!(entry.rename("taken"), Err(Error::Exists { .. })));
    assert!(matches!(entry.rename("../up"), Err(Error::BadName { .. })));
    let renamed = entry.rename("the bug.retro").unwrap();
    assert_eq!(
        renamed.file_name().unwrap(),
        "the-bug-20260101-101010.retro"
    );
    assert!(!path.exists());
    Entry::of(&renamed).unwrap().delete().unwrap();
    assert!(!renamed.exists());
}

#[test]
fn names_without_a_time_are_whole_names() {
    for (id, name) in [
        ("a-20260101-101010", "a"),
        ("a-b-20260101-101010", "a-b"),
        ("a-20260101-101010-2", "a"),
        ("a-2", "a-2"),
        ("-20260101-101010", "-20260101-101010"),
        ("a-2026010x-101010", "a-2026010x-101010"),
        ("übersicht", "übersicht"),
        ("", ""),
    ] {
        assert_eq!(without_stamp(id), name);
    }
}
