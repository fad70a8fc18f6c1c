"""What every test gets: an environment of its own, servers if it asks, or a reason why not."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.browser import Browser
    from support.postgres import Postgres
    from support.prefect_server import PrefectServer

_OURS = ("PREFECT_", "FLOWMILL_")
_HOME = pytest.StashKey[Path]()

_CLIENT = {
    # A run's lines are read back at once; by default they are sent every two seconds.
    "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.2",
    # pytest would keep them twice.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
}


def pytest_configure(config: pytest.Config) -> None:
    """Forget the developer's own Prefect and secrets before any test module imports Prefect."""
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="flowmill-tests-"))
    config.stash[_HOME] = home
    os.environ |= {"PREFECT_HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), **_CLIENT}
    # A shell's job in the background ignores Ctrl-C, and so would all that tests start and press it for.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_HOME], ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without what a test's marker names it is skipped on a desk and fails in CI."""
    if item.get_closest_marker("docker") is not None:
        _need("a Docker engine", _engine_problem())
    if item.get_closest_marker("systemd") is not None:
        _need("systemd", "" if shutil.which("systemd-analyze") else "there is no systemd-analyze")
    if item.get_closest_marker("browser") is not None:
        from support.browser import problem

        _need("a browser", problem())
    if item.get_closest_marker("node") is not None:
        from support import npm

        _need("npm", npm.problem())


def _need(what: str, problem: str) -> None:
    """Skip the test on a desk, and fail it in CI, if there is a problem with something of this machine."""
    if not problem:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI needs {what}: {problem}", pytrace=False)
    pytest.skip(f"needs {what}: {problem}")


@cache
def _engine_problem() -> str:
    """Why no Docker engine can be used; empty when one can."""
    import docker
    from docker.errors import DockerException

    try:
        docker.from_env(timeout=10).close()
    except DockerException as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A Chromium for the tests of one file; as long as it runs, nothing else can run an event loop here."""
    from support.browser import running_browser

    with running_browser() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[PrefectServer]":
    """The session's server; Prefect in this process and in those that tests start talks to it."""
    from support.prefect_server import addressed, running_server

    with running_server(tmp_path_factory.mktemp("prefect-server")) as server, addressed(server):
        yield server


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    """The session's PostgreSQL; whoever needs a database makes one in it."""
    from support.postgres import problem, running_postgres

    _need("PostgreSQL", problem())
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_server(postgres: "Postgres", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[PrefectServer]":
    """A second server for the session, on PostgreSQL; only who names its address talks to it (see `addressed`)."""
    from support.prefect_server import running_server

    home = tmp_path_factory.mktemp("postgres-server")
    with running_server(home, postgres.database("prefect")) as server:
        yield server
