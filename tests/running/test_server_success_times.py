"""The times of last successes on a real Prefect server: a variable each, safe where processes end at one instant."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from uuid import uuid4

import pytest
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, VariableUpdate
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.types.names import raise_on_name_alphanumeric_dashes_underscores_only

from flowmill.backend.success_times import ServerTimes, configured_server, variable_of
from flowmill.running.success_times import TimesError
from support.prefect_server import PrefectServer
from support.race import race

pytestmark = pytest.mark.prefect

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RACE = """
import sys
from datetime import datetime, timedelta
from flowmill.backend.success_times import ServerTimes

name, first = sys.argv[1], datetime.fromisoformat(sys.argv[2])
store = ServerTimes()
sys.stdin.readline()
for step in range(0, 20, 2):
    mine = first + timedelta(minutes=step)
    store.advance(name, mine)
    assert store.read(name) >= mine, "the other has gone back behind what this one had kept"
"""


@pytest.fixture
def name() -> str:
    """The name of a flow that no other test uses."""
    return f"demo.job-{uuid4().hex[:12]}.staging"


@pytest.fixture
def store(prefect_server: PrefectServer) -> ServerTimes:
    return ServerTimes()


def test_what_is_kept_is_read_exactly(store: ServerTimes, name: str) -> None:
    assert store.read(name) is None
    start = datetime(2026, 11, 23, 9, 15, 0, 123456, timezone(timedelta(hours=-6)))
    store.advance(name, start)
    assert store.read(name) == start


def test_it_never_goes_back_unless_it_is_set(store: ServerTimes, name: str) -> None:
    store.advance(name, NOON)
    store.advance(name, NOON - timedelta(hours=1))
    assert store.read(name) == NOON
    store.set(name, NOON - timedelta(days=9))
    assert store.read(name) == NOON - timedelta(days=9)
    store.reset(name)
    store.reset(name)
    assert store.read(name) is None


def test_two_processes_race_and_the_latest_stays(store: ServerTimes, name: str, prefect_server: PrefectServer) -> None:
    race(RACE, *((name, (NOON + timedelta(minutes=number)).isoformat()) for number in (0, 1)))
    assert store.read(name) == NOON + timedelta(minutes=19)


def test_a_lock_that_nobody_gives_back_comes_free(store: ServerTimes, name: str, prefect_server: PrefectServer) -> None:
    limit = variable_of(name)
    with prefect_server.client() as client:
        made = GlobalConcurrencyLimitCreate(name=limit, limit=1, slot_decay_per_second=1.0)
        client.create_global_concurrency_limit(made)
        client.increment_concurrency_slots([limit], 1, "concurrency")
        assert client.read_global_concurrency_limit_by_name(limit).active_slots == 1
    store.advance(name, NOON)
    assert store.read(name) == NOON


def test_a_variable_that_somebody_has_spoilt_is_named(
    store: ServerTimes, name: str, prefect_server: PrefectServer
) -> None:
    store.advance(name, NOON)
    with prefect_server.client() as client:
        client.update_variable(VariableUpdate(name=variable_of(name), value="yesterday"))
    for attempt in (lambda: store.read(name), lambda: store.advance(name, NOON)):
        with pytest.raises(TimesError, match=rf"the variable `{variable_of(name)}` cannot be used.*state reset"):
            attempt()
    store.reset(name)
    assert store.read(name) is None


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with temporary_settings({PREFECT_API_URL: "http://me:osprey-4411@127.0.0.1:9/api"}):
        with pytest.raises(TimesError) as told:
            configured_server().read("demo.job.staging")
        assert str(told.value) == "the Prefect server at http://127.0.0.1:9/api cannot be asked (ConnectError)"


def test_a_server_has_to_be_configured() -> None:
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(TimesError, match="PREFECT_API_URL"),
    ):
        configured_server()


PARTS = ["a", "b", "a-b", "a_b", "1", "1-a", "a-1", "1-1", "a_", "a-", "x" * 63]


def names() -> Iterator[str]:
    for parts in product(PARTS, repeat=3):
        yield ".".join(parts)


def test_no_two_flows_or_environments_share_a_variable_and_prefect_accepts_every_one() -> None:
    variables = [variable_of(name) for name in names()]
    assert len(set(variables)) == len(PARTS) ** 3
    for variable in variables:
        assert len(variable) <= 255
        raise_on_name_alphanumeric_dashes_underscores_only(variable, "Variable name")
