"""A test of a flow and a run on a real Prefect server do the same: what is started, with what, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from flowmill.planning.plan import Plan
from flowmill.testing.spec import FlowTest
from flowmill.testing.trial import carry_out
from flowmill_tasks.registry import discover
from support.flows import read_run, run_plan, write_job
from support.prefect_server import PrefectServer
from support.waiting import eventually

pytestmark = pytest.mark.prefect

RECORD = """\
import json, os, sys
trail, label, fails, *more = sys.argv[1:]
with open(trail, "a") as file:
    file.write(json.dumps([label, more, os.environ.get("MODE")]) + "\\n")
seen = sum(json.loads(line)[0] == label for line in open(trail))
print("printed by", label)
sys.exit(3 if seen <= int(fails) else 0)
"""


def step(id: str, fails: int = 0, label: str = "", more: tuple[str, ...] = (), **keys: Any) -> dict[str, Any]:
    """A step that writes itself into the trail, and fails so many times."""
    args = ["${{ parameters.trail }}", label or id, str(fails), *more]
    return {"id": id, "type": "script", "file": "record.py", "args": args, **keys}


STEPS = [
    step("list", env={"MODE": "${{ environment }}"}),
    step("each", label="each[${{ item }}]", more=("${{ steps.list.stdout }}",), foreach=["a", "b"], retries=1),
    step("flaky", 1, retries=2, more=("${{ steps.each.results | length }}",)),
    step("allowed", 9, continue_on_error=True),
    step("never", **{"if": "steps.flaky.attempts == 7"}),
    step("broken", 9, retries=1, needs="never"),
    step("after", needs="broken"),
    step("rescue", needs="after", more=("${{ steps.broken.state }}",), **{"if": "failure()"}),
    step("last", needs="rescue", **{"if": "always()"}),
]
HANDLERS = {
    "on_retry": [step("again", more=("${{ retry.step }}", "${{ retry.attempt }}"))],
    "on_failure": [step("sorry", more=("${{ failure.step }}", "${{ failure.message }}"))],
    "on_success": [step("hooray")],
    "finally": [step("bye", **{"if": "failure()"})],
}
FAILURES = {"flaky": [{"exit_code": 3}, {}], "allowed": [{"exit_code": 3}], "broken": [{"exit_code": 3}]}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    spec = write_job(tmp_path, *STEPS, **HANDLERS, parameters={"trail": {"type": "string"}})
    (spec.parent / "record.py").write_text(RECORD)
    return spec


def on_prefect(server: PrefectServer, spec: Path, plan: Plan, trail: Path) -> tuple[list[Any], dict[str, Any]]:
    """The trail of a real run, and the state and attempts of each task."""
    ran = run_plan(server, plan, local_runtime(spec), trail=str(trail))
    names = {"each[a]", "each[b]", *(it["id"] for it in STEPS if it["id"] != "each")}

    def complete() -> Any:
        again = read_run(server, ran.run.id, plan)
        return again if names <= again.named.keys() else None

    named = eventually(complete).named
    words = {"Completed": "success", "Failed": "failed", "Skipped": "skipped"}
    ends = {name: words[named[name].state_name or ""] for name in names}
    return [json.loads(line) for line in trail.read_text().splitlines()], {**ends, "run": ran.state.message}


def in_a_test(spec: Path, plan: Plan, trail: Path) -> tuple[list[Any], dict[str, Any]]:
    """The same of a test, as `flowmill test` carries it out."""
    printed = {it["id"]: [{"stdout": f"printed by {it['id']}"}] for it in STEPS}
    given = {**printed, **FAILURES}
    test = FlowTest.model_validate({"name": "it", "parameters": {"trail": str(trail)}, "results": given, "expect": {}})
    trial = carry_out(test, plan, spec.parent, discover())
    done = [(attempt.recorded or {}, attempt) for attempt in trial.attempts]
    lines = [[it["argv"][3], it["argv"][5:], attempt.env.get("MODE")] for it, attempt in done]
    ends = {label: outcome.state.value for label, outcome in trial.ended.items()}
    return lines, {**ends, "run": trial.message}


def test_a_test_and_a_real_run_do_the_same(prefect_server: PrefectServer, spec: Path, tmp_path: Path) -> None:
    plan = plan_of(spec, "staging")
    trail, ends = on_prefect(prefect_server, spec, plan, tmp_path / "trail")
    expected_trail, expected_ends = in_a_test(spec, plan, tmp_path / "trail")
    assert trail == expected_trail
    assert ends.items() <= expected_ends.items()
    assert [label for label, _, _ in trail] == [
        *("list", "each[a]", "each[b]", "flaky", "again", "flaky", "allowed"),
        *("broken", "again", "broken", "rescue", "last", "sorry", "bye"),
    ]
