"""What rules add to the validation of a workspace: all of them on, beside the errors of the language alone.

Each row is a process of its own, and rows take turns within a round. Read the ratio: absolute times differ from machine
to machine and from minute to minute. It is promised to stay below 1.5, and the exit code is 1 where it does not.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from start_of_a_run import PYTHON, environment

ROUNDS, FLOWS = (int(it) for it in os.environ.get("COUNTS", "5 300").split())
AT_MOST = 1.5
ROWS = {
    "errors of the language": "from flowmill.pipeline import compile_workspace as judge",
    "with all rules": "from flowmill.proving import prove as judge",
}
CODE = (
    "from pathlib import Path; {}; found = judge(Path('specs')); assert len(found.plans) == 2 * {}, found.diagnostics"
)

WORKSPACE = """\
timezone: America/Chicago
environments: {test: {ref: main}, live: {ref: live}}
servers: {etl-01: {}, etl-02: {}}
secrets: {warehouse: {}, slack: {}}
defaults:
  slack: {webhook: "${{ secrets.slack.url }}"}
"""
PROJECT = """\
description: the flows of one team
owner: team@example.org
defaults:
  on_failure: [{type: slack, text: "${{ flow.name }} failed at ${{ failure.step }}: ${{ failure.message }}"}]
"""
FLOW = """\
# What a flow of a team looks like: three steps, a parameter, a schedule of its own.
project: {project}
description: Loads the trips of provider {number}
environment:
  test: {{vars: {{tag: latest}}}}
  live:
server: etl-0{server}
cron: "{minute} {hours} * * *"
timezone: {zone}
concurrency: 1
parameters:
  days: {{type: integer, default: {number}, minimum: 1}}
vars: {{tag: stable, table: trips_{number}}}
steps:
  - id: extract
    type: docker
    image: team/extract:${{{{ vars.tag }}}}
    command: [extract, "${{{{ vars.table }}}}", --since, "${{{{ (run.start - days(parameters.days)) | date }}}}"]
    env_from: warehouse
    timeout: 20m
    retries: 2
    retry_delay: 1m
  - id: load
    type: script
    command: [load, "${{{{ steps.extract.stdout | lines | last }}}}"]
    if: steps.extract.exit_code == 0
    timeout: 10m
  - {{id: tell, type: slack, text: "${{{{ flow.name }}}} has loaded ${{{{ vars.table }}}}"}}
"""
HOURS = ("*", "*/2", "3-8", "4", "6-20/2", "12,18")
ZONES = ("America/Chicago", "Europe/Berlin", "UTC")


def files() -> Iterator[tuple[str, str]]:
    """A workspace of ten projects."""
    yield "flowmill.yaml", WORKSPACE
    for project in range(10):
        yield f"team{project}/project.yaml", PROJECT
    for number in range(1, FLOWS + 1):
        words = {"hours": HOURS[number % len(HOURS)], "zone": ZONES[number % len(ZONES)], "minute": number * 7 % 60}
        project = f"team{number % 10}"
        yield f"{project}/f{number}.yaml", FLOW.format(project=project, number=number, server=number % 2 + 1, **words)


def measured(folder: Path) -> dict[str, float]:
    """The best of each row: what a busy machine adds is not of the rules."""
    env = environment(folder / "home")
    commands = {name: [PYTHON, "-c", CODE.format(line, FLOWS)] for name, line in ROWS.items()}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            times[name].append(computing_seconds(command, env, folder))
    return {name: min(values) for name, values in times.items()}


def computing_seconds(command: list[str], env: dict[str, str], folder: Path) -> float:
    """What a command takes of a core, however many others want it."""
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, cwd=folder, check=True, capture_output=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime


def main() -> int:
    """Measure, print the table, and say whether the promise holds."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in files():
            path = Path(scratch, "specs", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        best = measured(Path(scratch))
    floor, whole = best.values()
    print(f"{f'{FLOWS} flows, best of {ROUNDS} rounds':<42} {'seconds':>8} {'ratio':>7}")
    for name, value in best.items():
        print(f"{name:<42} {value:>8.2f} {value / floor:>7.2f}")
    return int(whole / floor > AT_MOST)


if __name__ == "__main__":
    sys.exit(main())
