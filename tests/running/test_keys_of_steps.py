"""An expression that calculates with a key of another step finds its value in the run."""

from pathlib import Path

from support.files import write_files
from support.flows import script, write_job
from validating.command import flowmill

REPORT = {"id": "a", "type": "artifact", "key": "report", "title": "the trips", "markdown": "so"}
STEPS = [
    REPORT,
    script("now", ["echo", "${{ steps.a.title | upper }}", "${{ steps.last.args[0] ~ '!' }}"]),
    script("mixed", ["echo", "${{ steps.a.title ~ ' of ' ~ environment ~ ' ' ~ steps.now.stdout ~ steps.a.state }}"]),
    script("each", ["echo", "${{ item ~ steps.a.key }}"], foreach="${{ [steps.a.title, steps.now.stdout] }}"),
    script("runs", **{"if": "steps.a.title == 'the trips' and steps.now.state == 'success'"}),
    script("rests", **{"if": "steps.a.title ~ steps.now.stdout == 'x'"}),
    script("last", 'echo "$1"', args=["first"]),
]
TEST = """\
tests:
  - name: every expression has its value
    start: 2026-05-02T03:00
    results: {now: {stdout: printed}}
    expect:
      state: success
      steps:
        now: {argv: [echo, THE TRIPS, first!]}
        mixed: {argv: [echo, the trips of staging printedsuccess]}
        "each[the trips]": {argv: [echo, the tripsreport]}
        "each[printed]": {argv: [echo, printedreport]}
        runs: success
        rests: skipped
"""


def test_keys_of_steps_in_larger_expressions(tmp_path: Path) -> None:
    write_job(tmp_path, *STEPS, **{"finally": [script("bye", ["echo", "${{ steps.a.title ~ run.id }}"])]})
    write_files(tmp_path, {"demo/job.test.yaml": TEST})
    ran = flowmill("test", cwd=tmp_path)
    assert (ran.code, ran.error) == (0, ""), ran.text
