"""How long registering takes, beside `prefect deploy --all` with as many entries on the same server.

Both take turns on one server, first on SQLite, then on PostgreSQL if that is installed. flowmill's flows are one each,
and have to be proved, compared and given their runs; prefect's entries are deployments of one and the same flow.
Read the ratios: absolute times differ from machine to machine and from minute to minute.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from start_of_a_run import FLOWMILL, PYTHON, environment, seconds, server

from support.postgres import problem, running_postgres

FEW, MANY, CHANGED = (int(it) for it in os.environ.get("COUNTS", "100 300 10").split())
POOL = [PYTHON, "-m", "prefect", "work-pool", "create", "bench", "--type", "process"]
REGISTER = [*FLOWMILL, "register", "--env", "test", "--create"]
DEPLOY = [PYTHON, "-m", "prefect", "--no-prompt", "deploy", "--all"]

WORKSPACE = {
    "specs/flowmill.yaml": "name: bench\nenvironments: {test: {ref: main, storage: local}}\nservers: {bench: {}}\n",
    "specs/bench/project.yaml": "description: one script step each\n",
}
FLOW = """\
project: bench
environment: test
server: bench
cron: "{minute} 6 * * *"
steps:
  - {{id: hello, type: script, command: echo hello}}
"""
PYTHON_FLOW = "from prefect import flow\n\n\n@flow\ndef hello():\n    print('hello')\n"
ENTRY = """\
  - name: d{number}
    entrypoint: flows.py:hello
    work_pool: {{name: bench}}
    schedules: [{{cron: "{minute} 6 * * *", timezone: UTC}}]
"""


def write(folder: Path, count: int, changed: int = 0) -> None:
    """The same number of flows for both; the first ones of them changed."""
    minutes = [int(number < changed) for number in range(count)]
    flows = {f"specs/bench/f{number}.yaml": FLOW.format(minute=minute) for number, minute in enumerate(minutes)}
    entries = (ENTRY.format(number=number, minute=minute) for number, minute in enumerate(minutes))
    deployments = {"peer/prefect.yaml": "name: bench\ndeployments:\n" + "".join(entries), "peer/flows.py": PYTHON_FLOW}
    for name, text in {**WORKSPACE, **flows, **deployments}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def measured(folder: Path, env: dict[str, str]) -> Iterator[tuple[str, float, float]]:
    """Each case: what flowmill takes, and what prefect takes."""

    def both() -> tuple[float, float]:
        return seconds(REGISTER, env, folder / "specs"), seconds(DEPLOY, env, folder / "peer")

    seconds(POOL, env, folder)
    write(folder, FEW)
    yield f"{FEW} new", *both()
    yield f"{FEW} unchanged", *both()
    write(folder, MANY)
    yield f"{MANY}, of which {MANY - FEW} are new", *both()
    write(folder, MANY, CHANGED)
    yield f"{MANY}, of which {CHANGED} have changed", *both()


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """The connection URLs of the databases that can be had; empty for a file."""
    if problem():
        yield {"SQLite": ""}
        return
    with running_postgres() as cluster:
        yield {"SQLite": "", "PostgreSQL": cluster.database("bench")}


def main() -> None:
    """Measure and print the tables."""
    with databases() as urls:
        for name, url in urls.items():
            print(f"{name:<34} {'flowmill':>9} {'prefect':>9} {'ratio':>7}   seconds")
            with tempfile.TemporaryDirectory() as scratch, server(Path(scratch, "home"), url) as api:
                for case, ours, theirs in measured(Path(scratch), environment(Path(scratch, "home"), api)):
                    print(f"{case:<34} {ours:>9.2f} {theirs:>9.2f} {theirs / ours:>6.1f}x", flush=True)


if __name__ == "__main__":
    main()
