"""What may be shown of the values of a plan: what may be a credential is stars, wherever an expression put it."""

from collections.abc import Mapping, Sequence
from typing import Any

from flowmill.diagnostics import Route
from flowmill.differences import ABSENT, Path
from flowmill.secrets.masking import Masking, value_at
from flowmill.spec.flow import GROUPS

_LISTS = (*GROUPS, "schedules")
"""Lists whose items a plan calls by their ids."""


class Mask:
    """Knows a flow as it was written, every default under it."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        self._written = written
        self._masking = Masking(written)

    def shown(self, value: Any, path: Path) -> Any:
        """A value of the flow's plan as it may be shown.

        Args:
            path: where it stands in the content of the plan, items of lists by their ids.
        """
        if value is ABSENT:
            return value
        if isinstance(value, dict):
            return {key: self.shown(item, (*path, key)) for key, item in value.items()}
        route = self._route(path)
        written = self._written_at(route)
        if isinstance(value, list) and (written is None or (isinstance(written, list) and len(written) == len(value))):
            return [self.shown(item, (*path, index)) for index, item in enumerate(value)]
        return self._masking.became(value, written, route)

    def _route(self, path: Path) -> Route:
        """The place in what was written."""
        if len(path) < 2 or path[0] not in _LISTS:
            return path
        group = str(path[0])
        ids = _ids(group, self._written.get(group))
        return (group, ids.index(path[1]), *path[2:]) if path[1] in ids else path

    def _written_at(self, route: Route) -> Any:
        """What was written there; a step's variables may be those of the flow."""
        found = value_at(self._written, route)
        is_variable = len(route) == 4 and route[2] == "env"
        return value_at(self._written, route[2:]) if found is None and is_variable else found


def _ids(group: str, items: Any) -> Sequence[Any]:
    """The ids of the items of a list as a plan has them."""
    found = items if isinstance(items, list) else []
    start = "schedule-" if group == "schedules" else f"{group}_"
    ids = [item.get("id") if isinstance(item, dict) else None for item in found]
    return [known or f"{start}{index + 1}" for index, known in enumerate(ids)]
