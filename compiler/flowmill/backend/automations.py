"""What the Prefect server does by itself with runs whose worker or process has died: its automations.

They are the net below what workers do (`dead_runs`): they hold when a whole machine is gone. Each concerns only
runs with the tag `flowmill`, which every deployment of ours has.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.filters import AutomationFilter, AutomationFilterName
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

from flowmill.running.late_tags import PREFIX as LATE

NAME = "flowmill: "
"""What the names of our automations begin with."""
TAG = "flowmill"
"""The tag of the runs that they are about."""
SILENT_FOR = 90
"""Seconds without a heartbeat after which a run counts as dead: three times what a worker lets pass between two."""
PENDING_FOR = 240
"""Seconds that a run may be about to start: what it needs is fetched in that time."""
_ANY_EVENT = "prefect.flow-run.*"
_ALIVE = {f"prefect.flow-run.{name}" for name in ("heartbeat", "Running", "Cancelling")}
"""What a run with a process is last heard of with: it may be killed before its first heartbeat has left it."""
_PAGE = 100


def _automation(name: str, description: str, trigger: EventTrigger, then: ChangeFlowRunState) -> AutomationCore:
    return AutomationCore(name=NAME + name, description=description, trigger=trigger, actions=[then])


def _silence(after: set[str], expected: set[str], seconds: int, *tags: str) -> EventTrigger:
    """What fires when a run that has all these tags shows none of the expected events within a time."""
    return EventTrigger(
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=[{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in tags],
        after=after,
        expect=expected,
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=seconds),
    )


WANTED: tuple[AutomationCore, ...] = (
    _automation(
        "a run that went silent is crashed",
        f"A running flow sends a heartbeat every 30 s. After {SILENT_FOR} s without one its process is gone.",
        _silence(_ALIVE, {_ANY_EVENT}, SILENT_FOR, TAG),
        ChangeFlowRunState(
            state=StateType.CRASHED, name="Crashed", message=f"no heartbeat for {SILENT_FOR} s: its process is gone"
        ),
    ),
    _automation(
        "a run that does not start is scheduled again",
        f"A worker that took a run and did not start it within {PENDING_FOR} s is gone; another may take it.",
        _silence({"prefect.flow-run.Pending", "prefect.flow-run.Submitting"}, {_ANY_EVENT}, PENDING_FOR, TAG),
        ChangeFlowRunState(
            state=StateType.SCHEDULED,
            name="Scheduled",
            message=f"scheduled again: the worker that took it did not start it within {PENDING_FOR} s",
        ),
    ),
)


def late_automation(seconds: int) -> AutomationCore:
    """What takes away scheduled runs that have waited so long that they would skip themselves.

    Args:
        seconds: what `late_limit` gives for a plan; its deployment has the tag that `late_tag` gives.
    """
    return _automation(
        f"a run that waits for {seconds} s is skipped",
        "No worker has taken it, and a run so late would not be carried out (catchup, skip_if_late).",
        _silence({"prefect.flow-run.Late"}, {_ANY_EVENT}, seconds, TAG, f"{LATE}{seconds}", "auto-scheduled"),
        ChangeFlowRunState(
            state=StateType.CANCELLED,
            name="Skipped",
            message=f"skipped: no worker has taken it in the {seconds} s after it was due",
        ),
    )


def missing_automations(client: SyncPrefectClient, limits: Iterable[int] = ()) -> list[AutomationCore]:
    """Those that the server lacks, or has in another form.

    Args:
        limits: seconds after which waiting runs are skipped, of all plans.
    """
    all_wanted = _wanted(limits)
    there = _there(client, all_wanted)
    return [wanted for wanted in all_wanted if not _is_as(wanted, there.get(wanted.name))]


def ensure_automations(client: SyncPrefectClient, limits: Iterable[int] = ()) -> list[str]:
    """Make what is missing and correct what differs; the names of those that were written.

    One that somebody has switched off stays off. Others are not touched, and late ones of other limits stay:
    another workspace may need them. Prefect allows several of one name: what somebody else has made in the same
    moment is taken away again.
    """
    all_wanted = _wanted(limits)
    there, written = _there(client, all_wanted), []
    for wanted in all_wanted:
        found = there.get(wanted.name)
        if found is None:
            client.create_automation(wanted)
        elif not _is_as(wanted, found):
            client.update_automation(found.id, wanted.model_copy(update={"enabled": found.enabled}))
        else:
            continue
        written.append(wanted.name)
    if written:
        _delete_twins(client, all_wanted)
    return written


def _delete_twins(client: SyncPrefectClient, wanted: Iterable[AutomationCore]) -> None:
    """Leave one of each name: the one with the smallest id, so that all who do this at once leave the same."""
    found = sorted(_found(client, wanted), key=lambda it: it.id)
    for it in found:
        if it.id != next(first.id for first in found if first.name == it.name):
            with suppress(ObjectNotFound):
                client.request("DELETE", "/automations/{id}", path_params={"id": it.id})


def _wanted(limits: Iterable[int]) -> list[AutomationCore]:
    return [*WANTED, *map(late_automation, sorted(set(limits)))]


def _there(client: SyncPrefectClient, wanted: Iterable[AutomationCore]) -> dict[str, Automation]:
    """Those of the server that have the name of a wanted one, by their names."""
    return {automation.name: automation for automation in _found(client, wanted)}


def _found(client: SyncPrefectClient, wanted: Iterable[AutomationCore]) -> list[Automation]:
    names = [automation.name for automation in wanted]
    found: list[Automation] = []
    for start in range(0, len(names), _PAGE):
        of_names = AutomationFilter(name=AutomationFilterName(any_=names[start : start + _PAGE]))
        found += client.read_automations(automations=of_names, limit=_PAGE)
    return found


def _is_as(wanted: AutomationCore, found: Automation | None) -> bool:
    """Whether the server's means the same; whether it is switched on is for people to decide."""
    return found is not None and _meaning(found) == _meaning(wanted)


def _meaning(automation: AutomationCore) -> dict[str, object]:
    kept = AutomationCore.model_validate(automation.model_dump()).model_dump(exclude={"enabled", "owner_resource"})
    return dict(kept)
