"""How long a run takes at worst: each line a flow and the seconds that can be told from its spec."""

from pathlib import Path

import pytest

from flowmill.lint.worst_case import total, worst_case
from flowmill.pipeline import compile_workspace
from lint.workspace import lay_out

ONE = "{id: %s, type: script, command: ./x.sh, timeout: %s%s}"


def steps(*its: tuple[str, str, str]) -> str:
    return f"steps: [{', '.join(ONE % it for it in its)}]"


@pytest.mark.parametrize(
    ("keys", "seconds"),
    [
        pytest.param("steps: [{id: a, type: script, command: ./x.sh}]", 0, id="no timeout counts nothing"),
        pytest.param(
            "steps: [{id: a, type: script, command: ./x.sh, retries: 2, retry_delay: 10, retry_backoff: 3}]",
            10 + 30,
            id="but its waits do",
        ),
        pytest.param(steps(("a", "60", ", retries: 2, retry_delay: 10")), 3 * 60 + 2 * 10, id="attempts and waits"),
        pytest.param(steps(("a", "60", ""), ("b", "5", "")), 65, id="one after the other"),
        pytest.param(steps(("a", "60", ""), ("b", "5", ", needs: []")), 60, id="side by side"),
        pytest.param(
            steps(("a", "60", ""), ("b", "5", ""), ("c", "50", ", needs: a"), ("d", "1", ", needs: [b, c]")),
            60 + 50 + 1,
            id="the longest way",
        ),
        pytest.param(steps(("a", "60", ", foreach: [1, 2, 3, 4, 5]")), 5 * 60, id="elements one at a time"),
        pytest.param(steps(("a", "60", ", foreach: [1, 2, 3, 4, 5], max_parallel: 2")), 3 * 60, id="elements by twos"),
        pytest.param(
            steps(("a", "60", ", matrix: {x: [1, 2], y: [1, 2, 3]}, max_parallel: 4")), 2 * 60, id="a product"
        ),
        pytest.param(
            steps(("a", "60", ', foreach: "${{ parameters.list }}"'))
            + "\nparameters: {list: {type: list, default: [a, b]}}",
            60,
            id="a list of the run is one element",
        ),
        pytest.param(
            steps(("a", "60", "")) + f"\non_failure: [{ONE % ('b', '7', '')}, {ONE % ('c', '7', '')}]"
            f"\non_success: [{ONE % ('d', '9', '')}]\nfinally: [{ONE % ('e', '1', ', retries: 1, retry_delay: 2')}]",
            60 + 14 + 1 + 2 + 1,
            id="handlers behind it, of success or failure",
        ),
        pytest.param(
            steps(("a", "60", ", retries: 2")) + f"\non_retry: [{ONE % ('b', '7', '')}]",
            3 * 60 + 2 * 7,
            id="what runs before each retry",
        ),
    ],
)
def test_the_worst_case(keys: str, seconds: float, tmp_path: Path) -> None:
    head = "project: demo\nenvironment: staging\nserver: etl-01\n"
    (plan,) = compile_workspace(lay_out(tmp_path, {"demo/trips.yaml": f"{head}{keys}\n"})).plans.values()
    assert total(worst_case(plan)) == seconds
