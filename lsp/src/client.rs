//! What the client told of itself: what it understands, and how it counts columns.

use ls_types::{ClientCapabilities, InitializeParams, PositionEncodingKind, Uri};

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// 16-bit units: what a client gets that says nothing.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    /// The one that costs least of those that the client offers.
    fn negotiated(offered: &[PositionEncodingKind]) -> Encoding {
        [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32]
            .into_iter()
            .find(|encoding| offered.contains(&encoding.kind()))
            .unwrap_or_default()
    }
}

/// The client's side of `initialize`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) encoding: Encoding,
    /// Which `workspace/…/refresh` requests it takes.
    pub(crate) refreshes: Refreshes,
    /// Whether it shows inlay hints at all.
    pub(crate) inlay_hints: bool,
    /// Whether it shows progress that the server begins.
    pub(crate) progress: bool,
    /// Whether it can be asked for settings.
    pub(crate) configuration: bool,
    /// Whether it tells of changed settings only after it was asked to.
    pub(crate) registers_configuration: bool,
    /// Whether it asks for what is shown when a hint is pointed at.
    pub(crate) resolves_hints: bool,
    /// Whether it shows inline values at all.
    pub(crate) inline_values: bool,
    /// Whether it can open a replay and knows the product's commands.
    pub(crate) commands: bool,
    /// Whether links in its texts can run them.
    pub(crate) command_links: bool,
    /// Whether hovers may be Markdown.
    pub(crate) markdown_hover: bool,
    /// Whether diagnostics may name other places.
    pub(crate) related_information: bool,
}

/// What a client asks for again when it is told to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refreshes {
    pub(crate) inlay_hints: bool,
    pub(crate) inline_values: bool,
    pub(crate) code_lenses: bool,
    pub(crate) semantic_tokens: bool,
}

impl From<&ClientCapabilities> for Client {
    fn from(capabilities: &ClientCapabilities) -> Client {
        let workspace = capabilities.workspace.as_ref();
        let window = capabilities.window.as_ref();
        let document = capabilities.text_document.as_ref();
        let general = capabilities.general.as_ref();
        let yes = |answer: Option<bool>| answer.unwrap_or(false);
        let offered = general.and_then(|general| general.position_encodings.as_deref());
        let hover = document.and_then(|document| document.hover.as_ref());
        let formats = hover.and_then(|hover| hover.content_format.as_deref());
        let refreshes = workspace.map_or_else(Refreshes::default, |workspace| Refreshes {
            inlay_hints: yes(workspace
                .inlay_hint
                .as_ref()
                .and_then(|it| it.refresh_support)),
            inline_values: yes(workspace
                .inline_value
                .as_ref()
                .and_then(|it| it.refresh_support)),
            code_lenses: yes(workspace
                .code_lens
                .as_ref()
                .and_then(|it| it.refresh_support)),
            semantic_tokens: yes(workspace
                .semantic_tokens
                .as_ref()
                .and_then(|it| it.refresh_support)),
        });
        Client {
            encoding: offered.map_or_else(Encoding::default, Encoding::negotiated),
            refreshes,
            resolves_hints: document
                .and_then(|document| document.inlay_hint.as_ref())
                .and_then(|hints| hints.resolve_support.as_ref())
                .is_some_and(|resolved| {
                    let is_asked = |wanted: &str| {
                        (resolved.properties.iter()).any(|property| property == wanted)
                    };
                    is_asked("label.tooltip") || is_asked("tooltip")
                }),
            inline_values: document.is_some_and(|document| document.inline_value.is_some()),
            commands: false,
            command_links: false,
            inlay_hints: document.is_some_and(|document| document.inlay_hint.is_some()),
            progress: yes(window.and_then(|window| window.work_done_progress)),
            configuration: yes(workspace.and_then(|workspace| workspace.configuration)),
            registers_configuration: yes(workspace
                .and_then(|workspace| workspace.did_change_configuration.as_ref())
                .and_then(|it| it.dynamic_registration)),
            markdown_hover: formats
                .is_some_and(|formats| formats.contains(&ls_types::MarkupKind::Markdown)),
            related_information: yes(document
                .and_then(|document| document.publish_diagnostics.as_ref())
                .and_then(|diagnostics| diagnostics.related_information)),
        }
    }
}

/// The folders that the client opened, also of clients that know only one.
pub(crate) fn folders(params: &InitializeParams) -> Vec<Uri> {
    if let Some(folders) = &params.workspace_folders {
        return folders.iter().map(|folder| folder.uri.clone()).collect();
    }
    #[expect(deprecated, reason = "what older clients send")]
    let root =
        (params.root_uri.clone()).or_else(|| Uri::from_file_path(params.root_path.as_deref()?));
    root.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(capabilities: serde_json::Value) -> Client {
        Client::from(&serde_json::from_value::<ClientCapabilities>(capabilities).unwrap())
    }

    #[test]
    fn columns_are_counted_in_bytes_if_the_client_can() {
        let check = |offered: serde_json::Value, expected| {
            let client = client(json!({"general": {"positionEncodings": offered}}));
            assert_eq!(client.encoding, expected);
        };
        check(json!(["utf-16", "utf-8"]), Encoding::Utf8);
        check(json!(["utf-32"]), Encoding::Utf32);
        check(json!(["utf-7"]), Encoding::Utf16);
        check(json!([]), Encoding::Utf16);
        assert_eq!(client(json!({})), Client::default());
    }

    #[test]
    fn a_client_is_asked_for_what_it_says_it_can() {
        let client = client(json!({
            "workspace": {
                "configuration": true,
                "inlayHint": {"refreshSupport": true},
                "codeLens": {"refreshSupport": false},
            },
            "window": {"workDoneProgress": true},
            "textDocument": {"inlayHint": {}, "hover": {"contentFormat": ["markdown"]}},
        }));
        assert!(client.configuration && client.progress && client.markdown_hover);
        let refreshes = Refreshes {
            inlay_hints: true,
            ..Refreshes::default()
        };
        assert_eq!(client.refreshes, refreshes);
        assert!(client.inlay_hints);
    }

    #[test]
    fn clients_without_several_folders_have_one() {
        let check = |params: serde_json::Value, expected: &[&str]| {
            let params: InitializeParams = serde_json::from_value(params).unwrap();
            let folders = folders(&params);
            let folders: Vec<&str> = folders.iter().map(|uri| uri.as_str()).collect();
            assert_eq!(folders, expected);
        };
        check(json!({"capabilities": {}, "rootUri": null}), &[]);
        check(
            json!({"capabilities": {}, "rootUri": "file:///a"}),
            &["file:///a"],
        );
        check(
            json!({"capabilities": {}, "rootPath": "/b c"}),
            &["file:///b%20c"],
        );
        check(
            json!({"capabilities": {}, "rootUri": "file:///a", "workspaceFolders":
                [{"uri": "file:///x", "name": "x"}, {"uri": "file:///y", "name": "y"}]}),
            &["file:///x", "file:///y"],
        );
    }
}
