"""The environments of a flow side by side: a row for each thing that can differ."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flowmill.report.style import printable
from flowmill.site.flow_entry import FlowEntry, InEnvironment
from flowmill_tasks.duration import in_words as duration

_CATCHUP = {
    "none": "are not made up for",
    "last": "only the last one is made up for",
    "all": "are all made up for",
}


@dataclass(frozen=True)
class Compared:
    """One row: what it is about, and a text for each environment, empty where there is nothing."""

    title: str
    texts: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the environments are not alike in it."""
        return len(set(self.texts)) > 1


def rows(flow: FlowEntry) -> Iterator[Compared]:
    """The rows that say anything in any environment, besides server and schedules, which need more than text."""
    for title, text in _TEXTS.items():
        texts = tuple(text(it) for it in flow.environments)
        if any(texts):
            yield Compared(title, texts)


def _branch(it: InEnvironment) -> str:
    pinned = "the commit that was registered" if it.stage.pin == "commit" else "whatever it holds"
    return printable(f"{it.stage.ref} ({pinned})")


def _concurrency(it: InEnvironment) -> str:
    wanted = it.plan.concurrency
    if wanted is None:
        return ""
    return f"{wanted.limit}, one too many {'waits' if wanted.on_conflict == 'queue' else 'is dropped'}"


def _missed(it: InEnvironment) -> str:
    """What becomes of runs that are late; nothing where none can be."""
    if not it.timetables:
        return ""
    late = it.plan.catchup.skip_if_late
    skipped = f"; skipped when {duration(late)} late" if late else ""
    return _CATCHUP[it.plan.catchup.missed] + skipped


_TEXTS: dict[str, Callable[[InEnvironment], str]] = {
    "branch": _branch,
    "queue": lambda it: it.plan.queue or "",
    "runs at once": _concurrency,
    "missed runs": _missed,
    "last success": lambda it: it.shown.text("last_success", "default") and "is kept",
    "name of a run": lambda it: it.shown.text("run_name"),
    "tags": lambda it: ", ".join(it.shown.texts("tags")),
    "kept without a spec": lambda it: "yes" if it.plan.protect else "",
}
