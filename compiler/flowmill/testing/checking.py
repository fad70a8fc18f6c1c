"""A file with tests against the flow that it is about: nothing in it may be misspelt, or mean nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding, RelatedRoute, Route
from flowmill.local.given import BadParameter, missing_parameters, typed_parameter
from flowmill.planning.plan import Plan, StepPlan
from flowmill.secrets.names import secret_names
from flowmill.spec.bind import bind, keys_of
from flowmill.suggest import did_you_mean
from flowmill.testing.spec import FlowTest, FlowTests, Pattern, Result, StepWanted
from flowmill.testing.values import is_pattern
from flowmill_tasks.base import Step
from flowmill_tasks.registry import Registry

CODE = "wrong-test"


def findings(
    tests: FlowTests, written: Mapping[str, Any], plans: Mapping[str, Plan], registry: Registry, *, whole: bool = True
) -> Iterator[Finding]:
    """What is wrong with the tests of a flow.

    Args:
        written: the same as the file has it.
        plans: of the flow, by environment; in the order in which it names them.
        whole: whether these are all environments that it names, none of them being wrong.
    """
    first: dict[str, int] = {}
    for index, test in enumerate(tests.tests):
        route: Route = ("tests", index)
        if (other := first.setdefault(test.name, index)) != index:
            related = (RelatedRoute(("tests", other, "name"), "the other one"),)
            message = f"two tests are called `{test.name}`"
            yield Finding((*route, "name"), "duplicate-test", message, related=related)
        is_unknown = test.environment is not None and test.environment not in plans
        if is_unknown and plans and whole:
            message = f"the flow does not name the environment `{test.environment}`"
            hint = did_you_mean(str(test.environment), plans)
            fix = corrected((*route, "environment"), str(test.environment), plans)
            yield Finding((*route, "environment"), "unknown-environment", message, hint, fix=fix)
        elif plans and not is_unknown:
            yield from _Check(test, written["tests"][index], plan_of(test, plans), registry, route).all()


def plan_of(test: FlowTest, plans: Mapping[str, Plan]) -> Plan:
    """The plan that a test is about."""
    return plans[test.environment or next(iter(plans))]


@dataclass(frozen=True)
class _Check:
    """The checks of one test."""

    test: FlowTest
    written: Mapping[str, Any]
    plan: Plan
    registry: Registry
    route: Route

    def all(self) -> Iterator[Finding]:
        """Everything that is wrong with it."""
        yield from self._parameters()
        yield from self._secrets()
        yield from self._last_success()
        yield from self._selection()
        yield from self._real()
        for label, results in self.test.results.items():
            yield from self._results(label, results)
        yield from self._expectations()

    def _parameters(self) -> Iterator[Finding]:
        values, place = self.test.parameters, (*self.route, "parameters")
        names = [parameter.name for parameter in self.plan.parameters]
        for name, value in values.items():
            if name not in names:
                hint = did_you_mean(name, names) or "the flow declares no parameters"
                fix = corrected((*place, name), name, names, at_key=True)
                yield Finding((*place, name), CODE, f"there is no parameter `{name}`", hint, at_key=True, fix=fix)
                continue
            try:
                typed_parameter(name, value, self.plan)
            except BadParameter as error:
                yield Finding((*place, name), "bad-parameter", str(error))
        defaults = {parameter.name: parameter.default for parameter in self.plan.parameters}
        for name in missing_parameters({**defaults, **values}, self.plan):
            message = f"the parameter `{name}` has no default, and the test gives it no value"
            yield Finding((*self.route, "name"), CODE, message, f"add `{name}` under `parameters` of the test")

    def _secrets(self) -> Iterator[Finding]:
        known = secret_names(self.plan)
        for name in self.test.secrets if known is not None else ():
            if name not in (known or ()):
                message = f"the flow never asks for the secret `{name}`"
                hint = did_you_mean(name, known or ()) or "it asks for no secret at all: remove this one"
                yield Finding((*self.route, "secrets", name), CODE, message, hint, at_key=True)

    def _last_success(self) -> Iterator[Finding]:
        wanted = "last_success" in self.test.expect.model_fields_set
        given = "last_success" in self.test.model_fields_set
        for place in [(*self.route, "expect", "last_success")] * wanted + [(*self.route, "last_success")] * given:
            if self.plan.last_success is None:
                hint = "add `last_success: {default: 1970-01-01}` to the flow, or take this out"
                yield Finding(place, CODE, "the flow keeps no last success", hint, at_key=True)

    def _selection(self) -> Iterator[Finding]:
        if self.test.only is not None and self.test.from_ is not None:
            yield Finding((*self.route, "from"), CODE, "give `only` or `from`, not both", "remove one", at_key=True)
        ids = [step.id for step in self.plan.steps]
        for key, name in (("only", self.test.only), ("from", self.test.from_)):
            if name is not None and name not in ids:
                yield _no_step((*self.route, key), name, ids)

    def _real(self) -> Iterator[Finding]:
        for index, name in enumerate(self.test.real):
            step, place = self._steps.get(name), (*self.route, "real", index)
            if step is None:
                yield _no_step(place, name, self._steps)
            elif step.type != "script":
                message = f"`{name}` is a step of type `{step.type}`; only a `script` can be run in a test"
                yield Finding(place, CODE, message, "say under `results` how it ends")

    def _results(self, label: str, results: list[Result]) -> Iterator[Finding]:
        place = (*self.route, "results", label)
        step = self._labelled(label)
        if step is None:
            yield self._unknown_label(label, place)
            return
        if step.id in self.test.real:
            message = f"`{step.id}` is run in earnest, so its end cannot be told beforehand"
            yield Finding(place, CODE, message, "remove it here, or from `real`", at_key=True)
        is_list = isinstance(self.written["results"][label], list)
        for index, result in enumerate(results):
            yield from _result(result, step, self.registry[step.type], (*place, index) if is_list else place)

    def _expectations(self) -> Iterator[Finding]:
        expect, place = self.test.expect, (*self.route, "expect")
        if not expect.model_fields_set or expect.model_dump(exclude_unset=True) == {"steps": {}}:
            message = f"`{self.test.name}` expects nothing, so it would pass whatever the flow does"
            yield Finding(place, "empty-test", message, "say what must have happened, such as `state: success`")
        for label, wanted in expect.steps.items():
            step = self._labelled(label)
            if step is None:
                yield self._unknown_label(label, (*place, "steps", label))
            else:
                yield from self._wanted(wanted, step, label, (*place, "steps", label))
        for index, label in enumerate(expect.order or []):
            if self._labelled(label) is None:
                yield self._unknown_label(label, (*place, "order", index), at_key=False)

    def _wanted(self, wanted: StepWanted, step: StepPlan, label: str, place: Route) -> Iterator[Finding]:
        known = comparable_keys(self.registry[step.type])
        for key in wanted.model_extra or {}:
            if key not in known:
                message = f"nothing called `{key}` is known of a step of type `{step.type}`"
                fix = corrected((*place, key), key, known, at_key=True)
                yield Finding((*place, key), "unknown-key", message, did_you_mean(key, known), at_key=True, fix=fix)
        for key, value in {"env": wanted.env, **(wanted.model_extra or {})}.items():
            yield from _wrong_patterns(value, (*place, key))
        if wanted.elements is not None and (step.elements is None or label != step.id):
            message = f"`{label}` has no elements; only a step with `foreach` or `matrix` has"
            yield Finding((*place, "elements"), CODE, message, at_key=True)

    @property
    def _steps(self) -> dict[str, StepPlan]:
        return {step.id: step for group in self.plan.groups.values() for step in group}

    def _labelled(self, label: str) -> StepPlan | None:
        """The step of an id, or of the label of an element."""
        name, bracket, _ = label.partition("[")
        step = self._steps.get(name)
        is_right = not bracket or (step is not None and step.elements is not None and label.endswith("]"))
        return step if is_right else None

    def _unknown_label(self, label: str, place: Route, *, at_key: bool = True) -> Finding:
        name, bracket, _ = label.partition("[")
        if bracket and name in self._steps:
            message = f"`{name}` has no elements, so there is no `{label}`"
            return Finding(place, CODE, message, f"write `{name}`", at_key=at_key)
        return _no_step(place, name, self._steps, at_key=at_key)


def _no_step(place: Route, name: str, known: Any, *, at_key: bool = False) -> Finding:
    message, hint = f"there is no step `{name}`", did_you_mean(name, list(known))
    is_whole = not at_key or place[-1] == name  # and not the label of an element
    fix = corrected(place, name, known, at_key=at_key) if is_whole else ()
    return Finding(place, "unknown-step", message, hint, at_key=at_key, fix=fix)


def _result(result: Result, step: StepPlan, step_type: type[Step], place: Route) -> Iterator[Finding]:
    outputs = step_type.output.model_fields
    written = [key for key in ("stdout", "exit_code", "result") if key in result.model_fields_set]
    for key in (key for key in written if key not in outputs):
        message = f"a step of type `{step.type}` yields no `{key}`"
        hint = "`error` makes it fail" if key == "exit_code" else did_you_mean(key, outputs)
        yield Finding((*place, key), CODE, message, hint, at_key=True)
    for name in (name for name in result.outputs if name not in outputs):
        message = f"a step of type `{step.type}` yields no `{name}`"
        yield Finding((*place, "outputs", name), CODE, message, did_you_mean(name, outputs), at_key=True)
    if result.timeout and step.timeout is None:
        message = f"`{step.id}` has no `timeout`, so none can pass"
        yield Finding((*place, "timeout"), CODE, message, "give the step a `timeout`", at_key=True)


def _wrong_patterns(value: Any, place: Route) -> Iterator[Finding]:
    if is_pattern(value):
        bound = bind(Pattern, value, place)
        yield from bound if isinstance(bound, list) else ()
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _wrong_patterns(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _wrong_patterns(item, (*place, index))


def comparable_keys(step_type: type[Step]) -> list[str]:
    """What a test can say of a step of this type: how it ended, what it yields, what it was told to do."""
    argv = ["argv"] if step_type.argument_fields else []
    return [*keys_of(StepWanted), *argv, *step_type.output.model_fields, *keys_of(step_type)]
