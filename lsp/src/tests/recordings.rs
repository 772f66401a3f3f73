//! What handlers are told of recordings.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use retrostep_sessions::Entry;
use retrostep_trace::{CancellationToken, FunctionKind, SourceId, Summary};

use super::shop::{Shop, TEXT, touch};
use crate::context::{Context, DocumentContext};
use crate::document::{Document, Documents};
use crate::libraries::{Libraries, LibraryState};
use crate::progress::Progress;
use crate::recordings::{Ending, FileKey, Recordings};
use crate::server::Event;
use crate::settings::Settings;

/// What a handler is given, with the libraries of these shops as they are now.
fn context(shops: &[&Shop]) -> (Context, Receiver<Event>) {
    let (events, told) = channel();
    let mut libraries = Libraries::default();
    for shop in shops {
        libraries.add(LibraryState::read(&shop.library()));
    }
    let ctx = Context {
        client: Arc::default(),
        settings: Settings::default(),
        documents: Documents::default(),
        libraries,
        recordings: Arc::new(Recordings::new(events.clone())),
        surveys: Arc::default(),
        places: Arc::default(),
        selected: None,
        cursor: None,
        events,
        cancel: CancellationToken::new(),
        progress: Progress::default(),
    };
    (ctx, told)
}

fn of_document(ctx: &Context, path: &Path, text: &str) -> DocumentContext {
    let uri = crate::to_proto::uri(path).unwrap();
    DocumentContext {
        workspace: ctx.clone(),
        document: Arc::new(Document::new(uri, 1, text)),
    }
}

fn names(ctx: &DocumentContext) -> Vec<String> {
    let covering = ctx.covering().unwrap();
    covering
        .iter()
        .map(|covering| covering.facts.name.clone())
        .collect()
}

#[test]
fn the_facts_of_a_recording_are_what_it_holds() {
    let shop = Shop::new();
    shop.record("shop", 0);
    let (ctx, _told) = context(&[&shop]);
    let facts = ctx.all_facts().unwrap().remove(0);
    assert_eq!(facts.ending, Ending::Exit(Some(1)));
    assert_eq!(
        facts.exception.as_ref().unwrap().facts.text(),
        "ValueError: below zero"
    );
    assert_eq!(facts.main_script(), Some(shop.source().as_path()));
    let functions: Vec<_> = (facts.functions.iter())
        .map(|function| (&*function.qualified_name, function.kind, function.calls))
        .collect();
    let module = ("<module>", FunctionKind::Module, 1);
    assert_eq!(functions, [module, ("add", FunctionKind::Function, 1)]);
    assert!(
        Arc::ptr_eq(&facts, &ctx.all_facts().unwrap()[0]),
        "they are computed once"
    );
}

#[test]
fn the_newest_recording_is_the_one_that_began_last() {
    let shop = Shop::new();
    let [early, late, later] = ["early", "late", "later"].map(|name| shop.file(name));
    for (name, begin, end) in [("early", 0, 900), ("late", 500, 600), ("later", 550, 560)] {
        touch(&shop.record(name, begin), end);
    }
    let (mut ctx, _told) = context(&[&shop]);
    let document = of_document(&ctx, &shop.source(), TEXT);
    assert_eq!(names(&document), ["later", "late", "early"]);
    assert_eq!(document.shown().unwrap().unwrap().facts.entry.path, later);
    for selected in [&late, &early] {
        ctx.selected = Some(selected.clone());
        let document = of_document(&ctx, &shop.source(), TEXT);
        assert_eq!(
            &document.shown().unwrap().unwrap().facts.entry.path,
            selected
        );
    }
    let other = of_document(&ctx, &shop.path().join("other.py"), TEXT);
    assert!(other.shown().unwrap().is_none());
    assert!(names(&other).is_empty());
}

#[test]
fn nothing_older_is_read_than_has_to_be() {
    let shop = Shop::new();
    touch(&shop.record("new", 500), 600);
    std::fs::write(shop.file("old"), "this is no recording").unwrap();
    touch(&shop.file("old"), 100);
    let (ctx, told) = context(&[&shop]);
    let document = of_document(&ctx, &shop.source(), TEXT);
    assert_eq!(document.shown().unwrap().unwrap().facts.name, "new");
    assert!(told.try_recv().is_err());
    // Who asks for all is told of it once, and gets the others.
    for _ in 0..2 {
        assert_eq!(names(&document), ["new"]);
    }
    assert!(matches!(told.try_recv(), Ok(Event::Warning(text)) if text.contains("\"old.retro\"")));
    assert!(told.try_recv().is_err());
}

#[test]
fn paths_are_the_same_through_links() {
    let shop = Shop::new();
    shop.record("shop", 0);
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(shop.path(), &link).unwrap();
    let (ctx, _told) = context(&[&shop]);
    let document = of_document(&ctx, &link.join("shop.py"), TEXT);
    assert_eq!(document.shown().unwrap().unwrap().source, SourceId(0));
}

#[test]
fn few_recordings_stay_open_and_those_in_use_can_be_used() {
    let shop = Shop::new();
    for number in 0..6 {
        shop.record(&format!("shop{number}"), number);
    }
    let (ctx, _told) = context(&[&shop]);
    let all = ctx.all_facts().unwrap();
    let recordings: Vec<_> = all.iter().map(|facts| ctx.open(facts).unwrap()).collect();
    let held = |at: usize| Arc::strong_count(&recordings[at]) > 1;
    assert_eq!(
        [0, 1, 2, 3, 4, 5].map(held),
        [false, false, false, true, true, true]
    );
    // The one asked for last stays.
    ctx.open(&all[3]).unwrap();
    ctx.open(&all[0]).unwrap();
    assert_eq!([3, 4, 5].map(held), [true, false, true]);
    for facts in &all {
        std::fs::remove_file(&facts.entry.path).unwrap();
    }
    for recording in &recordings {
        recording.forget_blocks();
        assert!(
            recording
                .event(retrostep_trace::Position(3))
                .unwrap()
                .is_some()
        );
    }
    // What is gone is no answer, and nothing to tell the user.
    let (ctx, told) = context(&[&shop]);
    assert!(ctx.all_facts().unwrap().is_empty());
    assert!(told.try_recv().is_err());
}

#[test]
fn the_facts_of_a_recording_that_grew_are_others() {
    let shop = Shop::new();
    let mut writer = shop.begin("growing", 0);
    writer.flush().unwrap();
    let (mut ctx, _told) = context(&[&shop]);
    assert_eq!(ctx.all_facts().unwrap()[0].events, 0);
    shop.run(&mut writer);
    writer.finish(&Summary::default()).unwrap();
    ctx.libraries = context(&[&shop]).0.libraries;
    let facts = ctx.all_facts().unwrap().remove(0);
    assert_eq!((facts.events, &facts.ending), (12, &Ending::Exit(None)));
    assert_eq!(ctx.open(&facts).unwrap().end().0, 12);
    // What is not known any more is forgotten.
    ctx.recordings.retain(|_| false);
    assert!(!Arc::ptr_eq(&facts, &ctx.all_facts().unwrap()[0]));
}

#[test]
fn a_replay_is_found_wherever_its_recording_lies() {
    let shop = Shop::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let recording = elsewhere.path().join("mailed.retro");
    std::fs::rename(shop.record("shop", 0), &recording).unwrap();
    shop.publish(&recording, 7, std::process::id());
    let (ctx, _told) = context(&[&shop]);
    let document = of_document(&ctx, &shop.source(), TEXT);
    let (replay, source) = document.replayed().unwrap().unwrap();
    assert_eq!((replay.position.0, source), (7, SourceId(0)));
    assert!(names(&document).is_empty());
    // It is no file of another document.
    let other = of_document(&ctx, &shop.path().join("other.py"), TEXT);
    assert!(other.replayed().unwrap().is_none());
    std::fs::remove_file(&recording).unwrap();
    let (ctx, _told) = context(&[&shop]);
    assert!(
        of_document(&ctx, &shop.source(), TEXT)
            .replayed()
            .unwrap()
            .is_none()
    );
}

#[test]
fn recorded_lines_are_brought_together_with_the_buffer_once() {
    let shop = Shop::new();
    shop.record("shop", 0);
    let (ctx, _told) = context(&[&shop]);
    let document = of_document(&ctx, &shop.source(), &format!("import sys\n{TEXT}"));
    let shown = document.shown().unwrap().unwrap();
    let recording = ctx.open(&shown.facts).unwrap();
    let mapped = document.mapped(&recording, shown.source).unwrap().unwrap();
    assert_eq!(mapped.lines.to_buffer(4), Some(5));
    assert_eq!(mapped.lines.to_recorded(1), None);
    let again = document.mapped(&recording, shown.source).unwrap().unwrap();
    assert!(Arc::ptr_eq(&mapped.lines, &again.lines));
    assert!(Arc::ptr_eq(&mapped.recorded, &again.recorded));
}

#[test]
fn a_cancelled_question_is_no_answer_for_the_next_one() {
    let shop = Shop::new();
    shop.record("shop", 0);
    let (mut ctx, _told) = context(&[&shop]);
    ctx.cancel.cancel();
    assert!(ctx.all_facts().is_err());
    ctx.cancel = CancellationToken::new();
    assert_eq!(ctx.all_facts().unwrap().len(), 1);
    let entry = Entry::of(&shop.file("shop")).unwrap();
    assert!(ctx.recordings.open(&FileKey::from(&entry)).is_ok());
}
