"""What tests of registering get: a folder of specs on a real server, behind a proxy that counts what is written."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.desk import Desk
    from support.prefect_server import PrefectServer
    from support.proxy import Proxy


@pytest.fixture(params=["prefect_server", "postgres_server"], ids=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> "Iterator[PrefectServer]":
    """The session's servers, one on each database; the pool that `register --create` makes goes after each test."""
    from prefect.exceptions import ObjectNotFound

    found: PrefectServer = request.getfixturevalue(request.param)
    yield found
    with found.client() as client, contextlib.suppress(ObjectNotFound):
        client.delete_work_pool("etl-01")


@pytest.fixture
def proxy(server: "PrefectServer") -> "Iterator[Proxy]":
    from support.proxy import recording_proxy

    with recording_proxy(server.api_url) as proxy:
        yield proxy


@pytest.fixture
def desk(tmp_path: Path, proxy: "Proxy", server: "PrefectServer") -> "Iterator[Desk]":
    from support.desk import desk_in

    with desk_in(tmp_path, proxy, server) as desk:
        yield desk
