use proptest::prelude::*;

use super::*;
use ls_types::{Position, Range};

fn document(text: &str) -> Document {
    Document::new("file:///nowhere/a.py".parse().unwrap(), 1, text)
}

fn event(range: Option<Range>, text: &str) -> TextDocumentContentChangeEvent {
    TextDocumentContentChangeEvent {
        range,
        range_length: None,
        text: text.to_owned(),
    }
}

/// The byte of a position in a plain text, found by counting.
fn model_offset(text: &str, position: Position, encoding: Encoding) -> usize {
    let mut start = 0;
    for _ in 0..position.line {
        let rest = &text[start..];
        let Some(at) = rest.find(['\n', '\r']) else {
            return text.len();
        };
        start += at + if rest[at..].starts_with("\r\n") { 2 } else { 1 };
    }
    let rest = &text[start..];
    let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
    let mut units = 0;
    for (at, letter) in line.char_indices() {
        units += match encoding {
            Encoding::Utf8 => letter.len_utf8(),
            Encoding::Utf16 => letter.len_utf16(),
            Encoding::Utf32 => 1,
        };
        if units > position.character as usize {
            return start + at;
        }
    }
    start + line.len()
}

fn model_change(text: &mut String, range: Range, inserted: &str, encoding: Encoding) {
    let start = model_offset(text, range.start, encoding);
    let end = model_offset(text, range.end, encoding);
    text.replace_range(start.min(end)..start.max(end), inserted);
}

/// Text with what is hard about text: emoji, combining characters, every line ending.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("x = 1"),
        Just("\n"),
        Just("\r\n"),
        Just("\r"),
        Just("é"),
        Just("e\u{301}"),
        Just("😀"),
        Just("\u{2028}"),
        Just("\t"),
        Just("def f():"),
        Just("    "),
        Just("\"\"\""),
        Just("("),
        Just("👩‍👩‍👧"),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn position() -> impl Strategy<Value = Position> {
    (0_u32..8, 0_u32..14).prop_map(|(line, character)| Position::new(line, character))
}

proptest! {
    #[test]
    fn incremental_changes_do_what_they_do_to_a_plain_text(
        first in text(),
        changes in proptest::collection::vec((position(), position(), text()), 1..12),
        encoding in prop_oneof![
            Just(Encoding::Utf8), Just(Encoding::Utf16), Just(Encoding::Utf32)
        ],
        read_each in any::<bool>(),
    ) {
        let mut model = first.clone();
        let mut document = document(&first);
        for (start, end, inserted) in &changes {
            if read_each {
                document.parsed();
            }
            let range = Range::new(*start, *end);
            model_change(&mut model, range, inserted, encoding);
            document.change(2, &[event(Some(range), inserted)], encoding);
            prop_assert_eq!(document.text.to_string(), model.clone());
        }
        let read = document.parsed();
        let anew = self::document(&model).parsed();
        prop_assert_eq!(read.line_count(), anew.line_count());
        prop_assert_eq!(read.syntax().definitions(), anew.syntax().definitions());
        prop_assert_eq!(read.syntax().statements(), anew.syntax().statements());
    }
}

#[test]
fn a_structure_is_read_once_and_only_when_asked_for() {
    let mut document = document("def f():\n    return 1\n");
    let first = document.parsed();
    assert!(Arc::ptr_eq(&first, &document.clone().parsed()));
    let at = Position::new(0, 4);
    document.change(2, &[event(Some(Range::new(at, at)), "g")], Encoding::Utf16);
    assert!(!document.parsing.is_read());
    assert_eq!(document.parsed().syntax().definitions()[0].name, "gf");
    document.change(3, &[event(None, "x = 1\n")], Encoding::Utf16);
    assert!(document.parsed().syntax().definitions().is_empty());
}

#[test]
fn unknown_documents_and_old_versions_are_no_fault() {
    let mut documents = Documents::default();
    let uri: Uri = "file:///nowhere/a.py".parse().unwrap();
    documents.change(&uri, 1, &[event(None, "x")], Encoding::Utf8);
    assert!(documents.close(&uri).is_none());
    documents.open(document("a"));
    documents.change(&uri, -5, &[event(None, "b")], Encoding::Utf8);
    assert_eq!(documents.get(&uri).unwrap().text.to_string(), "b");
    let end = Range::new(Position::new(9, 9), Position::new(u32::MAX, u32::MAX));
    documents.change(&uri, 3, &[event(Some(end), "c")], Encoding::Utf8);
    assert_eq!(documents.get(&uri).unwrap().text.to_string(), "bc");
    assert!(documents.close(&uri).is_some());
}
