"""Sites as `flowmill site` writes them, of the specs that ship and of some that mean no good."""

import shutil
from pathlib import Path
from typing import Any

from support.flows import JOB, write_workspace
from validating.command import flowmill

SPECS = Path(__file__).resolve().parents[2] / "specs"
FROM = ("--from", "2026-12-01")

SCRIPT = "<script>document.title = 'caught'</script>"
HOSTILE = f"""</title></td></p>{SCRIPT}<img src=x onerror="alert(1)"> {{{{ 7 * 7 }}}} {{% raw %}} " ' & &lt;"""
LONG = "x" * 600
RIGHT_TO_LEFT = "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"
TOKEN = "xoxb-1234567890-abcdefghijklmnop"


def made(workspace: Path, *more: str) -> Path:
    """The site of a workspace."""
    done = flowmill("site", "--out", workspace / "out", *FROM, *more, cwd=workspace)
    assert done.code == 0, done.error
    return workspace / "out"


def shipped_site(folder: Path) -> Path:
    """The site of the specs that ship."""
    shutil.copytree(SPECS, folder / "specs", ignore=shutil.ignore_patterns("__pycache__"))
    return made(folder)


LONG_NAME = f"n{'a' * 62}"


def hostile_site(folder: Path) -> Path:
    """The site of a workspace whose every free text tries to be something else."""
    workspace = {
        "repository": "https://example.org/<b>.git",
        "environments": {"staging": {"ref": "main", "description": HOSTILE}, LONG_NAME: {"ref": HOSTILE.split()[0]}},
        "servers": {"etl-01": {"description": HOSTILE, "queues": {"slow": {"description": HOSTILE}}}, LONG_NAME: {}},
    }
    inherited = {"vars": {"password": "swordfish99"}}
    files = {
        "demo/project.yaml": {"description": HOSTILE, "owner": HOSTILE, "defaults": inherited},
        f"demo/{LONG_NAME}.yaml": _hostile_flow(),
    }
    return made(write_workspace(folder, files, workspace))


def _hostile_flow() -> dict[str, Any]:
    step = {"type": "script", "command": ["echo", HOSTILE], "env": {"A": HOSTILE, "API_TOKEN": TOKEN}}
    message = {"type": "slack", "token": "${{ secrets.bot }}", "channel": "C024BE91L", "text": HOSTILE}
    return {
        **JOB,
        "environment": ["staging", LONG_NAME],
        "description": f"{HOSTILE}\n\n{RIGHT_TO_LEFT} {LONG}",
        "owner": HOSTILE,
        "tags": [HOSTILE.split()[0], LONG[:200], RIGHT_TO_LEFT],
        "vars": {"password": "hunter2hunter2", "text": HOSTILE},
        "parameters": {"p": {"type": "string", "default": HOSTILE, "description": HOSTILE}},
        "steps": [{**step, "id": LONG_NAME, "name": HOSTILE}, {**step, "id": "b", "needs": []}],
        "on_failure": [{**message, "if": f"vars.text != '{TOKEN}'"}],
    }
