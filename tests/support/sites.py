"""Sites as `flowmill site` writes them, of the specs that ship and of some that mean no good."""

import shutil
from pathlib import Path

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


def hostile_site(folder: Path) -> Path:
    """The site of a workspace whose every free text tries to be something else."""
    long_name = f"n{'a' * 62}"
    workspace = {
        "repository": "https://example.org/<b>.git",
        "environments": {"staging": {"ref": "main", "description": HOSTILE}, long_name: {"ref": HOSTILE.split()[0]}},
        "servers": {"etl-01": {"description": HOSTILE, "queues": {"slow": {"description": HOSTILE}}}, long_name: {}},
    }
    step = {"type": "script", "command": ["echo", HOSTILE], "env": {"A": HOSTILE, "API_TOKEN": TOKEN}}
    flow = {
        **JOB,
        "environment": ["staging", long_name],
        "description": f"{HOSTILE}\n\n{RIGHT_TO_LEFT} {LONG}",
        "owner": HOSTILE,
        "tags": [HOSTILE.split()[0], LONG[:200], RIGHT_TO_LEFT],
        "vars": {"password": "hunter2hunter2", "text": HOSTILE},
        "parameters": {"p": {"type": "string", "default": HOSTILE, "description": HOSTILE}},
        "steps": [{**step, "id": long_name, "name": HOSTILE}, {**step, "id": "b", "needs": []}],
        "on_failure": [{"type": "slack", "token": "${{ secrets.bot }}", "channel": "C024BE91L", "text": HOSTILE}],
    }
    shown = {"project.yaml": {"description": HOSTILE, "owner": HOSTILE}, f"{long_name}.yaml": flow}
    files = {f"demo/{name}": content for name, content in shown.items()}
    return made(write_workspace(folder, files, workspace))
