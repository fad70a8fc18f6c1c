"""A picture of a run in text: one line per step, with a bar for when it ran."""

from dataclasses import dataclass

from flowmill.report.style import Style
from flowmill.running.outcome import State

WIDTH = 40
COLOURS = {
    State.SUCCESS: "green",
    State.FAILED: "red",
    State.TIMED_OUT: "red",
    State.SKIPPED: "yellow",
    State.NOT_SELECTED: "dim",
}


@dataclass(frozen=True)
class Bar:
    """When a step ran, in seconds since the run began; a step that never ran has neither time."""

    step: str
    state: State
    start: float | None
    end: float | None


def picture(bars: list[Bar], style: Style) -> list[str]:
    """The lines, in the order of the bars, on one scale of time."""
    whole = max((bar.end for bar in bars if bar.end is not None), default=0.0) or 1.0
    names = max((len(bar.step) for bar in bars), default=0)
    return [f"  {bar.step:<{names}}  {_drawn(bar, whole, style)}  {_words(bar)}" for bar in bars]


def _drawn(bar: Bar, whole: float, style: Style) -> str:
    if bar.start is None or bar.end is None:
        return style.paint("·" * WIDTH, "dim")
    first = min(int(bar.start / whole * WIDTH), WIDTH - 1)
    last = max(round(bar.end / whole * WIDTH), first + 1)
    drawn = style.paint("█" * (last - first), COLOURS[bar.state])
    return style.paint("·" * first, "dim") + drawn + style.paint("·" * (WIDTH - last), "dim")


def _words(bar: Bar) -> str:
    word = "" if bar.state is State.SUCCESS else bar.state.value.replace("_", " ")
    took = f"{bar.end - bar.start:5.1f}s" if bar.start is not None and bar.end is not None else "     –"
    return f"{took} {word}".rstrip()
