"""A small workspace: two flows of the project `shop`, one of which overrides the zone, and one of `lab`."""

from collections.abc import Mapping
from typing import Any

Spec = dict[str, Any]

WORKSPACE: Spec = {
    "environments": {"staging": {"ref": "main"}, "production": {"ref": "production"}},
    "servers": {"etl-01": {}},
}


def flow(project: str, **keys: Any) -> Spec:
    steps = [{"id": "go", "type": "script", "command": "true"}]
    return {"project": project, "environment": ["staging", "production"], "server": "etl-01", "steps": steps, **keys}


FILES: Mapping[str, Any] = {
    "specs/flowmill.yaml": WORKSPACE,
    "specs/shop/project.yaml": {},
    "specs/shop/orders.yaml": flow("shop"),
    "specs/shop/stock.yaml": flow("shop", timezone="Europe/Berlin"),
    "specs/lab/project.yaml": {},
    "specs/lab/samples.yaml": flow("lab"),
}


def with_default(**keys: Any) -> Spec:
    return {**WORKSPACE, "defaults": keys}
