"""A client of the language server, as an editor has one: it starts `flowmill lsp` and talks to it over its pipes."""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from support.waiting import PATIENCE


class Editor:
    """An editor with a workspace.

    Attributes:
        folder: the folder that holds `specs/`.
        logged: what the server has told the log.
    """

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.logged: list[str] = []
        self._versions: dict[str, int] = defaultdict(int)
        self._shown: dict[str, list[types.Diagnostic]] = {}
        self._news = asyncio.Event()

    def uri(self, name: str) -> str:
        """The address of a file below `specs/`."""
        return (self.folder / "specs" / name).as_uri()

    def open(self, name: str, text: str | None = None) -> None:
        """Open a file, as it is saved or with another text."""
        saved = self.folder / "specs" / name
        text = saved.read_text("utf-8") if text is None else text
        item = types.TextDocumentItem(self.uri(name), "yaml", 0, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, name: str, text: str) -> None:
        """Replace the whole text of an open file."""
        self._versions[name] += 1
        document = types.VersionedTextDocumentIdentifier(self._versions[name], self.uri(name))
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def close(self, name: str) -> None:
        """Close a file without saving it."""
        document = types.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    async def shows(self, name: str, *codes: str) -> list[types.Diagnostic]:
        """Wait until these are the codes of the diagnostics that a file has; the diagnostics."""

        async def wait() -> list[types.Diagnostic]:
            while (found := self._shown.get(self.uri(name))) is None or [it.code for it in found] != list(codes):
                self._news.clear()
                await self._news.wait()
            return found

        try:
            return await asyncio.wait_for(wait(), PATIENCE)
        except TimeoutError:
            raise AssertionError(f"{name} shows {self._shown.get(self.uri(name))}") from None

    async def ready(self, name: str) -> None:
        """Wait until a file has been looked at, whatever is wrong with it."""

        async def wait() -> None:
            while self.uri(name) not in self._shown:
                self._news.clear()
                await self._news.wait()

        await asyncio.wait_for(wait(), PATIENCE)

    def told(self, params: types.PublishDiagnosticsParams) -> None:
        """Take what the server publishes."""
        self._shown[params.uri] = list(params.diagnostics)
        self._news.set()

    def document(self, name: str) -> types.TextDocumentIdentifier:
        """A file, as requests name it."""
        return types.TextDocumentIdentifier(self.uri(name))

    @staticmethod
    def position(text: str) -> types.Position:
        """The place of `§` in a text, in units of UTF-16."""
        before = text.partition("§")[0]
        line = before.rpartition("\n")[2]
        return types.Position(before.count("\n"), len(line.encode("utf-16-le")) // 2)


FLOWMILL = str(Path(sys.executable).with_name("flowmill"))


def edit(folder: Path, scenario: Callable[[Editor], Awaitable[None]], *command: str) -> None:
    """Start a server in a folder, let an editor do something with it, and end it as the protocol says.

    Args:
        command: what starts the server; `flowmill lsp` when left out.
    """
    asyncio.run(_edit(folder, scenario, command or (FLOWMILL, "lsp")))


async def _edit(folder: Path, scenario: Callable[[Editor], Awaitable[None]], command: tuple[str, ...]) -> None:
    client = LanguageClient("an-editor", "1")
    editor = Editor(client, folder)

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def _(params: types.PublishDiagnosticsParams) -> None:
        editor.told(params)

    @client.feature(types.WINDOW_LOG_MESSAGE)
    def _(params: types.LogMessageParams) -> None:
        editor.logged.append(params.message)

    await client.start_io(*command, cwd=str(folder), env=dict(os.environ))
    try:
        await asyncio.wait_for(client.initialize_async(_introduction(folder)), PATIENCE)
        client.initialized(types.InitializedParams())
        await scenario(editor)
        assert editor.logged == [], editor.logged
        await asyncio.wait_for(client.shutdown_async(None), PATIENCE)
    finally:
        client.exit(None)
        await client.stop()


def _introduction(folder: Path) -> types.InitializeParams:
    capabilities = types.ClientCapabilities(
        text_document=types.TextDocumentClientCapabilities(
            rename=types.RenameClientCapabilities(prepare_support=True),
            code_action=types.CodeActionClientCapabilities(is_preferred_support=True),
        )
    )
    return types.InitializeParams(capabilities=capabilities, process_id=None, root_uri=folder.as_uri())


def applied(text: str, edits: "list[types.TextEdit] | Any") -> str:
    """A text with edits of the protocol applied."""
    lines = text.split("\n")

    def offset(position: types.Position) -> int:
        line = lines[position.line].encode("utf-16-le")[: position.character * 2].decode("utf-16-le")
        return sum(len(it) + 1 for it in lines[: position.line]) + len(line)

    for it in sorted(edits, key=lambda it: offset(it.range.start), reverse=True):
        text = text[: offset(it.range.start)] + it.new_text + text[offset(it.range.end) :]
    return text
