"""A deployment as it lies on the server now."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flowmill.registering.view import RECORD, entered, view_of

WORKSPACE, FLOW = "flowmill.workspace", "flowmill.flow"
"""Labels that say whose a deployment is; Prefect's UI cannot change them."""


@dataclass(frozen=True)
class Live:
    """A deployment of an environment, whoever made it.

    Attributes:
        flow: the name of its flow.
        content: what the server says about it.
    """

    id: str
    flow: str
    content: Mapping[str, Any]

    @property
    def owner(self) -> str | None:
        """The workspace that registered it; None for one that somebody made otherwise."""
        owner = (self.content.get("labels") or {}).get(WORKSPACE)
        return None if owner is None else str(owner)

    @property
    def version(self) -> str:
        """The digest of what was applied last."""
        return str(self.content.get("version") or "")

    @cached_property
    def view(self) -> dict[str, Any]:
        return view_of(self.content)

    @property
    def protected(self) -> bool:
        return bool(entered(self.content).get("protect"))

    @property
    def spec(self) -> str:
        """Where its spec was, by what it was registered with."""
        return str(entered(self.content).get("spec") or "")

    @property
    def applied(self) -> Mapping[str, str]:
        """A digest of each field as it was applied last."""
        return dict(self._record.get("fields") or {})

    @property
    def switches(self) -> Mapping[str, bool]:
        """Whether each schedule was on as it was applied last."""
        return dict(self._record.get("switches") or {})

    @property
    def _record(self) -> Mapping[str, Any]:
        record = entered(self.content).get(RECORD)
        return record if isinstance(record, dict) else {}
