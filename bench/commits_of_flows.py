"""How long it takes to find the commit that each of 300 flows dates from, in a history of 2,000 commits."""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flowmill.history.pins import pinned_commits
from flowmill.pipeline import compile_workspace

PROJECTS, FLOWS, COMMITS = 10, 30, 2000
SHARED = {1400: "specs/flowmill.yaml", 1700: "specs/p3/project.yaml", 1950: "specs/flowmill.yaml"}
"""Which commits touch a file that flows share; the others touch one flow each, of the first half of a project."""
WORKSPACE = (
    "environments: {staging: {ref: main}, production: {ref: production}}\n"
    "servers: {here: {}}\ndefaults: {all: {retries: 1}}\n"
)


def spec(project: int, minute: int = 0) -> str:
    """A flow of three steps for two environments."""
    steps = "".join(f"  - {{id: s{number}, type: script, command: echo {number}}}\n" for number in range(3))
    head = f"project: p{project}\nenvironment: [staging, production]\nserver: here\n"
    return f"{head}cron: '{minute} * * * *'\nsteps:\n{steps}"


def files() -> dict[str, str]:
    """The workspace of the first commit."""
    projects = {f"specs/p{number}/project.yaml": "description: one\n" for number in range(PROJECTS)}
    flows = {f"specs/p{number}/f{flow}.yaml": spec(number) for number in range(PROJECTS) for flow in range(FLOWS)}
    return {"specs/flowmill.yaml": WORKSPACE, **projects, **flows}


def history() -> str:
    """All commits, as `git fast-import` reads them."""
    chance = random.Random(1)
    changes = [files()]
    for number in range(COMMITS):
        project, flow = chance.randrange(PROJECTS), chance.randrange(FLOWS // 2)
        path = SHARED.get(number, f"specs/p{project}/f{flow}.yaml")
        text = spec(project, number % 60) if number not in SHARED else f"{files()[path]}# {number}\n"
        changes.append({path: text})
    return "".join(commit(number, changed) for number, changed in enumerate(changes))


def commit(number: int, changed: dict[str, str]) -> str:
    """One commit on top of the last."""
    head = f"commit refs/heads/main\ncommitter bench <bench@example.org> {1700000000 + number} +0000\ndata 1\nx\n"
    return head + "".join(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in changed.items())


def main() -> None:
    """Measure a new repository."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        git = ["git", "-C", str(folder)]
        subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
        subprocess.run([*git, "fast-import", "--quiet"], input=history().encode(), check=True)
        subprocess.run([*git, "reset", "--hard", "--quiet"], check=True)
        compiled = compile_workspace(folder / "specs")
        start = time.monotonic()
        pins = pinned_commits(folder / "specs", compiled, "staging")
        seconds = time.monotonic() - start
    found = len({pin.commit for pin in pins.values()})
    print(f"{len(pins)} flows, {COMMITS} commits, {len(SHARED)} of them to shared files: {seconds:.2f} s")
    print(f"the flows date from {found} commits")


if __name__ == "__main__":
    sys.exit(main())
