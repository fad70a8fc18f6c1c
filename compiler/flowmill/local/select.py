"""The plan of one spec in one environment."""

from pathlib import Path

from flowmill import SpecError
from flowmill.pipeline import compile_workspace
from flowmill.planning.plan import Plan
from flowmill.workspace import find_root


def plan_of(spec: Path, environment: str) -> Plan:
    """Compile one spec.

    Raises:
        SpecError: it is wrong.
        KeyError: it does not name the environment.
        FileNotFoundError: there is no workspace around it.
    """
    root = find_root(spec)
    if root is None:
        raise FileNotFoundError(f"there is no flowmill.yaml at or above `{spec}`")
    compiled = compile_workspace(root, frozenset({spec.absolute()}))
    if compiled.errors:
        raise SpecError(compiled.diagnostics)
    plans = {name: plan for (_, name), plan in compiled.plans.items()}
    if environment not in plans:
        raise KeyError(f"the spec does not name the environment `{environment}`; it names {', '.join(plans)}")
    return plans[environment]
