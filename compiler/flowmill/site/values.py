"""The effective values of a flow with the files and lines that set them, all environments in one table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from flowmill.elaborating.layers import Setting
from flowmill.explain import Fact
from flowmill.report.explanation import shown, text_of
from flowmill.site.alike import Alike, alike
from flowmill.site.shown import Shown
from flowmill.spec.flow import GROUPS

Placed = Callable[[str], str]
"""A path as the pages name it."""


@dataclass(frozen=True)
class Origin:
    """One place that sets a value: the value as it stands there, whose keys they are, the file and line."""

    value: str
    layer: str
    place: str


@dataclass(frozen=True)
class Value:
    """What a key comes to, and who sets it: the winner first; nobody where it is the default."""

    text: str
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Row:
    """One key, with its value in each environment.

    Attributes:
        above: whose key it is: a step as in `steps.load`, empty for the flow itself.
        key: its name there.
    """

    above: str
    key: str
    values: tuple[Alike[Value], ...]

    @property
    def is_set(self) -> bool:
        """Whether anybody sets it anywhere."""
        return any(it.value.origins for it in self.values)


def rows(by_environment: Mapping[str, Shown], placed: Placed) -> list[Row]:
    """A row for each key, in the order of the spec; what only some environments have comes behind."""
    found: dict[str, list[tuple[str, Value]]] = {}
    for environment, known in by_environment.items():
        for fact in known.facts:
            found.setdefault(fact.key, []).append((environment, _value(fact, placed)))
    return [Row(*_parted(key), tuple(alike(values))) for key, values in found.items()]


def _parted(key: str) -> tuple[str, str]:
    """A key as the step that it belongs to, and the rest."""
    group, *rest = key.split(".", 2)
    return (f"{group}.{rest[0]}", rest[1]) if group in GROUPS and len(rest) == 2 else ("", key)


def _value(fact: Fact, placed: Placed) -> Value:
    return Value(shown(fact), tuple(_origin(fact, setting, placed) for setting in fact.settings))


def _origin(fact: Fact, setting: Setting, placed: Placed) -> Origin:
    place = f"{placed(setting.span.path)}:{setting.span.line}"
    return Origin(text_of(fact.shown_of(setting)), setting.layer.name.replace("`", ""), place)


def parted(found: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """The rows by whose they are: the flow's own first, then step by step."""
    parts: dict[str, list[Row]] = {"": []}
    for row in found:
        parts.setdefault(row.above, []).append(row)
    return [(above, own) for above, own in parts.items() if own]
