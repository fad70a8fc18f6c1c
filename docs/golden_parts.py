"""Parts of pages that are made from the golden corpus: the files of a case, and what flowmill prints for it."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from golden.corpus import Case

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".sh": "bash", ".py": "python"}


def cases(folder: str) -> "dict[str, Case]":
    """The cases of `err` or of `ok`, by name."""
    sys.path.insert(0, str(ROOT / "tests"))
    from golden.corpus import err_cases, ok_cases

    return {case.name: case for case in (err_cases() if folder == "err" else ok_cases())}


def files(case: "Case") -> list[str]:
    """The files of a case; their names where there is more than one."""
    texts = case.texts()
    return [
        (f"`{name}`:\n\n" if len(texts) > 1 else "") + fenced(LANGUAGES.get(Path(name).suffix, "text"), text)
        for name, text in texts.items()
    ]


def printed(case: "Case") -> str:
    """What flowmill prints for a wrong case."""
    return fenced("text", case.expected.read_text(encoding="utf-8"))


def link(case: "Case", page: Path) -> str:
    """A link from a page to a case."""
    up = "../" * (len(page.relative_to(ROOT).parts) - 1)
    return f"[{case.name}]({up}{case.source.relative_to(ROOT).as_posix()})"


def fenced(language: str, text: str) -> str:
    """A code block, with a fence that the text does not have."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def further(name: str, found: "dict[str, Case]", codes: set[str], page: Path) -> list[str]:
    """A line with links to the other cases of a code, whose names begin with it; none where there are none."""
    more = [
        link(case, page)
        for other, case in found.items()
        if other.startswith(f"{name}-") and other not in codes and _code_of(other, codes) == name
    ]
    return [f"More: {', '.join(more)}.\n"] if more else []


def _code_of(name: str, codes: set[str]) -> str:
    """The longest code that the name of a case begins with."""
    return max((code for code in codes if name == code or name.startswith(f"{code}-")), key=len, default="")
