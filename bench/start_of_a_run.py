"""How long a run of one script step takes from the shell, beside the bare import of Prefect, and where it goes.

Every row is a process of its own; rows take turns within a round, so that a busy moment hits all of them. Read
the ratios: absolute times differ from machine to machine and from minute to minute.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROUNDS = int(os.environ.get("ROUNDS", "5"))
PYTHON = sys.executable
FLOWMILL = [PYTHON, "-m", "flowmill"]
FLOOR = "from prefect import flow"

WORKSPACE = {
    "flowmill.yaml": "environments: {test: {ref: main}}\nservers: {here: {}}\n",
    "bench/project.yaml": "description: one script step\n",
    "bench/one.yaml": "project: bench\nenvironment: test\nserver: here\n"
    "steps:\n  - {id: hello, type: script, command: echo hello}\n",
}


@contextmanager
def server(home: Path, database: str = "") -> Iterator[str]:
    """A Prefect server of its own on a free port; yields its API's address.

    Args:
        database: its connection URL; by default a file in `home`.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "prefect", "server", "start", "--port", str(port)]
    place = {"PREFECT_API_DATABASE_CONNECTION_URL": database} if database else {}
    env = environment(home) | place
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/health")
        yield f"http://127.0.0.1:{port}/api"
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str, seconds: float = 120) -> None:
    """Return once the address answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urlopen(address, timeout=5).close()
            return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise TimeoutError(f"no answer within {seconds:g} s")


def environment(home: Path, api: str = "") -> dict[str, str]:
    """The variables of a row: a Prefect home of its own, and a server or none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    settings = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    return {**kept, **settings, **({"PREFECT_API_URL": api} if api else {})}


def seconds(command: list[str], env: dict[str, str], folder: Path) -> float:
    """How long a command takes."""
    begun = time.monotonic()
    subprocess.run(command, env=env, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - begun


def main() -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, home, embedded = Path(scratch, "specs"), Path(scratch, "home"), Path(scratch, "embedded")
        for name, text in WORKSPACE.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        with server(home) as api:
            rows = {
                "python -c pass": ([PYTHON, "-c", "pass"], environment(home)),
                f'python -c "{FLOOR}"': ([PYTHON, "-c", FLOOR], environment(home)),
                "flowmill validate, this spec": ([*FLOWMILL, "validate"], environment(home)),
                "flowmill run, on a running server": ([*FLOWMILL, "run", "bench/one.yaml"], environment(home, api)),
                "flowmill run, embedded server": ([*FLOWMILL, "run", "bench/one.yaml"], environment(embedded)),
            }
            # The embedded server makes its database when it starts for the first time: not measured here.
            seconds(*rows["flowmill run, embedded server"], folder)
            times: dict[str, list[float]] = {name: [] for name in rows}
            for _ in range(ROUNDS):
                for name, (command, env) in rows.items():
                    times[name].append(seconds(command, env, folder))
    report(times)


def report(times: dict[str, list[float]]) -> None:
    """Print each row and what it is made of."""
    median = {name: statistics.median(values) for name, values in times.items()}
    floor = median[f'python -c "{FLOOR}"']
    print(f"{'medians of ' + str(ROUNDS) + ' rounds':<42} {'seconds':>8} {'x import':>9}")
    for name, value in median.items():
        print(f"{name:<42} {value:>8.2f} {value / floor:>9.2f}")
    compiling = median["flowmill validate, this spec"] - median["python -c pass"]
    on_server = median["flowmill run, on a running server"]
    starting = median["flowmill run, embedded server"] - on_server
    print("\nwhat makes up the difference to the bare import")
    print(f"{'  reading, checking and planning the spec':<42} {compiling:>8.2f}")
    print(f"{'  the run itself: states, logs, the script':<42} {on_server - floor - compiling:>8.2f}")
    print(f"{'  starting and stopping the embedded server':<42} {starting:>8.2f}")


if __name__ == "__main__":
    main()
