"""Whether the process that something belongs to is gone, told by labels; in doubt it lives."""

import os
import subprocess
import sys

import pytest

from flowmill_tasks.owner import HOST, OWNER, host, is_dead, labels

PRINT = "from flowmill_tasks.owner import OWNER, labels; print(labels()[OWNER])"


@pytest.fixture(scope="module")
def of_an_ended_process() -> str:
    return subprocess.run([sys.executable, "-c", PRINT], capture_output=True, text=True, check=True).stdout.strip()


def changed(owner: str, part: int, value: str) -> str:
    parts = owner.split(".", 2)
    return ".".join([*parts[:part], value, *parts[part + 1 :]])


def test_a_living_process_is_not_dead() -> None:
    assert labels()[OWNER].startswith(f"{os.getpid()}.")
    assert not is_dead(labels())


def test_a_process_that_has_ended_is_dead(of_an_ended_process: str) -> None:
    assert is_dead({HOST: host(), OWNER: of_an_ended_process})


def test_a_process_of_another_machine_lives_for_all_we_know(of_an_ended_process: str) -> None:
    assert not is_dead({HOST: "elsewhere", OWNER: of_an_ended_process})


def test_an_id_that_is_somebody_elses_by_now_is_dead() -> None:
    assert is_dead({HOST: host(), OWNER: changed(labels()[OWNER], 1, "1")})


def test_a_process_from_before_the_machine_was_started_anew_is_dead() -> None:
    _, _, era = labels()[OWNER].split(".", 2)
    assert is_dead({HOST: host(), OWNER: changed(labels()[OWNER], 2, f"of-old/{era.partition('/')[2]}")})


def test_a_process_in_another_container_lives_for_all_we_know(of_an_ended_process: str) -> None:
    _, _, era = of_an_ended_process.split(".", 2)
    other = changed(of_an_ended_process, 2, f"{era.partition('/')[0]}/pid:[1]")
    assert not is_dead({HOST: host(), OWNER: other})


@pytest.mark.parametrize("owner", ["", "x", "12", "12.", "x.1.a/b", "12..a/b"])
def test_what_is_no_process_is_not_dead(owner: str) -> None:
    assert not is_dead({HOST: host(), OWNER: owner})
    assert not is_dead({OWNER: owner})
