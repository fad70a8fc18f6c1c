"""A cluster to look at: `make cluster` brings it up, `make cluster-down` takes it down and leaves nothing.

    python docs/cluster.py up [--folder FOLDER]      start it, and say where everything is
    python docs/cluster.py down [--folder FOLDER]    end what was started, and remove the folder

What it consists of is `tests/support/cluster.py`, which the acceptance test uses as well. One process in the
background holds it together; it keeps a file with the processes that it has started, so that `down` ends exactly
those, also when it has died itself. A process is known by its id and the moment of its start.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".cache/cluster"
START_WITHIN, STOP_WITHIN = 300, 90
TEXT = """\
The cluster is up: a Prefect server, a repository with the branches main and production, four workers.

  Prefect's UI     {ui}
  mails            {folder}/mails
  Slack messages   {folder}/slack
  the repository   {repository}
  what is printed  {folder}/server/server.log, {folder}/*/worker-0.log

{docker}One run of tour.report in each environment was started. Start another one:
  PREFECT_API_URL={api} .venv/bin/prefect deployment run tour.report/staging

Take it down, with everything above: make cluster-down
"""
NO_DOCKER = "No Docker engine answers, so the flow tour.container is left out.\n"


def up(folder: Path) -> int:
    """Start the process in the background, and wait until everything runs."""
    if _processes(folder):
        print("a cluster is up already, or was not taken down: `make cluster-down` takes it down")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "cluster.log"
    with log.open("wb") as output:
        command = [sys.executable, str(Path(__file__).resolve()), "serve", "--folder", str(folder)]
        environ = {**os.environ, "PREFECT_HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache")}
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, start_new_session=True)
    print("starting: about half a minute")
    try:
        _wait(lambda: (folder / "text").exists() or process.poll() is not None, START_WITHIN)
    except KeyboardInterrupt:
        down(folder)
        raise
    if process.poll() is not None or not (folder / "text").exists():
        print(f"it did not start:\n{log.read_text()[-3000:]}", file=sys.stderr)
        down(folder)
        return 1
    print((folder / "text").read_text())
    return 0


def down(folder: Path) -> int:
    """End the process in the background, which ends the others, and whatever of them is left."""
    for process in _processes(folder):
        if _lives(process):
            os.kill(process["pid"], signal.SIGTERM)
            _wait(lambda it=process: not _lives(it), STOP_WITHIN)
        if _lives(process):
            os.killpg(process["pid"], signal.SIGKILL)
    _remove_image(folder)
    shutil.rmtree(folder, ignore_errors=True)
    print("nothing of the cluster is left")
    return 0


def serve(folder: Path) -> int:
    """Be the process that holds everything, until it is told to end."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    _note(folder, [os.getpid()])
    sys.path.insert(0, str(ROOT / "tests"))
    from support.cluster import IMAGE, running_cluster
    from support.prefect_server import addressed, running_server

    for name in ("server", "mails", "slack"):
        (folder / name).mkdir()
    has_docker = _has_docker(IMAGE, folder)
    with ExitStack() as stack:
        server = stack.enter_context(running_server(folder / "server", PREFECT_SERVER_UI_ENABLED="true"))
        _note(folder, [os.getpid(), server.pid])
        stack.enter_context(addressed(server))
        cluster = stack.enter_context(running_cluster(folder, server, has_docker=has_docker))
        cluster.start_workers(stack)
        _note(folder, [os.getpid(), *(it.process.pid for it in cluster.workers.values()), server.pid])
        for environment in ("staging", "production"):
            cluster.run_by_hand("tour.report", environment)
        _tell(folder, cluster, has_docker)
        while not told.wait(0.5):
            _keep(folder, cluster)
    return 0


def _tell(folder: Path, cluster: Any, has_docker: bool) -> None:
    """Write what `up` prints, when everything runs."""
    api = cluster.server.api_url
    words = {"ui": api.removesuffix("/api"), "api": api, "repository": cluster.host.repository, "folder": folder}
    text = TEXT.format(**words, docker="" if has_docker else NO_DOCKER + "\n")
    (folder / "text.new").write_text(text)
    (folder / "text.new").rename(folder / "text")


def _keep(folder: Path, cluster: Any) -> None:
    """Write what has arrived into files, numbered in its order."""
    for number, mail in enumerate(list(cluster.mails.received), 1):
        (folder / f"mails/{number:03}.eml").write_bytes(mail.data)
    for number, request in enumerate(list(cluster.slack.requests), 1):
        (folder / f"slack/{number:03}.json").write_bytes(request.body)


def _note(folder: Path, pids: list[int]) -> None:
    """Write down which processes there are, in the order in which they are to end."""
    entries = [{"pid": pid, "started": _started(pid)} for pid in pids]
    (folder / "processes.new").write_text(json.dumps(entries))
    (folder / "processes.new").rename(folder / "processes.json")


def _processes(folder: Path) -> list[dict[str, Any]]:
    file = folder / "processes.json"
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return found


def _lives(process: dict[str, Any]) -> bool:
    """Whether it is still that process, and not another one that has got its id."""
    return _started(process["pid"]) == process["started"]


def _started(pid: int) -> str:
    """When a process was started, in ticks since the machine was; empty where there is none, or only its remains."""
    with contextlib.suppress(OSError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if state == "Z" else fields[18]
    return ""


def _has_docker(image: str, folder: Path) -> bool:
    """Whether an engine answers; where it lacks the image, a file says so, since it then goes again."""
    import docker
    from docker.errors import DockerException

    try:
        with contextlib.closing(docker.from_env(timeout=10)) as client:
            if not client.images.list(image):
                (folder / "image").write_text(image)
    except DockerException:
        return False
    return True


def _remove_image(folder: Path) -> None:
    """Remove the image that was made, where the process that made it had no time to."""
    if (folder / "image").exists():
        image = (folder / "image").read_text()
        subprocess.run(["docker", "image", "rm", "--force", image], capture_output=True, check=False)


def _wait(condition: Any, seconds: float) -> None:
    """Until it is true, or the seconds are over."""
    pause = threading.Event()
    for _ in range(int(seconds * 10)):
        if condition():
            return
        pause.wait(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A cluster to look at.")
    parser.add_argument("verb", choices=["up", "down", "serve"])
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    verbs = {"up": up, "down": down, "serve": serve}
    sys.exit(verbs[arguments.verb](arguments.folder.resolve()))
