"""Which flows a file of the workspace is part of, and which only inherit from it."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from flowmill.workspace import PROJECT_FILE, WORKSPACE_FILE

_SPECS = (".yaml", ".yml")


class Touched(NamedTuple):
    """The flows that consist of some files, and those for which they count only as far as their plan goes."""

    own: frozenset[str]
    shared: frozenset[str]


_NO_FLOWS: frozenset[str] = frozenset()
_NONE = Touched(_NO_FLOWS, _NO_FLOWS)


@dataclass(frozen=True)
class Owners:
    """The flows of a workspace by the files that matter to them; paths are from the workspace's folder.

    Attributes:
        specs: the path of each flow's spec, by the flow's name.
        links: where each link of the workspace leads, by its path, as it is written.
    """

    specs: Mapping[str, str]
    links: Mapping[str, str]

    def touched(self, paths: Iterable[str]) -> Touched:
        """The flows for which any of some files matters."""
        found = [self._directly(name) for path in paths for name in self._names(path)]
        own = _NO_FLOWS.union(*(it.own for it in found))
        return Touched(own, _NO_FLOWS.union(*(it.shared for it in found)) - own)

    def _names(self, path: str) -> list[str]:
        """What a file is called: its path, and by way of the links that lead to it, each followed once."""
        names, left = [path], dict(self._aims)
        for name in names:
            behind = {link: _behind(link, aim, name) for link, aim in left.items()}
            for link, other in behind.items():
                if other is not None:
                    names.append(other)
                    del left[link]
        return names

    def _directly(self, path: str) -> Touched:
        project, slash, rest = path.partition("/")
        if not slash:
            return Touched(_NO_FLOWS, frozenset(self.specs)) if path == WORKSPACE_FILE else _NONE
        if rest == PROJECT_FILE:
            return Touched(_NO_FLOWS, self._projects.get(project, _NO_FLOWS))
        if "/" not in rest and rest.endswith(_SPECS):
            return Touched(self._by_spec.get(path, _NO_FLOWS), _NO_FLOWS)
        return Touched(self._projects.get(project, _NO_FLOWS), _NO_FLOWS)

    @cached_property
    def _aims(self) -> dict[str, str]:
        return {
            link: posixpath.normpath(posixpath.join(posixpath.dirname(link), to)) for link, to in self.links.items()
        }

    @cached_property
    def _by_spec(self) -> dict[str, frozenset[str]]:
        return {path: frozenset([flow]) for flow, path in self.specs.items()}

    @cached_property
    def _projects(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for flow, path in self.specs.items():
            found[path.partition("/")[0]].add(flow)
        return {project: frozenset(flows) for project, flows in found.items()}


def _behind(link: str, aim: str, path: str) -> str | None:
    """What a path is called by way of a link; None where the link does not lead to it, nor through it."""
    if aim == "." or path == aim or path.startswith(f"{aim}/"):
        return posixpath.normpath(posixpath.join(link, posixpath.relpath(path, aim)))
    return link if aim.startswith(f"{path}/") else None
