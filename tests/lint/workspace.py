"""A small workspace for tests of rules."""

from collections.abc import Mapping
from pathlib import Path

from support.files import write_files

WORKSPACE = """\
environments:
  staging: {ref: main}
  production: {ref: production}
servers:
  etl-01:
"""
FLOW = """\
project: demo
environment: [staging, production]
server: etl-01
cron: "17 4 * * *"
steps: [{id: load, type: script, command: ./load.sh}]
"""
UNEVEN = FLOW.replace('"17 4 * * *"', '"*/45 * * * *"')
"""A flow that the rule `uneven-step` finds something in."""


def lay_out(folder: Path, files: Mapping[str, str]) -> Path:
    """Write `specs/` into a folder, with one project and whatever files are given over that; its path."""
    shared = {"flowmill.yaml": WORKSPACE, "demo/project.yaml": "description: a project\n"}
    write_files(folder / "specs", {**shared, **files})
    return folder / "specs"
