"""The server: it keeps a snapshot of every workspace that has an open document, and answers from it."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.exceptions import FeatureRequestError
from pygls.lsp.server import LanguageServer

from flowmill import __version__
from flowmill.crash import crash_report
from flowmill.editor import diagnostics
from flowmill.editor.positions import Positions
from flowmill.editor.snapshot import Snapshot, kind_of, look, look_at_flow
from flowmill.workspace import find_root

QUIET_SECONDS = 0.15
"""How long nothing is typed before a flow is looked at again."""
WHOLE_QUIET_SECONDS = 1.0
"""The same for the whole workspace, which takes two seconds where there are hundreds of flows."""
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
        """What a document holds: as it is open, as it was last looked at, as it lies on disk."""
        opened = self.texts().get(path)
        if opened is not None:
            return opened
        known = self._workspaces.get(root_of(path) or path)
        source = known.snapshot.sources.get(path) if known and known.snapshot else None
        if source is not None:
            return source.text
        return path.read_text("utf-8", "replace") if path.is_file() else ""

    async def snapshot_of(self, path: Path) -> Snapshot | None:
        """The last look at the workspace of a document; the first one is waited for."""
        root = root_of(path)
        if root is None:
            return None
        known = self._workspaces.setdefault(root, _Workspace())
        if known.snapshot is None:
            known.snapshot = await asyncio.to_thread(look, root, self.texts())
        return known.snapshot

    def look_again(self, path: Path, *, typing: bool = False) -> None:
        """Look at the workspace of a document again, and show what is wrong; while somebody types, once they pause."""
        root = root_of(path)
        if root is None:
            return
        known = self._workspaces.setdefault(root, _Workspace())
        if known.pending is not None:
            known.pending.cancel()
        known.pending = asyncio.ensure_future(self._look(root, known, path, typing))

    async def _look(self, root: Path, known: _Workspace, path: Path, typing: bool) -> None:
        try:
            if typing:
                await asyncio.sleep(QUIET_SECONDS)
            if typing and known.snapshot and kind_of(path) in ("flow", "test"):
                texts = self.texts()
                known.snapshot = await asyncio.to_thread(look_at_flow, known.snapshot, path, texts)
                self._show(root, known, known.snapshot, texts)
                await asyncio.sleep(WHOLE_QUIET_SECONDS)
            texts = self.texts()
            known.snapshot = await asyncio.to_thread(look, root, texts, known.snapshot)
            self._show(root, known, known.snapshot, texts)
        except Exception as error:  # noqa: BLE001 - a crash of ours must not end the server
            self.report(error)

    def _show(self, root: Path, known: _Workspace, snapshot: Snapshot, texts: Mapping[Path, str]) -> None:
        """Publish the diagnostics of all files that have some, had some, or are open."""
        held = {**{path: it.text for path, it in snapshot.sources.items()}, **texts}
        found = diagnostics.by_file(snapshot.compiled.diagnostics, held, self.workspace.position_codec)
        opened = {path for path in texts if path.is_relative_to(root)}
        for path in known.shown | found.keys() | opened:
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
        """What pygls could not do; the answers to requests have their errors in them."""
        if source is not FeatureRequestError:
            self.report(error)


def root_of(path: Path) -> Path | None:
    """The absolute folder of the workspace that a document belongs to."""
    root = find_root(path)
    return root.absolute() if root else None


def path_of(uri: str) -> Path:
    """The absolute path of a document."""
    return Path(uris.to_fs_path(uri) or "/").absolute()
