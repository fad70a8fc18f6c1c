"""Writes docs/codes.md and docs/rules/: what every diagnostic means, with cases of the golden corpus that show it.

python docs/generate_codes.py            write the pages again
python docs/generate_codes.py --check    write nothing; exit with 1 when a page is out of date
"""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from golden_parts import ROOT, cases, fenced, files, further, printed

from flowmill.codes import catalogue
from flowmill.lint.registry import Rule, rules
from flowmill.spec.lint import RuleOptions

if TYPE_CHECKING:
    from golden.corpus import Case

CODES = ROOT / "docs/codes.md"
RULES = ROOT / "docs/rules"
WRITTEN_BY = "<!-- Written by `python docs/generate_codes.py`; do not edit. -->\n"

INTRODUCTION = (
    f"# What a diagnostic means\n\n{WRITTEN_BY}\n"
    "Every problem that `flowmill validate` finds has a code, in brackets behind its message; "
    "it stays the same when the words change.\n"
    "This page has the errors of the language; what is no error but probably a mistake is found by "
    "[rules](rules/README.md), each of which has a page.\n"
    "Below, each code stands with a spec that has the problem and what is printed for it.\n"
    "The specs are files of [tests/golden/err](../tests/golden/err), each looked at as a flow of the workspace in "
    "[tests/golden/workspace](../tests/golden/workspace).\n"
)
ABOUT_RULES = (
    f"# Rules\n\n{WRITTEN_BY}\n"
    "A rule finds what is no error of the language but probably a mistake, a surprise or a risk.\n"
    "All of them hold unless `flowmill.yaml` says otherwise, and a comment can except a line; "
    "see [rules of a workspace](../linting.md).\n"
    "An error fails `flowmill validate`, a warning only with `--strict`, an info never.\n"
)


def pages() -> dict[Path, str]:
    """The text of every page, by its path."""
    err, ok = cases("err"), cases("ok")
    return {
        CODES: codes_page(err),
        RULES / "README.md": rules_page(),
        **{RULES / f"{code}.md": rule_page(rule, err, ok) for code, rule in rules().items()},
    }


def codes_page(err: "dict[str, Case]") -> str:
    """All errors of the language."""
    contents = " · ".join(f"[{code}](#{code})" for code in catalogue())
    sections = [code_section(code, meaning, err) for code, meaning in catalogue().items()]
    return "\n".join([INTRODUCTION, f"{contents}\n", *sections])


def code_section(code: str, meaning: str, err: "dict[str, Case]") -> str:
    """One code: its meaning, the case that is called like it, and the names of the others."""
    more = further(code, err, {*catalogue(), *rules()}, CODES)
    return "\n".join([f"## {code}\n", f"{meaning}\n", *files(err[code]), printed(err[code]), *more])


def rules_page() -> str:
    """The table of all rules."""
    rows = [f"| [{code}]({code}.md) | {rule.severity.value} | {rule.summary} |" for code, rule in rules().items()]
    return "\n".join([ABOUT_RULES, "| rule | is | what it finds |", "| --- | --- | --- |", *rows, ""])


def rule_page(rule: Rule, err: "dict[str, Case]", ok: "dict[str, Case]") -> str:
    """One rule: what it is about, its options, a spec that it speaks up about, and one that it leaves alone."""
    page = RULES / f"{rule.code}.md"
    more = further(rule.code, err, {*catalogue(), *rules()}, page)
    found = ["## What it finds\n", *files(err[rule.code]), printed(err[rule.code]), *more]
    near_miss = ["## What it leaves alone\n", *files(ok[rule.code])]
    level = f"Severity: {rule.severity.value}"
    scope = "; asked only when all flows of a workspace are looked at" if rule.check_fleet else ""
    head = [f"# {rule.code}\n", WRITTEN_BY, f"{one_sentence_a_line(rule.page)}\n", f"{level}{scope}.\n"]
    return "\n".join([*head, *options(rule), *found, *near_miss])


def one_sentence_a_line(text: str) -> str:
    """The paragraphs of a docstring as the other pages have theirs, so that a difference shows what has changed."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
    return "\n\n".join(re.sub(r"(?<=[\w`)\]]\.) (?=[A-Z`])", "\n", paragraph) for paragraph in paragraphs)


def options(rule: Rule) -> list[str]:
    """The options of a rule beside its severity, and how to set them."""
    own = {key: field for key, field in rule.options.model_fields.items() if key not in RuleOptions.model_fields}
    rows = [f"| `{key}` | `{field.default}` | {field.description} |" for key, field in own.items()]
    table = ["| option | unless set | meaning |", "| --- | --- | --- |", *rows, ""] if rows else []
    example = "".join(f", {key}: {field.default}" for key, field in own.items())
    setting = f"{rule.code}: {{severity: {rule.severity.value}{example}}}  # or: off"
    return [*table, fenced("yaml", f"# specs/flowmill.yaml\nlint:\n  rules:\n    {setting}")]


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only say which are out of date; the exit code tells."""
    made = pages()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    gone = [path for path in RULES.glob("*.md") if path not in made]
    if arguments == ["--check"]:
        for path in (*stale, *gone):
            print(f"{path.relative_to(ROOT)} is out of date: run `python docs/generate_codes.py`")
        return 1 if stale or gone else 0
    RULES.mkdir(exist_ok=True)
    for path in stale:
        path.write_text(made[path], encoding="utf-8")
    for path in gone:
        path.unlink()
    print("".join(f"wrote {path.relative_to(ROOT)}\n" for path in stale), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
