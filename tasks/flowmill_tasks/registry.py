"""Finding the step types: every one that is installed, by its `type:` word.

A distribution offers step types through the entry point group `flowmill.steps`. An entry names a package (all
modules in it are searched) or a single class.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType, ModuleType

import flowmill_tasks
from flowmill_tasks.base import Step

GROUP = "flowmill.steps"

Registry = Mapping[str, type[Step]]


class RegistryError(Exception):
    """Two step types share a word, or one cannot be loaded: a fault of the installation, not of a spec."""


def steps_in(package: ModuleType) -> Iterator[type[Step]]:
    """The step types that the modules of `package` define, in the order of their files."""
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue  # what a step type is made of, not one
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, Step)
                and value.__module__ == module.__name__
                and hasattr(value, "step_type")
            ):
                yield value


def build(classes: Iterable[type[Step]]) -> Registry:
    """A registry of just these classes.

    Raises:
        RegistryError: two of them claim the same word.
    """
    found: dict[str, type[Step]] = {}
    for step in classes:
        other = found.setdefault(step.step_type, step)
        if other is not step:
            raise RegistryError(f"step type `{step.step_type}` is defined by both {_name(other)} and {_name(step)}")
    return MappingProxyType(dict(sorted(found.items())))


@cache
def discover() -> Registry:
    """The step types that ship and those that other installed packages offer."""
    return build([*steps_in(flowmill_tasks), *_from_entry_points()])


def _from_entry_points() -> Iterator[type[Step]]:
    for entry in entry_points(group=GROUP):
        yield from _load(entry)


def _load(entry: EntryPoint) -> Iterator[type[Step]]:
    try:
        value = entry.load()
    except Exception as error:  # whatever a foreign package raises on import, it is named
        raise RegistryError(f"step types of `{entry.value}` cannot be loaded: {error}") from error
    if isinstance(value, ModuleType):
        yield from steps_in(value)
    else:
        yield value


def _name(step: type[Step]) -> str:
    return f"{step.__module__}.{step.__qualname__}"
