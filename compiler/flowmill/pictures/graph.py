"""What a picture of a flow shows: steps with the words about them, and which waits for which."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flowmill.counted import counted
from flowmill.pictures.words import one_line
from flowmill.planning.plan import ElementsPlan, Plan, StepPlan
from flowmill.reading.credentials import CREDENTIAL_VALUE, looks_like_credential
from flowmill_tasks.duration import in_words as duration

Change = Literal["", "added", "removed", "changed"]
"""What has happened to something since another version; empty where nothing has, or where there is no other."""

_MASK = "***"
_SHORTEST_SECRET = 4
"""Characters; stars for every `1` or `no` would make a picture unreadable and hide nothing."""


@dataclass(frozen=True)
class Node:
    """One step.

    Attributes:
        name: what people see, where it is more than the id.
        marks: when, how often and for how long it runs, each in a few words.
        condition: the source of its `if`; empty where it runs after success.
        is_repeated: whether it runs for each element of a list.
        keys: what has changed in it, a line for each key.
    """

    id: str
    type: str
    name: str = ""
    marks: tuple[str, ...] = ()
    condition: str = ""
    is_repeated: bool = False
    change: Change = ""
    keys: tuple[str, ...] = ()

    @property
    def changed_keys(self) -> list[str]:
        """The names of the keys that have changed."""
        return list(dict.fromkeys(key.partition(":")[0] for key in self.keys))


@dataclass(frozen=True)
class Edge:
    """One step that waits for another."""

    before: str
    after: str
    change: Change = ""


@dataclass(frozen=True)
class Graph:
    """One flow in one environment.

    Attributes:
        name: `<project>.<flow>`.
        where: the environment and the server, in words.
        steps: in the order of the spec, with the edges between them.
        handlers: by the key that they stand under; they run in order.
        keys: what has changed in the flow besides its steps, a line for each key.
        against: what it is compared with; empty for nothing.
    """

    name: str
    where: str
    steps: tuple[Node, ...]
    edges: tuple[Edge, ...]
    handlers: Mapping[str, tuple[Node, ...]]
    keys: tuple[str, ...] = ()
    against: str = ""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every step, those of handlers too."""
        return (*self.steps, *(node for nodes in self.handlers.values() for node in nodes))


def graph_of(plan: Plan) -> Graph:
    """The graph of a flow as it is."""
    groups = {key: tuple(node_of(plan, step) for step in steps) for key, steps in plan.groups.items()}
    steps = groups.pop("steps")
    handlers = {key: nodes for key, nodes in groups.items() if nodes}
    return Graph(plan.name, where(plan), steps, tuple(_edges(plan.steps)), handlers)


def where(plan: Plan) -> str:
    """The environment and the server of a flow, in words."""
    return f"{plan.environment} on {plan.server}"


def node_of(plan: Plan, step: StepPlan) -> Node:
    """One step of a plan, without what may be a credential."""
    hidden = list(_credentials(plan.constants))
    return Node(
        id=step.id,
        type=step.type,
        name=_shown(step.name, hidden) if step.name != step.id else "",
        marks=tuple(_shown(mark, hidden) for mark in _marks(step)),
        condition=_shown(step.condition or "", hidden),
        is_repeated=step.elements is not None,
    )


def _edges(steps: Iterable[StepPlan]) -> Iterator[Edge]:
    return (Edge(needed, step.id) for step in steps for needed in step.needs)


def _marks(step: StepPlan) -> Iterator[str]:
    if step.condition:
        yield f"if {step.condition}"
    if step.elements:
        yield from _of_elements(step.elements)
    if step.timeout is not None:
        yield f"timeout {duration(step.timeout)}"
    if step.retries:
        yield _retries(step)
    if step.mutex:
        yield f"mutex {step.mutex}"
    if step.continue_on_error:
        yield "goes on after an error"


def _of_elements(elements: ElementsPlan) -> Iterator[str]:
    if elements.matrix is None:
        yield f"for each of {_source(elements.foreach)}"
    else:
        lists = " × ".join(f"{key}: {_source(values)}" for key, values in elements.matrix.items())
        yield f"for each of {lists}"
    if elements.max_parallel > 1:
        yield f"{elements.max_parallel} at a time"


def _source(values: Any) -> str:
    """A list as how many it has, an expression as what stands in it."""
    if isinstance(values, list | tuple):
        return str(len(values))
    return str(values).removeprefix("${{").removesuffix("}}").strip()


def _retries(step: StepPlan) -> str:
    times = "1 retry" if step.retries == 1 else f"{step.retries} retries"
    first = next(iter(step.retry_delays), 0)
    return f"{times} after {duration(first)}" if first else times


def _shown(text: str, hidden: Iterable[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, _MASK)
    return _MASK if CREDENTIAL_VALUE.search(text) else one_line(text)


def _credentials(constants: Any, key: str = "") -> Iterator[str]:
    """The texts that stand under a key which names a credential: an expression may have put them anywhere."""
    for name, value in constants.items() if isinstance(constants, Mapping) else ():
        inner = key if looks_like_credential(key) else str(name)
        if isinstance(value, str) and looks_like_credential(inner) and len(value) >= _SHORTEST_SECRET:
            yield value
        yield from _credentials(value, inner)


def in_words(key: str) -> str:
    """The key of handlers, or of steps, as people say it."""
    return key.replace("_", " ")


def counted_steps(graph: Graph) -> str:
    """How many steps there are, and that some belong to handlers."""
    of_handlers = len(graph.nodes) - len(graph.steps)
    return counted(len(graph.steps), "step") + (f" and {of_handlers} of handlers" if of_handlers else "")
