"""The server: it keeps a snapshot of every workspace that has an open document, and answers from it."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from flowmill import __version__
from flowmill.crash import crash_report
from flowmill.editor import diagnostics
from flowmill.editor.positions import Positions
from flowmill.editor.snapshot import Snapshot, look
from flowmill.workspace import find_root

QUIET_SECONDS = 0.2
"""How long nothing is typed before a workspace is looked at again."""
log = logging.getLogger("flowmill.lsp")


@dataclass
class _Workspace:
    """A workspace with open documents: the last look at it, the next one, the files that have diagnostics shown."""

    snapshot: Snapshot | None = None
    pending: "asyncio.Task[None] | None" = None
    shown: set[Path] = field(default_factory=set)


class FlowmillServer(LanguageServer):
    """The language server of flowmill."""

    def __init__(self) -> None:
        super().__init__("flowmill", __version__)
        self._workspaces: dict[Path, _Workspace] = {}

    def texts(self) -> dict[Path, str]:
        """What the open documents hold, by absolute path."""
        return {Path(it.path).absolute(): it.source for it in self.workspace.text_documents.values() if it.path}

    def positions(self, path: Path) -> Positions:
        """How places of a document are told to the client."""
        return Positions(self._text(path), self.workspace.position_codec)

    def _text(self, path: Path) -> str:
        found = self.texts().get(path)
        if found is None:
            root = root_of(path)
            snapshot = self._workspaces[root].snapshot if root in self._workspaces else None
            source = snapshot.sources.get(path) if snapshot else None
            found = source.text if source else ""
        return found

    async def snapshot_of(self, path: Path) -> Snapshot | None:
        """The last look at the workspace of a document; the first one is waited for."""
        root = root_of(path)
        if root is None:
            return None
        known = self._workspaces.setdefault(root, _Workspace())
        if known.snapshot is None:
            known.snapshot = await asyncio.to_thread(look, root, self.texts())
        return known.snapshot

    def look_again(self, path: Path, after: float = QUIET_SECONDS) -> None:
        """Look at the workspace of a document once nothing is typed for a while, and show what is wrong."""
        root = root_of(path)
        if root is None:
            return
        known = self._workspaces.setdefault(root, _Workspace())
        if known.pending is not None:
            known.pending.cancel()
        known.pending = asyncio.ensure_future(self._look(root, known, after))

    async def _look(self, root: Path, known: _Workspace, after: float) -> None:
        await asyncio.sleep(after)
        texts = self.texts()
        try:
            snapshot = await asyncio.to_thread(look, root, texts, known.snapshot)
        except Exception as error:  # noqa: BLE001 - a crash of ours must not end the server
            self.report(error)
            return
        known.snapshot = snapshot
        self._show(known, {**{path: it.text for path, it in snapshot.sources.items()}, **texts})

    def _show(self, known: _Workspace, texts: Mapping[Path, str]) -> None:
        snapshot = known.snapshot
        if snapshot is None:
            return
        found = diagnostics.by_file(snapshot.compiled.diagnostics, texts, self.workspace.position_codec)
        for path in known.shown | found.keys():
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(self.uri_of(path), found.get(path, []))
            )
        known.shown = set(found)

    def uri_of(self, path: Path) -> str:
        """The address of a document, spelt as the client does where it has it open."""
        opened: dict[Path, str] = {
            Path(it.path).absolute(): it.uri for it in self.workspace.text_documents.values() if it.path
        }
        return opened.get(path, path.as_uri())

    def report(self, error: BaseException) -> None:
        """Tell the log of the editor what went wrong with us, and what a report needs."""
        told = crash_report(error)
        log.error("%s", told)
        self.window_log_message(types.LogMessageParams(types.MessageType.Error, told))

    def report_server_error(self, error: Exception, source: Any) -> None:
        self.report(error)


def root_of(path: Path) -> Path | None:
    """The absolute folder of the workspace that a document belongs to."""
    root = find_root(path)
    return root.absolute() if root else None


def path_of(uri: str) -> Path:
    """The absolute path of a document."""
    return Path(uris.to_fs_path(uri) or "/").absolute()
