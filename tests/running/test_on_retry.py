"""`on_retry`: told each time a step is about to be tried again, and only then."""

import json
from pathlib import Path
from typing import Any

import pytest

from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from support.flows import Ran, run_plan, script, write_job
from support.prefect_server import PrefectServer
from support.slack import slack_endpoint

pytestmark = pytest.mark.prefect

ONCE = '[ -e "$1" ] || { touch "$1"; exit 9; }'


def told(server: PrefectServer, folder: Path, *steps: Any, **keys: Any) -> tuple[Ran, list[str]]:
    """A run whose handlers speak to a real endpoint, and what they said."""
    text = "${{ retry.step }}: attempt ${{ retry.attempt }} of ${{ retry.attempts }}: ${{ retry.message }}"
    tell = {"type": "slack", "webhook": "${{ secrets.slack.url }}", "text": text}
    spec = write_job(folder, *steps, on_retry=[{**tell, **keys}])
    with slack_endpoint() as slack:
        (folder / ".flowmill").mkdir()
        (folder / ".flowmill/secrets.yaml").write_text(json.dumps({"slack": {"url": slack.webhook}}))
        ran = run_plan(server, plan_of(spec, "staging"), local_runtime(spec))
        return ran, [request.json()["text"] for request in slack.requests]


def test_a_retry_is_told_once_and_a_failure_that_ends_it_is_not(prefect_server: PrefectServer, tmp_path: Path) -> None:
    flaky = script("flaky", ONCE, args=[str(tmp_path / "was-here")], retries=2)
    broken = script("broken", "exit 4", retries=1)
    ran, texts = told(prefect_server, tmp_path, flaky, broken)
    assert texts == [
        "flaky: attempt 1 of 3: the command failed with exit code 9",
        "broken: attempt 1 of 2: the command failed with exit code 4",
    ]
    assert ran.states()["flaky"] == "Completed"
    assert ran.state.is_failed()


def test_a_step_that_cannot_be_helped_by_trying_again_tells_nothing(
    prefect_server: PrefectServer, tmp_path: Path
) -> None:
    _, texts = told(prefect_server, tmp_path, script("missing", ["/no/such/program"], retries=3))
    assert texts == []


def test_a_handler_may_have_a_condition_and_may_fail(prefect_server: PrefectServer, tmp_path: Path) -> None:
    flaky = script("flaky", ONCE, args=[str(tmp_path / "was-here")], retries=1)
    ran, texts = told(prefect_server, tmp_path, flaky, **{"if": "retry.step == 'other'"})
    assert texts == []
    assert ran.state.is_completed()
    assert ran.message("on_retry_1") == "skipped: `retry.step == 'other'` is false"
