"""The bot of the worked case about two environments: one spec, every three minutes, one run at a time."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.flows import write_workspace

WORKSPACE = {
    "timezone": "Europe/Lisbon",
    "environments": {"staging": {"ref": "main"}, "production": {"ref": "production"}},
    "servers": {"quay-01": {"queues": {"single-file": {"concurrency": 1}}}},
}
SPEC = """\
project: harbour
description: Answers the requests that have come in over night
environment:
  staging: {paused: true}
  production:
server: quay-01
queue: single-file
cron: "*/3 * * * *"
concurrency: 1
run_name: answers with ${{ parameters.tag }}
parameters:
  tag: {type: string, default: calm}
  seconds: {type: string, default: "0"}
steps:
  - id: answer
    type: docker
    image: <image>:${{ parameters.tag }}
    pull: <pull>
    command: <command>
    env_from: harbour-bot-${{ environment }}
    timeout: 60s
"""


def write_bot(
    folder: Path, image: str, pull: str, command: list[str], workspace: Mapping[str, Any] = WORKSPACE, **changes: str
) -> Path:
    """Write a workspace with the bot, and its spec with changes of its text; the path of the spec."""
    text = SPEC.replace("<image>", image).replace("<pull>", pull).replace("<command>", json.dumps(command))
    for old, new in changes.items():
        text = text.replace(old, new)
    return write_workspace(folder, {"harbour/bot.yaml": text}, workspace) / "harbour/bot.yaml"
