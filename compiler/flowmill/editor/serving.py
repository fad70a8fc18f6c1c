"""The features of the protocol, each asked of the snapshot of the document's workspace."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from flowmill.diagnostics import Span
from flowmill.editor import actions, completion, definition, hover, rename, symbols
from flowmill.editor.positions import Positions
from flowmill.editor.server import FlowmillServer, path_of
from flowmill.editor.snapshot import Snapshot

server = FlowmillServer()
P = TypeVar("P")
R = TypeVar("R")


def _safe(feature: Callable[[P], Awaitable[R]]) -> Callable[[P], Awaitable[R | None]]:
    """A feature that answers with nothing where it crashes, and tells the log."""

    @wraps(feature)
    async def wrapped(params: P) -> R | None:
        try:
            return await feature(params)
        except JsonRpcInvalidParams:  # an answer: why it cannot be done
            raise
        except Exception as error:  # noqa: BLE001 - one feature that fails must not end the others
            server.report(error)
            return None

    return wrapped


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
async def opened(params: types.DidOpenTextDocumentParams) -> None:
    server.look_again(path_of(params.text_document.uri))


@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
async def changed(params: types.DidChangeTextDocumentParams) -> None:
    server.look_again(path_of(params.text_document.uri), typing=True)


@server.feature(types.TEXT_DOCUMENT_DID_SAVE)
async def saved(params: types.DidSaveTextDocumentParams) -> None:
    server.look_again(path_of(params.text_document.uri))


@server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
async def closed(params: types.DidCloseTextDocumentParams) -> None:
    server.look_again(path_of(params.text_document.uri))


@server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
async def changed_on_disk(params: types.DidChangeWatchedFilesParams) -> None:
    for change in params.changes:
        server.look_again(path_of(change.uri))


@dataclass(frozen=True)
class _Asked:
    """What a request is about: a document, and the last look at its workspace."""

    path: Path
    snapshot: Snapshot
    positions: Positions


async def _asked(document: types.TextDocumentIdentifier) -> _Asked | None:
    """None where the document belongs to no workspace."""
    path = path_of(document.uri)
    snapshot = await server.snapshot_of(path)
    return _Asked(path, snapshot, server.positions(path)) if snapshot else None


@server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=completion.TRIGGERS))
@_safe
async def complete(params: types.CompletionParams) -> list[types.CompletionItem] | None:
    asked = await _asked(params.text_document)
    if asked is None:
        return None
    positions = asked.positions
    return completion.complete(asked.snapshot, asked.path, positions.text, *positions.place(params.position))


@server.feature(types.TEXT_DOCUMENT_HOVER)
@_safe
async def hovered(params: types.HoverParams) -> types.Hover | None:
    asked = await _asked(params.text_document)
    if asked is None:
        return None
    line, column = asked.positions.place(params.position)
    found = hover.hover(asked.snapshot, asked.path, line, column, datetime.now(UTC))
    if found is None:
        return None
    text, span = found
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), asked.positions.range(span))


@server.feature(types.TEXT_DOCUMENT_DEFINITION)
@_safe
async def defined(params: types.DefinitionParams) -> list[types.Location] | None:
    asked = await _asked(params.text_document)
    if asked is None:
        return None
    found = definition.definition(asked.snapshot, asked.path, *asked.positions.place(params.position))
    return [types.Location(server.uri_of(file), server.positions(file).range(span)) for file, span in found]


def _named(asked: _Asked | None, position: types.Position) -> tuple[_Asked, str, Span]:
    """The step that is to be renamed.

    Raises:
        CannotRename: none is named there.
    """
    if asked is None:
        raise rename.CannotRename("this document belongs to no workspace")
    name, span = rename.step_at(asked.snapshot, asked.path, *asked.positions.place(position))
    return asked, name, span


@server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
@_safe
async def prepared(params: types.PrepareRenameParams) -> types.PrepareRenamePlaceholder:
    try:
        asked, name, span = _named(await _asked(params.text_document), params.position)
    except rename.CannotRename as reason:
        raise JsonRpcInvalidParams(str(reason)) from None
    return types.PrepareRenamePlaceholder(asked.positions.range(span), name)


@server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
@_safe
async def renamed(params: types.RenameParams) -> types.WorkspaceEdit:
    try:
        asked, old, _ = _named(await _asked(params.text_document), params.position)
        found = rename.occurrences(asked.snapshot, asked.path, old, params.new_name)
    except rename.CannotRename as reason:
        raise JsonRpcInvalidParams(str(reason)) from None
    changes: dict[str, list[types.TextEdit]] = {}
    for it in found:
        edit = types.TextEdit(server.positions(it.path).range(it.span), params.new_name)
        changes.setdefault(server.uri_of(it.path), []).append(edit)
    return types.WorkspaceEdit(changes=changes)


@server.feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]),
)
@_safe
async def acted(params: types.CodeActionParams) -> list[types.CodeAction] | None:
    asked = await _asked(params.text_document)
    if asked is None:
        return None
    found = asked.snapshot.compiled.diagnostics
    return actions.code_actions(found, asked.path, params.range, server.positions, server.uri_of)


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
@_safe
async def outlined(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
    asked = await _asked(params.text_document)
    tree = asked.snapshot.trees.get(asked.path) if asked else None
    return list(symbols.symbols(tree, asked.positions)) if asked and tree else None


def serve() -> None:
    """Serve one client over standard input and output, until it leaves."""
    server.start_io()
