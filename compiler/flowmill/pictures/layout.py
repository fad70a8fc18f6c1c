"""Where the nodes of a graph go: in layers, each below all that it comes after, few lines crossing.

Sugiyama's method: layers by the longest path, stand-ins where a line passes a layer, order by barycentres, and
places as close to the neighbours as their order allows. Why not a library: docs/decisions/023-pictures.md.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise

Link = tuple[str, str]
_Item = Hashable  # a node's name, or the link and the layer that a stand-in belongs to
_Neighbours = Mapping[_Item, Sequence[_Item]]

SWEEPS = 12
_STAND_IN = 0.5
"""The room that a line which passes a layer gets there; a node gets 1."""
_GRID = 4
"""Places are multiples of 1 / `_GRID`, so that lines which are meant to be straight are."""


@dataclass(frozen=True)
class Layout:
    """Places: which layer, and how far along it.

    Attributes:
        nodes: the place of each node.
        links: the places that each link passes, its nodes' own at the ends.
    """

    nodes: Mapping[str, tuple[int, float]]
    links: Mapping[Link, tuple[tuple[int, float], ...]]

    @property
    def depth(self) -> int:
        return 1 + max((layer for layer, _ in self.nodes.values()), default=-1)

    @property
    def breadth(self) -> float:
        """How far the places go, lines included."""
        places = [place for way in self.links.values() for place in way] + list(self.nodes.values())
        return 1 + max((along for _, along in places), default=-1)


def laid_out(nodes: Sequence[str], links: Sequence[Link]) -> Layout:
    """The places of nodes, each link leading to a deeper layer.

    Raises:
        graphlib.CycleError: the links run in a circle.
    """
    depth = _depths(nodes, links)
    ways = {link: _way(link, depth) for link in links}
    layers = _ordered(_layers(nodes, ways, depth), *_neighbours(ways))
    along = _placed(layers, *_neighbours(ways))
    place = {item: (number, along[item]) for number, layer in enumerate(layers) for item in layer}
    return Layout(
        {node: place[node] for node in nodes}, {link: tuple(place[it] for it in way) for link, way in ways.items()}
    )


def _depths(nodes: Sequence[str], links: Iterable[Link]) -> dict[str, int]:
    """The layer of each node: one more than the deepest that it comes after."""
    before: dict[str, list[str]] = {node: [] for node in nodes}
    for first, second in links:
        before[second].append(first)
    depth: dict[str, int] = {}
    for node in TopologicalSorter(before).static_order():
        depth[node] = 1 + max((depth[other] for other in before[node]), default=-1)
    return depth


def _way(link: Link, depth: Mapping[str, int]) -> list[_Item]:
    first, second = link
    return [first, *((link, layer) for layer in range(depth[first] + 1, depth[second])), second]


def _layers(nodes: Sequence[str], ways: Mapping[Link, list[_Item]], depth: Mapping[str, int]) -> list[list[_Item]]:
    layers: list[list[_Item]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in nodes:
        layers[depth[node]].append(node)
    for (first, _), way in ways.items():
        for number, item in enumerate(way[1:-1], start=depth[first] + 1):
            layers[number].append(item)
    return layers


def _neighbours(ways: Mapping[Link, list[_Item]]) -> tuple[_Neighbours, _Neighbours]:
    """What stands before and after each item, one layer away."""
    before: defaultdict[_Item, list[_Item]] = defaultdict(list)
    after: defaultdict[_Item, list[_Item]] = defaultdict(list)
    for way in ways.values():
        for one, other in pairwise(way):
            before[other].append(one)
            after[one].append(other)
    return before, after


def _ordered(layers: list[list[_Item]], before: _Neighbours, after: _Neighbours) -> list[list[_Item]]:
    """The layers in the order with the fewest crossings that some sweeps down and up have found."""
    best, fewest = layers, _crossings(layers, after)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        layers = _swept(layers, before) if sweep % 2 == 0 else _swept(layers[::-1], after)[::-1]
        found = _crossings(layers, after)
        if found < fewest:
            best, fewest = layers, found
    return best


def _swept(layers: Sequence[list[_Item]], neighbours: _Neighbours) -> list[list[_Item]]:
    """Each layer by the mean place of its neighbours in the layer that was done before."""
    done: list[list[_Item]] = []
    for layer in layers:
        done.append(_sorted(layer, done[-1] if done else [], neighbours))
    return done


def _sorted(layer: list[_Item], previous: Sequence[_Item], neighbours: _Neighbours) -> list[_Item]:
    place = {item: index for index, item in enumerate(previous)}
    wanted: dict[_Item, float] = {}
    for index, item in enumerate(layer):
        near = [place[it] for it in neighbours.get(item, ()) if it in place]
        wanted[item] = _mean(near, index)
    return sorted(layer, key=wanted.__getitem__)


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _crossings(layers: Sequence[list[_Item]], after: _Neighbours) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        place = {item: index for index, item in enumerate(lower)}
        ends = [place[it] for item in upper for it in sorted(after.get(item, ()), key=place.__getitem__)]
        count += sum(one > other for index, one in enumerate(ends) for other in ends[index + 1 :])
    return count


def _placed(layers: list[list[_Item]], before: _Neighbours, after: _Neighbours) -> dict[_Item, float]:
    """How far along its layer each item lies: near its neighbours, in the order of the layer."""
    along: dict[_Item, float] = {}
    for layer in layers:
        along |= dict(zip(layer, _apart(layer, [0.0] * len(layer)), strict=True))
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        sides = (before, after) if sweep > SWEEPS // 2 else (before if downwards else after,)
        for layer in layers if downwards else layers[::-1]:
            near = ([along[it] for side in sides for it in side.get(item, ())] for item in layer)
            wanted = [_mean(at, along[item]) for item, at in zip(layer, near, strict=True)]
            along |= dict(zip(layer, _apart(layer, wanted), strict=True))
    lowest = min(along.values(), default=0.0)
    return {item: round((at - lowest) * _GRID) / _GRID for item, at in along.items()}


def _apart(layer: Sequence[_Item], wanted: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones with room for every item: the regression that pools what collides."""
    offsets = [0.0]
    for one, other in pairwise(layer):
        offsets.append(offsets[-1] + (_room(one) + _room(other)) / 2)
    pools: list[list[float]] = []
    for at, offset in zip(wanted, offsets, strict=False):
        pools.append([at - offset])
        while len(pools) > 1 and sum(pools[-2]) / len(pools[-2]) > sum(pools[-1]) / len(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    level = [sum(pool) / len(pool) for pool in pools for _ in pool]
    return [at + offset for at, offset in zip(level, offsets, strict=False)]


def _room(item: _Item) -> float:
    return 1.0 if isinstance(item, str) else _STAND_IN
