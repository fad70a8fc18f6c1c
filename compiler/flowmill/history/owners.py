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


_NONE = Touched(frozenset(), frozenset())


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
        found = [self._of(path, frozenset()) for path in paths]
        own = frozenset().union(*(it.own for it in found))
        return Touched(own, frozenset().union(*(it.shared for it in found)) - own)

    def _of(self, path: str, seen: frozenset[str]) -> Touched:
        """The flows of a file, also by way of the links that lead to it."""
        found = [self._directly(path)]
        for link, aim in self._aims.items() if path not in seen else ():
            if path == aim or path.startswith(f"{aim}/") or aim.startswith(f"{path}/"):
                found.append(self._of(link + path[len(aim) :], seen | {path}))
        if len(found) == 1:
            return found[0]
        return Touched(frozenset().union(*(it.own for it in found)), frozenset().union(*(it.shared for it in found)))

    def _directly(self, path: str) -> Touched:
        project, slash, rest = path.partition("/")
        if not slash:
            return Touched(frozenset(), frozenset(self.specs)) if path == WORKSPACE_FILE else _NONE
        if rest == PROJECT_FILE:
            return Touched(frozenset(), self._projects.get(project, frozenset()))
        if "/" not in rest and rest.endswith(_SPECS):
            return Touched(self._by_spec.get(path, frozenset()), frozenset())
        return Touched(self._projects.get(project, frozenset()), frozenset())

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
