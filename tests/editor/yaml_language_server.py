"""The language server that editors check YAML with, told about our schemas as docs/editors.md tells a person to."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor.json_rpc import Client

ROOT = Path(__file__).parent.parent.parent
LOCKED = Path(__file__).parent / "yaml-language-server"
"""Its version, and those of all that it needs."""
SETTINGS = re.compile(r"^```json\n(\{\n  \"yaml\.schemas\".*?)^```$", re.MULTILINE | re.DOTALL)
"""The settings that docs/editors.md shows."""


@dataclass(frozen=True)
class Problem:
    """What an editor underlines: the message, and the text that is underlined."""

    message: str
    marked: str


def installed(folder: Path) -> Path:
    """The server's program, installed into a folder at the locked versions."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKED / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    return folder / "node_modules/.bin/yaml-language-server"


class Editor:
    """An editor with the server, for documents that need not lie on disk."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._texts: dict[str, str] = {}

    def open(self, place: str, text: str) -> str:
        """Open a document at a path in a folder of its own, and return its address."""
        address = (ROOT / str(len(self._texts)) / place).as_uri()
        self._texts[address] = text
        document = {"uri": address, "languageId": "yaml", "version": 1, "text": text}
        self._client.notify("textDocument/didOpen", {"textDocument": document})
        return address

    def problems(self, place: str, text: str) -> list[Problem]:
        """What is underlined in a document."""
        return self.heard(self.open(place, text))

    def heard(self, address: str) -> list[Problem]:
        """What the server says of a document that was opened."""
        told = self._client.wait_for(
            lambda message: (
                message["method"] == "textDocument/publishDiagnostics" and message["params"]["uri"] == address
            )
        )
        text = self._texts[address]
        return [Problem(it["message"], _marked(text, it["range"])) for it in told["params"]["diagnostics"]]

    def completions(self, place: str, text: str) -> dict[str, Any]:
        """What is offered at the `|` of a text, by label, with what it would insert."""
        found = self._at_cursor("completion", place, text)
        return {it["label"]: it for it in found["items"]}

    def hover(self, place: str, text: str) -> str:
        """What is shown when the pointer rests on the `|` of a text."""
        found = self._at_cursor("hover", place, text)
        return found["contents"]["value"] if found else ""

    def _at_cursor(self, what: str, place: str, text: str) -> Any:
        before, after = text.split("|")
        address = self.open(place, before + after)
        position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return self._client.request(f"textDocument/{what}", {"textDocument": {"uri": address}, "position": position})


def _marked(text: str, place: dict[str, Any]) -> str:
    """The text of a range, as far as its first line goes."""
    start, end = place["start"], place["end"]
    line = text.splitlines()[start["line"]] if text.splitlines() else ""
    return line[start["character"] : end["character"] if end["line"] == start["line"] else None]


@contextmanager
def running(folder: Path) -> Iterator[Editor]:
    """An editor of this repository; the server is installed into a folder."""
    documented = SETTINGS.search((ROOT / "docs/editors.md").read_text(encoding="utf-8"))
    assert documented is not None
    schemas = json.loads(documented[1])["yaml.schemas"]
    settings = {
        "schemas": schemas,
        "schemaStore": {"enable": False},
        "validate": True,
        "completion": True,
        "hover": True,
    }
    sections = {"yaml": settings}
    answers = {"workspace/configuration": lambda asked: [sections.get(it["section"]) for it in asked["items"]]}
    client = Client([str(installed(folder)), "--stdio"], answers)
    folders = [{"uri": ROOT.as_uri(), "name": "flowmill"}]
    capabilities = {
        "workspace": {"configuration": True, "workspaceFolders": True},
        "textDocument": {
            "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
            "hover": {"contentFormat": ["markdown"]},
        },
    }
    client.request(
        "initialize",
        {"processId": None, "rootUri": ROOT.as_uri(), "workspaceFolders": folders, "capabilities": capabilities},
    )
    client.notify("initialized", {})
    try:
        yield Editor(client)
    finally:
        client.stop()
