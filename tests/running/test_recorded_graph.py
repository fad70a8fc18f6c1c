"""What Prefect keeps of a run: the graph, the states, the attempts and the lines, for its UI to show."""

from pathlib import Path

import pytest

from flowmill.backend.flow import build_flow
from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from support.flows import Ran, run_spec, script, write_job
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect

MEET = "touch $1; for _ in $(seq 200); do [ -e $2 ] && exit; sleep 0.05; done; echo nobody came; exit 1"
"""A command that waits up to ten seconds for another one's file."""


@pytest.fixture(scope="module")
def diamond(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run of four steps of which the third fails, and one after them that is allowed to."""
    spec = write_job(
        tmp_path_factory.mktemp("diamond"),
        script("top", "echo from top"),
        script("left", "echo from left", needs="top", name="The left side"),
        script("right", "echo from right; exit 3", needs="top", retries=1, retry_delay="1s"),
        script("bottom", "echo never", needs=["left", "right"]),
        script("below", "echo never", needs="bottom"),
        script("slow", "sleep 60", needs=[], timeout="1s", continue_on_error=True),
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
    }
