"""Fills the generated parts of README.md and docs/*.md: what commands print, what files hold, tables.

    python docs/regenerate.py            write them again
    python docs/regenerate.py --check    write nothing; show what is out of date and exit with 1

A generated part is the fenced block or the table below a comment such as `<!-- output of: flowmill --help -->`;
`PRODUCERS` lists the kinds. Commands run in a scratch copy of `specs/` and `docs/examples/`, a git repository
of its own, so nothing here is touched. What differs from one run to the next is set to a fixed text: see `FIXED`.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tables_of_a_run import run_table
from tables_of_examples import example_table
from tables_of_features import feature_table
from tables_of_keys import key_table

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {"codes.md"}
"""Pages that another command writes."""

FIXED = (
    # Times of day, as the first word of a line.
    (r"(?m)^\d\d:\d\d:\d\d(?= )", "12:00:00"),
    # Ids of runs.
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "00000000-0000-4000-8000-000000000000"),
    # How long something took.
    (r"(?<= in )\d+\.\d+s\b", "0.1s"),
    # Bars and times of the picture at the end of a run.
    (r"·*█+·* +\d+\.\d+s\b", f"{'·' * 10}{'█' * 20}{'·' * 10}    0.1s"),
    # Files in the outbox: a time, the step, a random word.
    (r"\d{8}T\d{6}\.\d{9}Z-([\w-]+)-\w{8}(?=\.)", r"20260101T120000.000000000Z-\1-xxxxxxxx"),
)
"""What is volatile in an output, and what stands in its place. Paths of the scratch copy become relative."""

ENVIRONMENT_OF_GIT = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, "LC_ALL": "C"}

PART = re.compile(
    r"^<!-- (?P<kind>[a-z ]+): (?P<what>.+?) -->\n(?:\n(?:```.*?^```\n|(?:\|[^\n]*\n)+))?", re.MULTILINE | re.DOTALL
)


@cache
def scratch() -> Path:
    """A folder with copies of everything that commands in the documentation read; removed at exit."""
    folder = Path(tempfile.mkdtemp(prefix="flowmill-docs-"))
    for name in ("specs", "docs/examples", "schema"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    with_history(folder)
    return folder


def with_history(folder: Path) -> None:
    """Make a folder a git repository: the branch `main` is as it lies there, `proposal` has the example's patch."""
    somebody = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    commit = (*somebody, "commit", "--quiet", "--all", "--message")
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        (*commit, "the examples"),
        ("switch", "--quiet", "--create", "proposal"),
        ("apply", "docs/examples/proposal.patch"),
        (*commit, "a proposal"),
        ("switch", "--quiet", "main"),
    ):
        subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT_OF_GIT, check=True, timeout=60)


def environment() -> dict[str, str]:
    """The same for everybody; only a Prefect server that is running already may be given from outside."""
    given = {name: os.environ[name] for name in ("PREFECT_API_URL",) if name in os.environ}
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(scratch()),
        "PREFECT_HOME": str(scratch() / ".prefect"),
        "COLUMNS": "100",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **given,
    }


@cache
def output_of(command: str) -> str:
    """A console block: the command, and what it prints."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=scratch(),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    # 0 and 1 are answers; anything else means that the command line is wrong, or that flowmill is.
    if done.returncode not in (0, 1):
        raise RuntimeError(f"`{command}` ended with {done.returncode}:\n{done.stdout}")
    return f"```console\n$ {command}\n{steady(done.stdout).rstrip()}\n```\n"


def steady(text: str) -> str:
    """The text with everything volatile replaced."""
    text = text.replace(f"{scratch()}/", "").replace(sys.executable, "python3")
    for pattern, fixed in FIXED:
        text = re.sub(pattern, fixed, text)
    return text


def content_of(path: str) -> str:
    """A block with the content of a file of this repository."""
    file = ROOT / path
    language = {".py": "python", ".yml": "yaml"}.get(file.suffix, file.suffix.removeprefix("."))
    return f"```{language}\n{file.read_text(encoding='utf-8').rstrip()}\n```\n"


PRODUCERS: dict[str, Callable[[str], str]] = {
    "output of": output_of,
    "content of": content_of,
    "keys of": key_table,
    "table of": example_table,
    "outcomes of": run_table,
    "features of": feature_table,
}


def regenerated(text: str) -> str:
    """A page with its generated parts made anew."""
    return PART.sub(lambda part: f"{_comment(part)}\n\n{PRODUCERS[part['kind']](part['what'])}", text)


def _comment(part: re.Match[str]) -> str:
    return part[0].partition("\n")[0]


def pages() -> list[Path]:
    """The pages that may have generated parts."""
    return [ROOT / "README.md", *(page for page in sorted(ROOT.glob("docs/*.md")) if page.name not in NOT_OURS)]


def difference(page: Path, old: str, new: str) -> str:
    """How a page would change, as `diff -u` shows it."""
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), str(page.relative_to(ROOT)), "now")
    return "".join(lines)


def main(check: bool) -> int:
    """Write the pages anew, or only show how they would change; the exit code is 1 when they are not to be and do."""
    changed = 0
    for page in pages():
        old = page.read_text(encoding="utf-8")
        new = regenerated(old)
        changed += old != new
        if check:
            print(difference(page, old, new), end="")
        elif old != new:
            page.write_text(new, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")
    if check and changed:
        print(f"{changed} pages are out of date: run `make docs`")
    return int(check and changed > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fill the generated parts of README.md and docs/*.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when something would change")
    arguments = parser.parse_args()
    try:
        sys.exit(main(arguments.check))
    finally:
        shutil.rmtree(scratch(), ignore_errors=True)
