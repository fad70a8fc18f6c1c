"""What Prefect keeps of a run: the graph, the states, the attempts and the lines, for its UI to show."""

from pathlib import Path

import pytest

from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from flowmill.running.runtime import Runtime, Selection
from support.flows import Ran, run_plan, run_spec, script, write_job
from support.prefect_server import PrefectServer
from support.waiting import LEEWAY

pytestmark = pytest.mark.prefect

MEET = 'touch "$1"; for _ in $(seq 200); do [ -e "$2" ] && exit; sleep 0.05; done; echo nobody came; exit 1'
"""A command that waits up to ten seconds for another one's file."""


@pytest.fixture(scope="module")
def diamond(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run in which one side of a diamond fails twice, and a step beside it takes too long."""
    spec = write_job(
        tmp_path_factory.mktemp("diamond"),
        script("top", "echo from top"),
        script("left", "echo from left", needs="top", name="The {left} side"),
        script("right", "echo from right; exit 3", needs="top", retries=1, retry_delay=1),
        script("bottom", needs=["left", "right"]),
        script("below", needs="bottom"),
        script("slow", "sleep 60", needs=[], timeout=1, continue_on_error=True),
        on_failure=[script("tell", "echo handled")],
    )
    return run_spec(prefect_server, spec)


def test_inputs_of_each_task_run_are_its_needs(diamond: Ran) -> None:
    assert diamond.edges() == {
        "top": set(),
        "left": {"top"},
        "right": {"top"},
        "bottom": {"left", "right"},
        "below": {"bottom"},
        "slow": set(),
        "tell": set(),
    }


def test_each_end_of_a_step_has_a_state_of_its_own(diamond: Ran) -> None:
    assert diamond.states() == {
        "top": "Completed",
        "left": "Completed",
        "right": "Failed",
        "bottom": "Skipped",
        "below": "Skipped",
        "slow": "TimedOut",
        "tell": "Completed",
    }


def test_a_skipped_step_is_cancelled_and_names_the_step_that_caused_it(diamond: Ran) -> None:
    for step in ("bottom", "below"):
        state = diamond.tasks[step].state
        assert state
        assert state.is_cancelled()
        assert state.message == "skipped because `right` failed"


def test_the_messages_of_states_say_what_happened(diamond: Ran) -> None:
    assert diamond.message("right") == "the command failed with exit code 3"
    assert diamond.message("slow").startswith("timed out after 1s")
    assert diamond.state.name == "Failed"
    assert diamond.state.message == ("step `right` failed: the command failed with exit code 3; skipped: bottom, below")


def test_task_runs_carry_the_names_that_people_see(diamond: Ran) -> None:
    assert diamond.tasks["left"].name == "The {left} side"
    assert diamond.tasks["top"].name == "top"


def test_attempts_are_counted_and_logged_one_by_one(diamond: Ran) -> None:
    assert diamond.tasks["right"].run_count == 2
    assert diamond.lines("right").count("from right") == 2
    assert diamond.tasks["top"].run_count == 1


def test_the_run_log_holds_the_lines_of_each_step_under_it(diamond: Ran) -> None:
    assert "from top" in diamond.lines("top")
    assert "from left" in diamond.lines("left")
    assert "handled" in diamond.lines("tell")
    assert "Traceback" not in diamond.text()


def test_a_retry_waits_as_long_as_it_should(diamond: Ran, prefect_server: PrefectServer) -> None:
    with prefect_server.client() as client:
        states = client.read_task_run_states(diamond.tasks["right"].id)
    waiting = next(state for state in states if state.name == "AwaitingRetry")
    again = next(state for state in states if state.is_running() and state.timestamp > waiting.timestamp)
    assert 0.9 <= (again.timestamp - waiting.timestamp).total_seconds() < 1 + LEEWAY


def test_waits_between_attempts_grow_by_the_backoff(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("load", retries=4, retry_delay="10s", retry_backoff=1.5))
    policy = run_spec(prefect_server, spec).tasks["load"].empirical_policy
    assert (policy.retries, policy.retry_delay) == (4, [10.0, 15.0, 22.5, 33.75])


def test_independent_steps_run_at_the_same_time(prefect_server: PrefectServer, tmp_path: Path) -> None:
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    spec = write_job(
        tmp_path,
        script("here", MEET, args=[one, other], needs=[]),
        script("there", MEET, args=[other, one], needs=[]),
    )
    assert run_spec(prefect_server, spec).states() == {"here": "Completed", "there": "Completed"}


def test_steps_without_needs_run_in_file_order(prefect_server: PrefectServer, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    note = 'echo "$1" >> "$2"'
    spec = write_job(tmp_path, *(script(id, note, args=[id, str(trail)]) for id in ("one", "two", "three")))
    ran = run_spec(prefect_server, spec)
    assert trail.read_text().split() == ["one", "two", "three"]
    assert ran.edges() == {"one": set(), "two": {"one"}, "three": {"two"}}
    assert (ran.state.name, ran.state.message) == ("Completed", "3 steps succeeded")


def test_a_run_that_fails_by_time_is_timed_out(prefect_server: PrefectServer, tmp_path: Path) -> None:
    ran = run_spec(prefect_server, write_job(tmp_path, script("slow", "sleep 60", timeout=1)))
    assert ran.state.is_failed()
    assert (ran.state.name, ran.states()) == ("TimedOut", {"slow": "TimedOut"})


def test_steps_that_were_not_selected_keep_their_place_in_the_graph(
    prefect_server: PrefectServer, tmp_path: Path
) -> None:
    spec = write_job(tmp_path, script("one"), script("two"), script("three"))
    plan, services = plan_of(spec, "staging"), local_runtime(spec)
    runtime = Runtime(services.folder, services.registry, services.secrets, selection=Selection(only="two"))
    ran = run_plan(prefect_server, plan, runtime)
    assert ran.states() == {"one": "Skipped", "two": "Completed", "three": "Skipped"}
    assert ran.message("one") == "not selected for this run"
    assert ran.edges() == {"one": set(), "two": {"one"}, "three": {"two"}}
    assert ran.state.name == "Completed"
