"""Which secrets flows need and what a server lacks of them, as text and as data; never a value."""

from dataclasses import dataclass
from typing import Any

from flowmill.counted import counted
from flowmill.report.style import printable
from flowmill.secrets.needs import Need

_HEADINGS = ("secret", "keys", "used by", "on the server")


@dataclass(frozen=True)
class Looked:
    """A need, and what was found for it.

    Attributes:
        kind: the type of the block; empty where there is none.
        problems: what is lacking; empty where nothing is.
    """

    need: Need
    kind: str
    problems: tuple[str, ...]


def as_text(found: list[Looked], address: str) -> str:
    """A table, a line for everything that is lacking, and a summary."""
    if not found:
        return "no flow here needs a secret\n"
    rows = [_HEADINGS, *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    problems = [printable(f"`{it.need.name}`: {problem}") for it in found for problem in it.problems]
    return "\n".join([*table, "", *problems, *[""] * bool(problems), _summary(found, address)]) + "\n"


def _row(looked: Looked) -> tuple[str, str, str, str]:
    need = looked.need
    if need.name is None:
        return "-", "-", _users(need), "its name is only known in the run"
    found = "lacking" if looked.problems else f"there ({looked.kind})"
    return printable(need.name), printable(", ".join(need.keys)) or "-", _users(need), found


def _users(need: Need) -> str:
    used = need.used_by.items()
    return printable("; ".join(f"{flow} ({', '.join(steps)})" if steps else flow for flow, steps in used))


def _summary(found: list[Looked], address: str) -> str:
    named = [it for it in found if it.need.name is not None]
    lacking = sum(1 for it in named if it.problems)
    all_of_them = counted(len(named), "secret")
    what = f"{lacking} of {all_of_them} lacking" if lacking else f"nothing is lacking of {all_of_them}"
    return f"{what}, on the Prefect server at {address}"


def as_data(found: list[Looked], environment: str, address: str) -> dict[str, Any]:
    """The same as a map for JSON."""
    return {"environment": environment, "server": address, "secrets": [_data(it) for it in found]}


def _data(looked: Looked) -> dict[str, Any]:
    need = looked.need
    found = "unknown" if need.name is None else "lacking" if looked.problems else "there"
    return {
        "name": need.name,
        "keys": need.keys,
        "used_by": need.used_by,
        "state": found,
        "block_type": looked.kind or None,
        "problems": list(looked.problems),
    }
