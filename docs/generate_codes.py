"""Writes docs/codes.md: every code of a diagnostic, what it means, and a case of the golden corpus that shows it.

python docs/generate_codes.py            write the page again
python docs/generate_codes.py --check    write nothing; exit with 1 when the page is out of date
"""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flowmill.codes import catalogue

if TYPE_CHECKING:
    from golden.corpus import Case

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/codes.md"
LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".sh": "bash"}

INTRODUCTION = (
    "# What a diagnostic means\n\n"
    "<!-- Written by `python docs/generate_codes.py`; do not edit. -->\n\n"
    "Every problem that `flowmill validate` finds has a code, in brackets behind its message; "
    "it stays the same when the words change.\n"
    "Below, each code stands with a spec that has the problem and what is printed for it.\n"
    "The specs are files of [tests/golden/err](../tests/golden/err), each looked at as a flow of the workspace in "
    "[tests/golden/workspace](../tests/golden/workspace).\n"
)


def page() -> str:
    """The whole page."""
    cases = err_cases()
    contents = " · ".join(f"[{code}](#{code})" for code in catalogue())
    sections = [section(code, meaning, cases) for code, meaning in catalogue().items()]
    return "\n".join([INTRODUCTION, f"{contents}\n", *sections])


def err_cases() -> "dict[str, Case]":
    """The wrong specs of the golden corpus, by name."""
    sys.path.insert(0, str(ROOT / "tests"))
    from golden.corpus import err_cases

    return {case.name: case for case in err_cases()}


def section(code: str, meaning: str, cases: "dict[str, Case]") -> str:
    """One code: its meaning, the case that is called like it, and the names of the others."""
    case = cases[code]
    parts = [f"## {code}\n", f"{meaning}\n", *files(case)]
    parts.append(fenced("text", case.expected.read_text(encoding="utf-8")))
    more = [link(other) for name, other in cases.items() if name.startswith(f"{code}-") and name not in catalogue()]
    return "\n".join([*parts, *([f"More: {', '.join(more)}.\n"] if more else [])])


def files(case: "Case") -> list[str]:
    """The files of a case; their names where there is more than one."""
    texts = case.texts()
    return [
        (f"`{name}`:\n\n" if len(texts) > 1 else "") + fenced(LANGUAGES[Path(name).suffix], text)
        for name, text in texts.items()
    ]


def link(case: "Case") -> str:
    return f"[{case.name}](../{case.source.relative_to(ROOT).as_posix()})"


def fenced(language: str, text: str) -> str:
    """A code block, with a fence that the text does not have."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` only say whether it is up to date; the exit code tells."""
    text = page()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if arguments == ["--check"]:
        print(f"{PAGE.relative_to(ROOT)} is out of date: run `python docs/generate_codes.py`")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
