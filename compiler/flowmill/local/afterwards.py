"""What is kept of a local run that has ended, and what is said about it."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from flowmill.local.results import Results
from flowmill.planning.plan import Plan
from flowmill.running.last_success import reason_against
from flowmill.running.outcome import RunOutcome
from flowmill.running.runtime import Runtime
from flowmill.running.success_times import TimesError, name_of


def afterwards(plan: Plan, runtime: Runtime, results: Results, outcome: RunOutcome) -> Iterator[str]:
    """Keep the results of the run for `--from`, and tell what has become of the time of the last success."""
    try:
        results.keep(outcome)
    except (OSError, ValueError) as error:
        yield f"the results of the steps could not be kept for --from: {error}"
    if plan.last_success is not None and outcome.failure is None:
        yield f"last success of {plan.name} in {plan.environment}{_last_success(plan, runtime, outcome)}"


def _last_success(plan: Plan, runtime: Runtime, outcome: RunOutcome) -> str:
    if not outcome.is_kept:
        return f": not this run, because {reason_against(plan, outcome.steps)}"
    try:
        kept = runtime.successes.read(name_of(plan))
    except TimesError as error:
        return f": {error}"
    shown = kept.astimezone(ZoneInfo(plan.timezone)).isoformat(timespec="seconds") if kept else "-"
    return f": {shown} (kept {runtime.successes.where}, local runs do not change the server's)"
