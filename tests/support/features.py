"""What real flows need, and how one sees in a plan that a flow makes use of it: for the corpus and for the docs."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flowmill.pipeline import Compiled, compile_workspace
from flowmill.planning.plan import Plan, StepPlan

SPECS = Path(__file__).resolve().parents[2] / "specs"


@dataclass(frozen=True)
class Shown:
    """A flow of the corpus, by its plans in each environment.

    Attributes:
        text: its spec, and what it may inherit.
        folder: where it lies.
    """

    name: str
    plans: Mapping[str, Plan] = field(hash=False)
    text: str
    folder: Path

    @property
    def plan(self) -> Plan:
        """The plan in its last environment, which is production where there is one."""
        return list(self.plans.values())[-1]

    @cached_property
    def steps(self) -> list[StepPlan]:
        return [step for plan in self.plans.values() for step in plan.steps]

    @cached_property
    def everything(self) -> list[StepPlan]:
        return [step for plan in self.plans.values() for steps in plan.groups.values() for step in steps]

    def of_type(self, word: str) -> list[StepPlan]:
        return [step for step in self.steps if step.type == word]

    @cached_property
    def expressions(self) -> str:
        """Everything in its steps that may hold an expression."""
        return "\n".join(json.dumps([it.config, it.env, it.name, it.condition], default=str) for it in self.everything)

    def modules_beside(self) -> Iterator[str]:
        """The names of Python files of the project that another one imports."""
        files = {path.stem: path.read_text() for path in self.folder.glob("**/*.py")}
        for name in files:
            yield from (name for text in files.values() if f"import {name}" in text or f"from {name} " in text)


def flows() -> list[Shown]:
    """The flows that ship."""
    compiled: Compiled = compile_workspace(SPECS)
    found: dict[str, dict[str, Plan]] = {}
    for (name, environment), plan in compiled.plans.items():
        found.setdefault(name, {})[environment] = plan
    return [_shown(name, plans) for name, plans in sorted(found.items())]


def _shown(name: str, plans: Mapping[str, Plan]) -> Shown:
    spec = SPECS / next(iter(plans.values())).spec_path
    text = spec.read_text() + (spec.parent / "project.yaml").read_text()
    return Shown(name, plans, text, spec.parent)


def _variables(plan: Plan) -> dict[str, Any]:
    found = plan.constants.get("vars", {})
    return dict(found) if isinstance(found, Mapping) else {}


def _differs_by_environment(flow: Shown) -> bool:
    """Values that are neither the same in both environments nor the environment's name."""
    tables = [_variables(plan) for plan in flow.plans.values()]
    return len(tables) > 1 and any(
        str(tables[0].get(key)) != str(tables[-1].get(key)) and str(tables[-1].get(key)) not in flow.plans
        for key in tables[-1]
    )


def _in_a_row(flow: Shown) -> bool:
    steps = flow.plan.steps
    return len(steps) > 2 and all(step.needs == (before.id,) for before, step in itertools.pairwise(steps))


def _joins_branches(flow: Shown) -> bool:
    conditional = {step.id for step in flow.steps if step.condition}
    return any(len(set(step.needs) & conditional) > 1 for step in flow.steps)


def _secret_groups(flow: Shown) -> set[tuple[str, ...]]:
    return {step.env_from for step in flow.plan.steps if step.env_from}


def _secrets_in(env: Mapping[str, str]) -> set[str]:
    return {value.split("secrets.")[1].split(".")[0] for value in env.values() if "secrets." in value}


Sign = Callable[[Shown], Any]
FEATURES: Mapping[str, tuple[str, Sign]] = {
    "ENVSEC": ("a secret as the environment of a step", lambda it: any(step.env_from for step in it.steps)),
    "POOL": ("a server to run on", lambda it: it.plan.server),
    "RETRY": ("retries with a delay", lambda it: any(step.retries and step.retry_delays[0] for step in it.steps)),
    "DOCKER": ("containers", lambda it: it.of_type("docker")),
    "SEQ": ("steps one after the other", _in_a_row),
    "CRON": ("a schedule", lambda it: it.plan.schedules),
    "PULL": ("an image pulled once", lambda it: any("pull_retries" in step.config for step in it.of_type("docker"))),
    "PARAM": ("parameters with defaults", lambda it: it.plan.parameters),
    "NOTIFY": ("a message when it fails", lambda it: any(step.type == "slack" for step in it.plan.on_failure)),
    "ALIAS": ("a value per environment", _differs_by_environment),
    "NOSCHED": ("runs by hand only", lambda it: not any(plan.schedules for plan in it.plans.values())),
    "ENVNAME": ("the environment's name in a value", lambda it: "${{ environment }}" in it.text),
    "LOOP": (
        "a step over a list that is known",
        lambda it: any(step.elements and "steps." not in str(step.elements.foreach) for step in it.steps),
    ),
    "META": ("a description and tags", lambda it: it.plan.description and it.plan.tags),
    "ENVKEY": (
        "a key inside a secret",
        lambda it: any("." in name for step in it.steps for name in step.env_from) or "secrets.mail." in it.expressions,
    ),
    "WM": ("only what is new since the last success", lambda it: "last_success.start" in it.expressions),
    "SCRIPT": ("scripts", lambda it: it.of_type("script")),
    "TIMEOUT": ("a limit for a step", lambda it: any(step.timeout for step in it.steps)),
    "DATE": ("dates of the run", lambda it: "run.start" in it.expressions and "date" in it.expressions),
    "DEPS": ("code beside the flow", lambda it: any(it.modules_beside())),
    "COND": ("a value by a condition", lambda it: " if " in it.expressions and " else " in it.expressions),
    "WD": ("a working directory", lambda it: any("working_dir" in step.config for step in it.steps)),
    "TRN": ("names of task runs with values", lambda it: any("${{" in step.name for step in it.steps)),
    "OUT": ("results of earlier steps", lambda it: "steps." in it.expressions and ".stdout" in it.expressions),
    "DAG": ("a graph", lambda it: any(len(step.needs) > 1 for step in it.steps)),
    "PAUSED": ("a schedule that is off", lambda it: any(s.paused for p in it.plans.values() for s in p.schedules)),
    "MAP": (
        "a step over a list that only the run knows",
        lambda it: any(step.elements and "steps." in str(step.elements.foreach) for step in it.steps),
    ),
    "WHEN": ("steps under a condition", lambda it: any(step.condition for step in it.steps)),
    "ENVMULTI": ("other secrets for other steps", lambda it: len(_secret_groups(it)) > 1),
    "QUEUE": ("a queue of its own", lambda it: it.plan.queue),
    "WMW": (
        "a last success that is kept and not used",
        lambda it: it.plan.last_success and "last_success.start" not in it.expressions,
    ),
    "ALWAYS": (
        "a step that always runs",
        lambda it: it.plan.finally_ or any("always()" in (step.condition or "") for step in it.steps),
    ),
    "EMAIL": ("mails", lambda it: it.of_type("email")),
    "CONC": ("no two runs at once", lambda it: it.plan.concurrency),
    "TWIN": ("one spec for staging and production", lambda it: len(it.plans) > 1),
    "ENVMERGE": (
        "an environment from keys of several secrets",
        lambda it: any(len(_secrets_in(step.env)) > 1 for step in it.steps),
    ),
    "NOTIFYX": ("a message for every retry", lambda it: it.plan.on_retry),
    "VOL": ("volumes and networks", lambda it: any("volumes" in step.config for step in it.of_type("docker"))),
    "RUNNAME": ("names of runs with values", lambda it: it.plan.run_name),
    "MERGE": ("branches that come together", _joins_branches),
    "ARTIFACT": ("a document published with the run", lambda it: it.of_type("artifact")),
    "SLACK": ("messages of its own", lambda it: it.of_type("slack")),
    "ENVLIT": ("an environment written out", lambda it: any("$" not in v for s in it.steps for v in s.env.values())),
    "TZ": ("a time zone", lambda it: it.plan.schedules and it.plan.timezone != "UTC"),
}
"""What flows of a city's data team needed over three years, most wanted first: a short code, words, and its sign."""
