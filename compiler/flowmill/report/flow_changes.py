"""How the flows of two versions differ, as text and as data."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from flowmill.counted import counted
from flowmill.differences import ABSENT, NAMING, Difference
from flowmill.history.flow_changes import KINDS, FlowChange, FlowChanges
from flowmill.history.origins import Origin
from flowmill.planning.plan import Plan
from flowmill.report.explanation import text_of
from flowmill.report.style import Style, printable
from flowmill.testing.diff import difference

KEYS_AT_MOST, VALUES_AT_MOST = 44, 76
"""Characters: of the column of keys, and of two values that stand on one line."""
FLOWS_AT_MOST = 6
"""Flows that are named beside a shared key."""
_NOTHING: tuple[Any, ...] = (None, "", [], {}, False, 0)
"""Values that a key has when nobody has set it."""
_COLOURS = {"added": "green", "removed": "red", "moved": "yellow", "changed": "bold"}
_OF_LINES = {"- ": "red", "+ ": "green", "@@": "blue"}

Block = tuple[list[str], list[str], FlowChange]
"""Flows and environments that have changed in the same way, and one of these changes."""


def as_text(names: tuple[str, str], found: FlowChanges, shared: Iterable[Origin], style: Style) -> str:
    """What has changed, flows that changed alike together; then the shared keys behind it, then the counts."""
    blocks = ["\n".join(_block(block, style)) for block in _alike(found.found)]
    behind = "\n".join(_shared(shared, style))
    return "\n\n".join(part for part in [*blocks, behind, _summary(names, found, style)] if part) + "\n"


def _alike(found: Iterable[FlowChange]) -> list[Block]:
    """Flows that have changed in the same way in the same environments, together."""
    by_flow: dict[tuple[str, str], Block] = {}
    for change in found:
        block = by_flow.setdefault((change.flow, _way(change)), ([change.flow], [], change))
        block[1].append(change.environment)
    together: dict[tuple[str, str], Block] = {}
    for (_, way), (flows, environments, change) in by_flow.items():
        known = together.setdefault((way, " ".join(environments)), ([], environments, change))
        known[0].extend(flows)
    return sorted(together.values(), key=lambda block: (KINDS.index(block[2].kind), block[0]))


def _way(change: FlowChange) -> str:
    """What two changes have in common that are shown as one."""
    return repr((change.kind, change.differences, _target(change.plan) if not change.differences else ""))


def _block(block: Block, style: Style) -> Iterator[str]:
    flows, environments, change = block
    names = style.paint(", ".join(flows), "bold")
    kind = style.paint(change.kind, _COLOURS[change.kind])
    where = f"in {', '.join(environments)}"
    if change.kind == "moved" and change.before is not None:
        where = f"from {change.before.environment} to {', '.join(environments)}"
    yield f"{kind} {names} {where}"
    if change.kind in ("added", "removed"):
        yield f"  {_target(change.plan)}"
    yield from _rows([(leaf.key, leaf) for it in change.differences for leaf in _leaves(it)], style)


def _target(plan: Plan) -> str:
    """Where and when a flow runs, in one line."""
    times = [f"{it.cron} {it.timezone}{' (paused)' if it.paused else ''}" for it in plan.schedules]
    return printable(f"on {plan.server}, {'; '.join(times) or 'by hand only'}")


def _leaves(it: Difference) -> Iterator[Difference]:
    """A map that came or went, such as a step, as those of its keys that hold something."""
    added = it.before is ABSENT
    value = it.after if added else it.before
    if not isinstance(value, dict) or (it.after is not ABSENT and not added):
        yield it
        return
    for key, item in value.items():
        if item not in _NOTHING and not (key in NAMING and item == it.path[-1]):
            pair = (ABSENT, item) if added else (item, ABSENT)
            yield from _leaves(Difference((*it.path, key), *pair))


def _rows(rows: list[tuple[str, Difference]], style: Style) -> Iterator[str]:
    """A line for each place; long values stand below it, line by line."""
    width = min(max((len(printable(key)) for key, _ in rows), default=0), KEYS_AT_MOST)
    for key, it in rows:
        if _is_short(it):
            yield f"  {printable(key):<{width}}  {_arrow(it, style)}"
        else:
            yield f"  {printable(key)}"
            yield from (f"    {_line(line, style)}" for line in _lines(it))


def _is_short(it: Difference) -> bool:
    texts = [value for value in (it.before, it.after) if isinstance(value, str)]
    length = len(_value(it.before)) + len(_value(it.after))
    return it.before == it.after or (length <= VALUES_AT_MOST and not any("\n" in text.rstrip("\n") for text in texts))


def _arrow(it: Difference, style: Style) -> str:
    return f"{style.paint(_value(it.before), 'red')} -> {style.paint(_value(it.after), 'green')}"


def _value(value: Any) -> str:
    return "-" if value is ABSENT or value == {} else text_of(value)


def _lines(it: Difference) -> Iterable[str]:
    """Two long values, line by line."""
    if _value(it.before) != "-" != _value(it.after):
        return difference(it.before, it.after)
    sign, value = ("+ ", it.after) if _value(it.before) == "-" else ("- ", it.before)
    text = value if isinstance(value, str) else _value(value)
    return [sign + line for line in text.rstrip("\n").split("\n")]


def _line(line: str, style: Style) -> str:
    colour = _OF_LINES.get(line[:2])
    return style.paint(printable(line), colour) if colour else printable(line)


def _shared(shared: Iterable[Origin], style: Style) -> Iterator[str]:
    """A line for each shared key, with the flows that it touches."""
    rows = [(f"{it.file} {it.key}", Difference((it.key,), it.before, it.after), it.flows) for it in shared]
    if not rows:
        return
    yield style.paint("shared keys behind this", "bold")
    for place, it, flows in rows:
        yield from _rows([(place, it)], style)
        more = f" and {len(flows) - FLOWS_AT_MOST} more" if len(flows) > FLOWS_AT_MOST else ""
        names = ", ".join(flows[:FLOWS_AT_MOST]) + more
        touches = f"touches {counted(len(flows), 'flow')}: {names}"
        yield f"    {style.paint(touches, 'dim')}"


def _summary(names: tuple[str, str], found: FlowChanges, style: Style) -> str:
    counts = Counter(change.kind for change in found.found)
    told = [f"{counts[kind]} {kind}" for kind in KINDS if counts[kind]]
    between = printable(f"{names[0]} -> {names[1]}")
    if not told:
        return style.paint(f"{between}: nothing has changed, {counted(found.same, 'flow')} the same", "green")
    return style.paint(f"{between}: {', '.join(told)}, {found.same} the same", "bold")


def as_data(found: FlowChanges, shared: Iterable[Origin]) -> dict[str, Any]:
    """The same for JSON; `before` and `after` are missing where there is no value."""
    return {
        "changes": [_change(change) for change in found.found],
        "shared": [
            {"file": it.file, "key": it.key, **_sides(it.before, it.after), "flows": list(it.flows)} for it in shared
        ],
        "same": found.same,
    }


def _change(change: FlowChange) -> dict[str, Any]:
    before = {"environment_before": change.before.environment} if change.kind == "moved" and change.before else {}
    return {
        "flow": change.flow,
        "environment": change.environment,
        **before,
        "kind": change.kind,
        "differences": [{"key": it.key, **_sides(it.before, it.after)} for it in change.differences],
    }


def _sides(before: Any, after: Any) -> dict[str, Any]:
    return {name: value for name, value in (("before", before), ("after", after)) if value is not ABSENT}
