"""The servers that tests talk to: that they stand on the database they are meant to, and survive being killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres import Postgres
from support.prefect_server import PrefectServer, addressed, running_server

pytestmark = pytest.mark.prefect


@pytest.fixture
def own_server(postgres: Postgres, tmp_path: Path) -> Iterator[PrefectServer]:
    """A server that the test may kill."""
    with running_server(tmp_path, postgres.database("killed")) as server:
        yield server


def test_a_killed_server_comes_back_with_what_it_knew(own_server: PrefectServer) -> None:
    with own_server.client() as client:
        flow = client.create_flow_from_name("kept")
    own_server.kill()
    own_server.restart()
    with own_server.client() as client:
        assert client.read_flow_by_name("kept").id == flow
    assert own_server.database() == b"", "nothing lies in a file of its own"


def test_only_who_names_it_talks_to_the_server_on_postgresql(
    prefect_server: PrefectServer, postgres_server: PrefectServer
) -> None:
    from prefect.settings import PREFECT_API_URL

    assert PREFECT_API_URL.value() == prefect_server.api_url
    with addressed(postgres_server):
        assert PREFECT_API_URL.value() == postgres_server.api_url
    assert PREFECT_API_URL.value() == prefect_server.api_url
