//! The workspace: its folders, open documents, settings and libraries, and what follows when one of
//! them changes.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use ls_types::{
    ConfigurationItem, ConfigurationParams, InitializeParams, Registration, RegistrationParams,
    TextDocumentContentChangeEvent, Uri,
};
use retrostep_sessions::Library;
use serde_json::{Value, json};

use super::{Event, Lifecycle, Server};
use crate::client::{self, Client};
use crate::connection::Asked;
use crate::cursor::Cursor;
use crate::document::Document;
use crate::from_proto;
use crate::libraries::{LibraryChange, LibraryState};
use crate::recordings::FileKey;
use crate::refreshing::{self, Refresh};
use crate::settings::{self, Settings};

/// What the libraries are found by.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    folders: Vec<(Uri, Option<Library>)>,
    /// The libraries of the folders that open documents are in.
    documents: HashMap<Uri, Library>,
}

impl Workspace {
    /// Each library once, those of the workspace's folders first.
    fn libraries(&self) -> Vec<Library> {
        let of_folders = self
            .folders
            .iter()
            .filter_map(|(_, library)| library.as_ref());
        let mut libraries: Vec<Library> = Vec::new();
        for library in of_folders.chain(self.documents.values()) {
            if !libraries
                .iter()
                .any(|known| known.folder() == library.folder())
            {
                libraries.push(library.clone());
            }
        }
        libraries
    }
}

impl Server<'_> {
    /// Takes in what the client says of itself and of its workspace.
    pub(crate) fn introduce(&mut self, params: &InitializeParams) {
        self.client = Arc::new(Client::from(&params.capabilities));
        self.lifecycle = Lifecycle::Initialized;
        if let Some(options) = &params.initialization_options {
            let (settings, wrong) = Settings::read_all(options);
            self.settings = settings;
            log(&wrong);
            let flag = |name: &str| options.get(name).and_then(Value::as_bool);
            let client = Arc::make_mut(&mut self.client);
            client.commands = flag("commands").unwrap_or(false);
            client.command_links = client.commands && flag("commandLinks").unwrap_or(true);
        }
        self.add_folders(&client::folders(params));
        self.follow_libraries();
    }

    /// The client takes requests: settings can be asked for.
    pub(crate) fn begin(&mut self) {
        if self.client.registers_configuration {
            let registration = Registration {
                id: "retrostep/configuration".to_owned(),
                method: "workspace/didChangeConfiguration".to_owned(),
                register_options: Some(json!({"section": settings::SECTION})),
            };
            let params = RegistrationParams {
                registrations: vec![registration],
            };
            self.connection
                .ask(Asked::Registration, "client/registerCapability", params);
        }
        self.ask_settings();
    }

    fn ask_settings(&mut self) {
        if self.client.configuration {
            let item = ConfigurationItem {
                scope_uri: None,
                section: Some(settings::SECTION.to_owned()),
            };
            let params = ConfigurationParams { items: vec![item] };
            self.connection
                .ask(Asked::Configuration, "workspace/configuration", params);
        }
    }

    /// Settings changed; the client sends them, or can be asked for them.
    pub(crate) fn settings_changed(&mut self, settings: &Value) {
        if self.client.configuration {
            self.ask_settings();
        } else if let Some(section) = settings.get(settings::SECTION) {
            self.take_settings(section);
        }
    }

    pub(super) fn take_settings(&mut self, section: &Value) {
        let (settings, wrong) = Settings::read(section);
        log(&wrong);
        if settings != self.settings {
            self.settings = settings;
            self.refresh(refreshing::ALL);
            self.diagnose_all();
        }
    }

    pub(crate) fn folders_changed(&mut self, added: &[Uri], removed: &[Uri]) {
        (self.workspace.folders).retain(|(folder, _)| !removed.contains(folder));
        self.add_folders(added);
        self.follow_libraries();
    }

    fn add_folders(&mut self, folders: &[Uri]) {
        for folder in folders {
            let library = from_proto::path(folder).map(|path| Library::find(&path));
            self.workspace.folders.push((folder.clone(), library));
        }
    }

    pub(crate) fn open(&mut self, uri: Uri, version: i32, text: &str) {
        let document = Document::new(uri.clone(), version, text);
        if let Some(folder) = document.path.as_deref().and_then(|path| path.parent()) {
            self.workspace
                .documents
                .insert(uri.clone(), Library::find(folder));
        }
        self.documents.open(document);
        self.follow_libraries();
        self.diagnose(&uri);
    }

    pub(crate) fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: &[TextDocumentContentChangeEvent],
    ) {
        (self.documents).change(uri, version, changes, self.client.encoding);
        self.diagnose(uri);
    }

    pub(crate) fn close(&mut self, uri: &Uri) {
        if self.documents.close(uri).is_some() {
            self.workspace.documents.remove(uri);
            self.withdraw_diagnostics(uri);
            self.follow_libraries();
        }
    }

    /// The user is at a line, from 1.
    pub(crate) fn look_up_cursor(&mut self, uri: &Uri, line: u32) {
        let Some(document) = self.documents.get(uri).cloned() else {
            return;
        };
        let events = self.events.clone();
        self.pool.post(Box::new(move || {
            let _ = events.send(Event::Cursor(Cursor::at(&document, line)));
        }));
    }

    pub(super) fn cursor_moved(&mut self, cursor: Cursor) {
        let scope = self.settings.scope;
        let shows_as = |before: &Cursor| cursor.shows_as(before, scope);
        let is_other = !self.cursor.as_ref().is_some_and(shows_as);
        self.cursor = Some(cursor);
        if is_other {
            self.refresh(&[Refresh::InlayHints]);
        }
    }

    /// Shows the values of a recording; `None` for the newest one's.
    pub(crate) fn select(&mut self, selected: Option<PathBuf>) {
        if self.selected != selected {
            self.selected = selected;
            self.refresh(refreshing::ALL);
            self.diagnose_all();
        }
    }

    /// Watches the libraries of the workspace as it is now.
    fn follow_libraries(&mut self) {
        let wanted = self.workspace.libraries();
        if self.libraries.watched() == wanted {
            return;
        }
        self.libraries.retain(&wanted);
        for library in &wanted {
            if !self.libraries.contains(library) {
                // The first question about a document comes before anything is noticed.
                self.libraries.add(LibraryState::read(library));
            }
        }
        self.watcher.watch(self.libraries.iter().cloned().collect());
    }

    pub(super) fn library_changed(&mut self, change: &LibraryChange) {
        self.libraries.update(change.state.clone());
        let entries = self.libraries.entries();
        let replayed = self
            .libraries
            .position()
            .map(|position| &position.recording);
        self.recordings.retain(|key| {
            entries.iter().any(|entry| FileKey::from(*entry) == *key) || replayed == Some(&key.path)
        });
        self.surveys.retain(|key| {
            entries.iter().any(|entry| FileKey::from(*entry) == *key) || replayed == Some(&key.path)
        });
        if change.recordings {
            self.refresh(refreshing::ALL);
            self.diagnose_all();
        } else if change.position {
            self.refresh(refreshing::OF_POSITION);
        }
    }

    /// Asks the client to ask again, as far as it can.
    fn refresh(&mut self, what: &[Refresh]) {
        for refresh in self.refresher.due(what, &self.client.refreshes) {
            self.connection
                .ask(Asked::Refresh(refresh), refresh.method(), ());
        }
    }
}

fn log(wrong: &[String]) {
    for sentence in wrong {
        tracing::warn!("{sentence}");
    }
}
