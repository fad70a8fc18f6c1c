"""Outcomes as Prefect states, and the references by which Prefect records the graph of a run."""

from prefect.client.schemas.objects import State as PrefectState
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelled, Completed, Failed

from flowmill.running.outcome import Outcome, RunOutcome, State


def of_step(outcome: Outcome) -> "PrefectState[None]":
    """The state of a task run. A step that did not run is Cancelled, named `Skipped`, and says why."""
    match outcome.state:
        case State.SUCCESS:
            return Completed(message=outcome.message or None)
        case State.TIMED_OUT:
            return Failed(name="TimedOut", message=outcome.message)
        case State.FAILED:
            return Failed(message=outcome.message)
        case State.SKIPPED | State.NOT_SELECTED:
            return Cancelled(name="Skipped", message=outcome.message)


def of_run(outcome: RunOutcome) -> "PrefectState[None]":
    """The state of a flow run."""
    failure = outcome.failure
    if failure is None:
        return Completed(message=outcome.message)
    return Failed(name="TimedOut" if failure.state is State.TIMED_OUT else "Failed", message=outcome.message)


def of_skipped_run(reason: str) -> "PrefectState[None]":
    """The state of a flow run that is not carried out: as for a step, Cancelled, named `Skipped`."""
    return Cancelled(name="Skipped", message=reason)


def edge(state: "PrefectState[None]") -> "PrefectState[None]":
    """A reference to a task run for `wait_for`.

    Prefect refuses to start a task whose upstream did not complete. Whether a step runs is decided by the plan,
    so it is only told which task run came before: its UI draws the edge. The data is never used, but a
    completed state without any counts as lost.
    """
    return PrefectState(type=StateType.COMPLETED, state_details=state.state_details, data=True)
