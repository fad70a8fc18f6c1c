"""Running one attempt of a step: in a thread, within its timeout, stoppable, with nothing left behind.

A step type need not know that it runs in a thread. The caller is asynchronous (Prefect runs independent steps of a
flow together); a step's `execute` is ordinary blocking code.

asyncio and anyio are imported where they are used: who looks for step types imports this module as well.
"""

import functools
from typing import TYPE_CHECKING

from flowmill_tasks.base import GRACE, Output, Step, StepCancelled, StepFailed, StepRun, StepTimedOut
from flowmill_tasks.duration import in_words

if TYPE_CHECKING:
    import asyncio

ABANDON_AFTER = GRACE + 7.0
"""Seconds a step has to come back once it was told to stop, before its thread is left alone."""


async def perform(step: Step, run: StepRun, timeout: float | None = None) -> Output:
    """Run `step.execute` and return its output.

    Args:
        timeout: seconds after which the step is told to stop; None means no limit.

    Raises:
        StepFailed: from the step, or a `StepTimedOut` / `StepCancelled` when it was told to stop.
        asyncio.CancelledError: the run was cancelled; raised only after the step has ended.
    """
    import asyncio

    import anyio

    work = asyncio.create_task(_in_thread(step, run))
    try:
        done, _ = await asyncio.wait({work}, timeout=timeout)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            await _stop(work, run, "the run was cancelled")
        raise
    if done:
        return _result(work, run)
    await _stop(work, run, f"timed out after {in_words(timeout or 0)}")
    if work.done() and not work.cancelled() and work.exception() is None:
        return work.result()  # it was just finishing; doing it again would send a mail twice
    raise _timed_out(work, run.cancellation.reason)


async def _in_thread(step: Step, run: StepRun) -> Output:
    from anyio import CapacityLimiter
    from anyio.to_thread import run_sync

    # A limiter of its own: the shared one would make the 41st independent step wait.
    return await run_sync(functools.partial(step.execute, run), limiter=CapacityLimiter(1), abandon_on_cancel=True)


def _result(work: "asyncio.Task[Output]", run: StepRun) -> Output:
    if run.cancellation.is_set() and work.exception() is not None:
        raise StepCancelled(run.cancellation.reason) from work.exception()
    return work.result()


async def _stop(work: "asyncio.Task[Output]", run: StepRun, reason: str) -> None:
    """Tell the step to stop, wait for it, and give it up when it does not come back."""
    import asyncio

    await asyncio.get_running_loop().run_in_executor(None, run.cancellation.cancel, reason)
    await asyncio.wait({work}, timeout=ABANDON_AFTER)
    if not work.done():
        run.log.error(f"step `{run.step_id}` did not stop within {ABANDON_AFTER:g} s; its thread is left behind")
        work.cancel()


def _timed_out(work: "asyncio.Task[Output]", reason: str) -> StepTimedOut:
    """The failure of a step that was told to stop, with what the step itself has to say about its end."""
    failure = work.exception() if work.done() and not work.cancelled() else None
    if not isinstance(failure, StepFailed):
        return StepTimedOut(reason)
    message = failure.message if reason in failure.message else f"{reason} ({failure.message})"
    return StepTimedOut(message, exit_code=failure.exit_code, tail=failure.tail, permanent=failure.permanent)
