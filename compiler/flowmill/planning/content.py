"""A plan as plain data under the keys that people write: what two plans are compared by."""

import json
from dataclasses import asdict
from typing import Any

from flowmill.planning.plan import Plan, StepPlan

_IDENTITY = ("project", "flow", "environment", "spec_path")
"""What says which plan it is; nothing that it does."""


def content_of(plan: Plan) -> dict[str, Any]:
    """Everything that a flow does in an environment; a field that plans get later is in it by itself."""
    content = asdict(plan)
    for key in _IDENTITY:
        del content[key]
    catchup = content.pop("catchup")
    content |= {"catchup": catchup.pop("missed"), **catchup, "vars": content.pop("constants").get("vars", {})}
    content["finally"] = content.pop("finally_")
    content |= {group: [_step(step) for step in steps] for group, steps in plan.groups.items()}
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def _step(step: StepPlan) -> dict[str, Any]:
    content = asdict(step)
    if not any(content["retry_delays"]):  # `retries` says how many there are
        content["retry_delays"] = ()
    common = {"id": content.pop("id"), "type": content.pop("type"), "if": content.pop("condition")}
    return {**common, **content.pop("config"), **(content.pop("elements") or {}), **content}
