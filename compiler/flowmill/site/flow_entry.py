"""One flow as the pages tell of it: what it does, where, when, for whom, with what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from flowmill.explain import facts
from flowmill.planning.plan import ParameterPlan, Plan
from flowmill.report.explanation import text_of
from flowmill.secrets.needs import needs
from flowmill.site.alike import Alike, alike
from flowmill.site.shown import Shown, paragraphs
from flowmill.site.steps import Group, groups
from flowmill.site.timetable import Timetable, first_of, timetables
from flowmill.site.told import Told, told
from flowmill.site.values import Placed, Row, rows
from flowmill.spec.workspace import Environment
from flowmill.workspace import Files, FlowFile
from flowmill_tasks.registry import Registry


@dataclass(frozen=True)
class Secret:
    """A secret that a flow needs; its value is nowhere in here.

    Attributes:
        name: None stands for all whose names are only known in the run.
        keys: those that are asked for; none where it is used as a whole.
        steps: the ids of the steps that ask for it.
        description: what flowmill.yaml says of it.
    """

    name: str | None
    keys: tuple[str, ...]
    steps: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class ParameterRow:
    """A parameter of runs, with its texts as they may be shown; no default means that it must be given."""

    name: str
    type: str
    default: str
    allowed: str
    description: str


@dataclass(frozen=True)
class InEnvironment:
    """A flow in one environment.

    Attributes:
        stage: the environment as flowmill.yaml declares it.
    """

    name: str
    stage: Environment
    plan: Plan
    shown: Shown
    timetables: tuple[Timetable, ...]
    told: tuple[Told, ...]
    secrets: tuple[Secret, ...]

    @property
    def next(self) -> datetime | None:
        """When it starts next by itself."""
        return first_of(self.timetables)

    @property
    def parameters(self) -> tuple[ParameterRow, ...]:
        """What can be set per run."""
        return tuple(_parameter(it, self.shown) for it in self.plan.parameters)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Its steps and those of its handlers."""
        return groups(self.plan, self.shown)


@dataclass(frozen=True)
class FlowEntry:
    """A flow, in all its environments; it has at least one."""

    project: str
    flow: str
    path: str
    environments: tuple[InEnvironment, ...]
    values: tuple[Row, ...]

    @property
    def name(self) -> str:
        """`<project>.<flow>`."""
        return f"{self.project}.{self.flow}"

    @property
    def first(self) -> InEnvironment:
        """The environment whose texts stand for all."""
        return self.environments[0]

    @property
    def description(self) -> tuple[str, ...]:
        """What it does, by paragraphs."""
        return self.first.shown.paragraphs("description")

    @property
    def owner(self) -> str:
        """Who answers for it."""
        return self.first.shown.text("owner")

    @property
    def tags(self) -> list[str]:
        """Its tags in any environment."""
        return self._all(text for it in self.environments for text in it.shown.texts("tags"))

    @property
    def servers(self) -> list[str]:
        """Where it runs, in any environment."""
        return self._all(it.plan.server for it in self.environments)

    @property
    def step_types(self) -> list[str]:
        """The types of its steps and of those of its handlers."""
        return self._all(step.type for it in self.environments for steps in it.plan.groups.values() for step in steps)

    @property
    def secrets(self) -> list[str]:
        """The names of the secrets that it needs in any environment."""
        return self._all(secret.name for it in self.environments for secret in it.secrets if secret.name)

    @property
    def secrets_alike(self) -> list[Alike[Secret]]:
        """The secrets that it needs, each with the environments in which it does."""
        return alike((it.name, secret) for it in self.environments for secret in it.secrets)

    @property
    def silent(self) -> list[str]:
        """The environments in which nobody is told when it fails."""
        return [it.name for it in self.environments if not it.told]

    @property
    def next(self) -> datetime | None:
        """When it starts next by itself, in any environment."""
        return first_of(table for it in self.environments for table in it.timetables)

    def alike(self, attribute: str) -> list[Alike[object]]:
        """What the environments have under a name, each different thing once."""
        return alike((it.name, getattr(it, attribute)) for it in self.environments)

    @staticmethod
    def _all(texts: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(texts))


def flow_entry(
    flow: FlowFile, plans: Mapping[str, Plan], files: Files, registry: Registry, start: datetime, placed: Placed
) -> FlowEntry:
    """What is told of a flow, from its plans by environment; `start` is when the next times are counted from."""
    shown = {name: Shown(tuple(facts(flow, files, registry, name))) for name in plans}
    stages = files.spec.environments if files.spec else {}
    return FlowEntry(
        project=flow.project,
        flow=flow.name,
        path=placed(flow.shown),
        environments=tuple(
            InEnvironment(
                name=name,
                stage=stages[name],
                plan=plan,
                shown=shown[name],
                timetables=timetables(plan, shown[name], start),
                told=tuple(told(plan, shown[name])),
                secrets=_secrets(plan, files, registry),
            )
            for name, plan in plans.items()
        ),
        values=tuple(rows(shown, placed)),
    )


def _secrets(plan: Plan, files: Files, registry: Registry) -> tuple[Secret, ...]:
    declared = (files.spec.secrets if files.spec else None) or {}
    texts = {name: " ".join(paragraphs(secret.description)) for name, secret in declared.items()}
    return tuple(
        Secret(need.name, tuple(need.keys), tuple(need.used_by[plan.name]), texts.get(need.name or "", ""))
        for need in needs([plan], registry)
    )


def _parameter(parameter: ParameterPlan, shown: Shown) -> ParameterRow:
    route = ("parameters", parameter.name)
    default = text_of(shown.at(*route, "default")) if parameter.default is not None else ""
    bounds = (("from", parameter.minimum), ("to", parameter.maximum))
    allowed = [f"{word} {value:g}" for word, value in bounds if value is not None]
    choices = shown.texts(*route, "choices")
    return ParameterRow(
        name=parameter.name,
        type=parameter.type,
        default=default,
        allowed=", ".join(choices) or " ".join(allowed),
        description=" ".join(shown.paragraphs(*route, "description")),
    )
