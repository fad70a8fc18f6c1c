"""A feature that crashes answers with nothing, tells the log what to report, and leaves the server running."""

import sys
from pathlib import Path

from lsprotocol import types

from lint.workspace import FLOW, lay_out
from support.lsp_client import Editor, edit

CRASHING = """\
import flowmill.editor.hover
def crash(*arguments):
    raise RuntimeError("hunter2")
flowmill.editor.hover.hover = crash
from flowmill.editor.serving import serve
serve()
"""


def test_a_crash_of_one_feature_ends_neither_the_server_nor_shows_a_traceback(tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": FLOW})
    program = tmp_path / "crashing.py"
    program.write_text(CRASHING)

    async def scenario(editor: Editor) -> None:
        editor.open("demo/trips.yaml")
        await editor.shows("demo/trips.yaml")
        params = types.HoverParams(editor.document("demo/trips.yaml"), types.Position(0, 1))
        assert await editor.client.text_document_hover_async(params) is None
        (told,) = editor.logged
        editor.logged.clear()
        assert "flowmill has crashed" in told
        assert "RuntimeError at crashing.py:3" in told
        assert "hunter2" not in told
        assert "Traceback" not in told
        editor.type("demo/trips.yaml", FLOW.replace("etl-01", "etl-1"))
        await editor.shows("demo/trips.yaml", "unknown-server")

    edit(tmp_path, scenario, sys.executable, str(program))
