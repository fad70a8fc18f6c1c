"""What a schedule gives to a run's parameters is declared and fits."""

from collections.abc import Iterator

from flowmill.checks.parameters import mismatch
from flowmill.corrections import corrected
from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.suggest import did_you_mean

CODES = {
    "unknown-parameter": "A schedule gives a value to a parameter that the flow does not declare.",
    "unfit-parameter": "A schedule gives a parameter a value that its declaration does not allow.",
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    if "parameters" in flow.broken:
        return
    declared = flow.spec.parameters
    for index, schedule in enumerate(flow.spec.schedules):
        for name, value in schedule.parameters.items():
            route = ("schedules", index, "parameters", name)
            if name not in declared:
                hint = did_you_mean(name, declared) or "the flow declares no parameters"
                message, fix = f"there is no parameter `{name}`", corrected(route, name, declared, at_key=True)
                yield Finding(route, "unknown-parameter", message, hint, at_key=True, fix=fix)
            elif problem := mismatch(declared[name], value):
                yield Finding(route, "unfit-parameter", f"parameter `{name}`: {problem}")
