"""The specs that ship to be tried out run, in each of their environments, with their messages in an outbox."""

import contextlib
import io
import json
import tarfile
from functools import cache
from pathlib import Path

import docker
import pytest

from flowmill.local.runtime import local_runtime
from flowmill.pipeline import compile_workspace
from flowmill.planning.plan import Plan
from support.engine import file_system
from support.flows import run_plan
from support.prefect_server import PrefectServer
from support.smtp import parsed

SPECS = Path(__file__).parents[2] / "specs"
IMAGE = "flowmill-demo/tools"
COMMANDS = ("sh", "cat", "echo", "env", "grep", "printf", "sleep", "sort", "true")

COMPILED = compile_workspace(SPECS)
SUFFIXES = {"email": ".eml", "slack": ".json", "artifact": ".md"}
TO_TRY_OUT = ("examples", "mobility", "reports")
"""Projects whose flows need nothing from outside; what the others do is said by the tests beside them."""


def needs_docker(plan: Plan) -> bool:
    return any(step.type == "docker" for step in plan.steps)


CASES = [
    pytest.param(plan, id=f"{plan.name}-{plan.environment}", marks=[pytest.mark.docker] * needs_docker(plan))
    for plan in COMPILED.plans.values()
    if plan.project in TO_TRY_OUT
]


@cache
def provide_image() -> None:
    """The image that `make demo` imports, under the tags that the specs name."""
    with contextlib.closing(docker.from_env()) as client:
        for tag in ("latest", "stable"):
            if not client.images.list(f"{IMAGE}:{tag}"):
                client.api.import_image_from_data(_files(), repository=IMAGE, tag=tag)


def _files() -> bytes:
    content = io.BytesIO(file_system())
    with tarfile.open(fileobj=content, mode="a") as archive:
        names = set(archive.getnames())
        for command in COMMANDS:
            entry = tarfile.TarInfo(f"bin/{command}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            if entry.name not in names:
                archive.addfile(entry)
    return content.getvalue()


def test_the_specs_are_right() -> None:
    assert COMPILED.diagnostics == ()
    assert COMPILED.flows >= 25


@pytest.mark.prefect
@pytest.mark.parametrize("plan", CASES)
def test_it_runs(prefect_server: PrefectServer, plan: Plan, tmp_path: Path) -> None:
    if needs_docker(plan):
        provide_image()
    spec, outbox = SPECS / plan.spec_path, tmp_path / "outbox"
    ran = run_plan(prefect_server, plan, local_runtime(spec, outbox))
    assert ran.state.name == "Completed", ran.text()
    assert set(ran.states().values()) == {"Completed"}
    written = sorted(path.suffix for path in outbox.glob("*"))
    sending = (*plan.steps, *plan.on_success, *plan.finally_)
    assert written == sorted(SUFFIXES[step.type] for step in sending if step.type in SUFFIXES)
    for mail in outbox.glob("*.eml"):
        message = parsed(mail.read_bytes())
        assert message["Subject"]
        assert message["To"]
        assert not message.defects
    for posted in outbox.glob("*.json"):
        assert json.loads(posted.read_bytes())["text"].strip()
