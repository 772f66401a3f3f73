"""A conversation with the language server by a real client library, pytest-lsp.

Run by pytest, with the server's program in RETROSTEP, a folder with the recorded samples in WORKSPACE,
and the marked line of `pricing.py` (the one that raises, from 1) in RAISES.
"""
import asyncio
import os
import pathlib

import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

LIMIT = 30
WORKSPACE = pathlib.Path(os.environ["WORKSPACE"])
PRICING = WORKSPACE / "shop" / "pricing.py"
RAISES = int(os.environ["RAISES"]) - 1
URI = PRICING.as_uri()
EVERYTHING = types.Range(types.Position(0, 0), types.Position(10_000, 0))


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[os.environ["RETROSTEP"], "lsp"]))
async def client(lsp_client: LanguageClient):
    # What the library's client says it can do and leaves to its user.
    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def _(params: types.RegistrationParams):
        return None

    result = await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities("visual-studio-code"),
            root_uri=WORKSPACE.as_uri(),
            initialization_options={"commands": True},
            workspace_folders=[types.WorkspaceFolder(WORKSPACE.as_uri(), "workspace")],
        )
    )
    assert result.server_info.name == "retrostep"
    text = PRICING.read_text()
    document = types.TextDocumentItem(URI, "python", 1, text)
    lsp_client.text_document_did_open(types.DidOpenTextDocumentParams(document))
    yield
    await lsp_client.shutdown_session()


def here():
    return types.TextDocumentIdentifier(URI)


def position(word, line=None):
    """The first place of a word, in a line if one is said."""
    lines = PRICING.read_text().splitlines()
    numbers = range(len(lines)) if line is None else [line]
    for number in numbers:
        if word in lines[number]:
            return types.Position(number, lines[number].index(word))
    raise LookupError(word)


async def within(answer):
    return await asyncio.wait_for(answer, LIMIT)


def text_of(hint):
    if isinstance(hint.label, str):
        return hint.label
    return "".join(part.value for part in hint.label)


async def test_hints_stand_at_the_ends_of_lines(client: LanguageClient):
    hints = await within(
        client.text_document_inlay_hint_async(types.InlayHintParams(here(), EVERYTHING))
    )
    texts = {hint.position.line: text_of(hint) for hint in hints}
    assert texts[position("def total_due").line] == "32 calls"
    assert texts[RAISES - 1].startswith("false 31×, true 1×"), texts
    lines = PRICING.read_text().splitlines()
    for hint in hints:
        assert hint.position.character == len(lines[hint.position.line])
    parts = [hint for hint in hints if hint.data is not None]
    if parts:
        resolved = await within(client.inlay_hint_resolve_async(parts[0]))
        assert text_of(resolved) == text_of(parts[0])
        assert "replay_orders" in str(resolved.tooltip), resolved


async def test_a_hover_tells_the_value_and_where_it_is_from(client: LanguageClient):
    place = position("due", RAISES - 2)
    hover = await within(client.text_document_hover_async(types.HoverParams(here(), place)))
    assert "-18.75" in hover.contents.value, hover
    assert "call 32 of 32, replay" in hover.contents.value, hover


async def test_lenses_tell_of_calls_and_failures(client: LanguageClient):
    lenses = await within(client.text_document_code_lens_async(types.CodeLensParams(here())))
    line = position("def total_due").line
    titles = [lens.command.title for lens in lenses if lens.range.start.line == line]
    assert any("32 calls" in title for title in titles), titles
    assert any("ValueError" in title for title in titles), titles


async def test_recordings_are_symbols_of_the_workspace(client: LanguageClient):
    symbols = await within(client.workspace_symbol_async(types.WorkspaceSymbolParams("orders")))
    assert [symbol.name for symbol in symbols] == ["replay_orders"], symbols


async def test_calls_have_a_hierarchy(client: LanguageClient):
    place = position("discount")
    items = await within(
        client.text_document_prepare_call_hierarchy_async(
            types.CallHierarchyPrepareParams(here(), place)
        )
    )
    assert [item.name for item in items] == ["discount"], items
    incoming = await within(
        client.call_hierarchy_incoming_calls_async(
            types.CallHierarchyIncomingCallsParams(items[0])
        )
    )
    assert [call.from_.name for call in incoming] == ["total_due"], incoming
    outgoing = await within(
        client.call_hierarchy_outgoing_calls_async(
            types.CallHierarchyOutgoingCallsParams(incoming[0].from_)
        )
    )
    assert {"add_loyalty", "discount"} <= {call.to.name for call in outgoing}, outgoing


async def test_a_variable_has_references_and_highlights(client: LanguageClient):
    place = position("due", RAISES - 2)
    context = types.ReferenceContext(include_declaration=True)
    references = await within(
        client.text_document_references_async(types.ReferenceParams(context, here(), place))
    )
    assert {it.range.start.line for it in references} >= {RAISES - 2, RAISES - 1}, references
    highlights = await within(
        client.text_document_document_highlight_async(
            types.DocumentHighlightParams(here(), place)
        )
    )
    kinds = {it.range.start.line: it.kind for it in highlights}
    assert kinds[RAISES - 2] == types.DocumentHighlightKind.Write, highlights
    assert kinds[RAISES - 1] == types.DocumentHighlightKind.Read, highlights


async def test_what_nothing_caught_is_a_diagnostic(client: LanguageClient):
    while URI not in client.diagnostics:
        await within(client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS))
    errors = [
        it for it in client.diagnostics[URI] if it.severity == types.DiagnosticSeverity.Error
    ]
    assert [it.range.start.line for it in errors] == [RAISES], errors
    assert errors[0].message.startswith("ValueError: total below zero: -18.75"), errors
    assert errors[0].source == "Retrostep"
    assert errors[0].related_information, errors
    actions = await within(
        client.text_document_code_action_async(
            types.CodeActionParams(here(), errors[0].range, types.CodeActionContext(errors))
        )
    )
    assert any("eplay" in action.title for action in actions), actions
