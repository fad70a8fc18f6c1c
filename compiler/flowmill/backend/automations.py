"""What the Prefect server does by itself with runs whose worker or process has died: its automations.

They are the net below what workers do (`dead_runs`): they hold when a whole machine is gone. Each concerns only
runs with the tag `flowmill`, which every deployment of ours has.
"""

from collections.abc import Iterable
from datetime import timedelta

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture

from flowmill.backend.server import PAGE, Server
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


def ensure_automations(server: Server, limits: Iterable[int] = ()) -> list[str]:
    """Make what is missing and correct what differs; the names of those that were written.

    One that somebody has switched off stays off. Others are not touched, and late ones of other limits stay:
    another workspace may need them.

    Args:
        limits: seconds after which waiting runs are skipped, of all plans.

    Raises:
        ServerError: the server refuses, or does not answer.
    """
    all_wanted = [*WANTED, *map(late_automation, sorted(set(limits)))]
    there = _there(server, all_wanted)
    differing = [wanted for wanted in all_wanted if not _is_as(wanted, there.get(wanted.name))]
    for wanted in differing:
        _write(server, wanted, there.get(wanted.name))
    return [wanted.name for wanted in differing]


def _write(server: Server, wanted: AutomationCore, found: Automation | None) -> None:
    if found is None:
        server.ask("POST", "/automations/", wanted.model_dump(mode="json"))
    else:
        corrected = wanted.model_copy(update={"enabled": found.enabled})
        server.ask("PUT", f"/automations/{found.id}", corrected.model_dump(mode="json", exclude_unset=True))


def _there(server: Server, wanted: Iterable[AutomationCore]) -> dict[str, Automation]:
    """Those of the server that have the name of a wanted one."""
    names = [automation.name for automation in wanted]
    found: list[Automation] = []
    for start in range(0, len(names), PAGE):
        of_names = {"automations": {"name": {"any_": names[start : start + PAGE]}}}
        found += map(Automation.model_validate, server.pages("/automations/filter", of_names))
    return {automation.name: automation for automation in found}


def _is_as(wanted: AutomationCore, found: Automation | None) -> bool:
    """Whether the server's means the same; whether it is switched on is for people to decide."""
    return found is not None and _meaning(found) == _meaning(wanted)


def _meaning(automation: AutomationCore) -> dict[str, object]:
    kept = AutomationCore.model_validate(automation.model_dump()).model_dump(exclude={"enabled", "owner_resource"})
    return dict(kept)
