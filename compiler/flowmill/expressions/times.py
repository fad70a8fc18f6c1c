"""Times and lengths of time, and what `+`, `-` and `<` mean for them.

Python's own arithmetic on times with a zone is that of the clock on the wall: an hour before 03:30 on the day on
which the clocks go forward would be 02:30, which does not exist, and `<` would take the second 01:30 of an autumn
night for the first. Here days and months are steps of the calendar, everything below is exact, and times compare
as moments.
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flowmill.expressions.refusal import Refusal, number, refused

SECOND = 1_000_000
"""In microseconds, as are the following."""
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
YEARS_AT_MOST = 10_000

TIME_ATTRIBUTES = frozenset({"year", "month", "day", "hour", "minute", "second", "weekday"})


@dataclass(frozen=True, eq=False)
class Span:
    """A length of time: months, days and microseconds are kept apart, since none is a fixed number of another."""

    months: int = 0
    days: int = 0
    microseconds: int = 0

    @property
    def seconds(self) -> float:
        """The exact part of it."""
        return self.microseconds / SECOND

    @property
    def _without_months(self) -> int:
        """In microseconds; where lengths are compared or divided, a day has 24 hours."""
        return self.days * DAY + self.microseconds

    def __add__(self, other: object) -> "Span":
        if not isinstance(other, Span):
            return NotImplemented
        return span(self.months + other.months, self.days + other.days, self.microseconds + other.microseconds)

    def __sub__(self, other: object) -> "Span":
        return self + -other if isinstance(other, Span) else NotImplemented

    def __neg__(self) -> "Span":
        return Span(-self.months, -self.days, -self.microseconds)

    def __pos__(self) -> "Span":
        return self

    def __mul__(self, factor: object) -> "Span":
        if not isinstance(factor, int | float):
            return NotImplemented
        return span(self.months * factor, self.days * factor, self.microseconds * factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> Any:
        """A number of parts gives a length; another length gives how often that fits."""
        if isinstance(divisor, Span):
            return self._ratio(divisor, lambda one, other: one / other)
        if not isinstance(divisor, int | float):
            return NotImplemented
        return span(self.months / divisor, self.days / divisor, self.microseconds / divisor)

    def __floordiv__(self, divisor: object) -> Any:
        return self._ratio(divisor, lambda one, other: one // other) if isinstance(divisor, Span) else NotImplemented

    def __mod__(self, divisor: object) -> "Span":
        if not isinstance(divisor, Span):
            return NotImplemented
        rest = self._ratio(divisor, lambda one, other: one % other)
        return span(months=rest) if self.months else span(microseconds=rest)

    def _ratio(self, other: "Span", divide: Callable[[int, int], Any]) -> Any:
        if not self.months and not other.months:
            return divide(self._without_months, other._without_months)
        if not self._without_months and not other._without_months:
            return divide(self.months, other.months)
        raise Refusal("months have no fixed number of days, so these lengths of time cannot be divided")

    def _order(self, other: object) -> int:
        """Below, at or above zero, as this is shorter than, equal to or longer than the other."""
        if not isinstance(other, Span):
            raise refused(other, "a length of time can only be compared with another, such as `hours(1)`")
        months, rest = self.months - other.months, self._without_months - other._without_months
        if months * rest < 0:
            raise Refusal("months have no fixed number of days, so these lengths of time cannot be compared")
        return months or rest

    def __eq__(self, other: object) -> bool:
        return self._order(other) == 0 if isinstance(other, Span) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.months, self._without_months))

    def __lt__(self, other: object) -> bool:
        return self._order(other) < 0

    def __le__(self, other: object) -> bool:
        return self._order(other) <= 0

    def __gt__(self, other: object) -> bool:
        return self._order(other) > 0

    def __ge__(self, other: object) -> bool:
        return self._order(other) >= 0

    def __str__(self) -> str:
        """As an ISO 8601 duration: `P1Y2M`, `P14D`, `PT36H`; a minus before it holds for all of it."""
        sign = -1 if max(self.months, self.days, self.microseconds) <= 0 and self.months + self._without_months else 1
        years, months = _divided(sign * self.months, 12)
        minutes, rest = _divided(sign * self.microseconds, MINUTE)
        hours, minutes = _divided(minutes, 60)
        calendar = _parts((years, "Y"), (months, "M"), (sign * self.days, "D"))
        clock = _parts((hours, "H"), (minutes, "M"), (rest / SECOND, "S"))
        text = f"P{calendar}{f'T{clock}' if clock or not calendar else ''}"
        return f"{'-' if sign < 0 else ''}{text if text != 'PT' else 'PT0S'}"


def _divided(value: int, by: int) -> tuple[int, int]:
    """Quotient and remainder, both with the sign of the value."""
    quotient, remainder = divmod(abs(value), by)
    return (quotient, remainder) if value >= 0 else (-quotient, -remainder)


def _parts(*parts: tuple[float, str]) -> str:
    return "".join(f"{f'{value:.6f}'.rstrip('0').rstrip('.')}{letter}" for value, letter in parts if value)


def span(months: float = 0, days: float = 0, microseconds: float = 0) -> Span:
    """The length of time with these parts; a part of a day counts as that many of 24 hours.

    Raises:
        Refusal: it is too long, or part of a month, of which nobody knows how long it is.
    """
    limits = (YEARS_AT_MOST * 12, YEARS_AT_MOST * 366, YEARS_AT_MOST * 366 * DAY)
    # Turned round: nothing is true of what is no number.
    if not all(abs(part) <= limit for part, limit in zip((months, days, microseconds), limits, strict=True)):
        raise Refusal(f"a length of time has at most {YEARS_AT_MOST:,} years")
    if months != int(months):
        raise Refusal("months cannot be divided: a part of one has no fixed length")
    return Span(int(months), int(days), round(microseconds + (days - int(days)) * DAY))


def _unit(name: str, part: str, size: int) -> Callable[[Any], Span]:
    def length(count: Any) -> Span:
        value = number(count, name)
        if part == "months" and value % 1:
            raise Refusal(f"`{name}` takes a whole number")
        return span(**{part: value * size})

    return length


LENGTHS: dict[str, Callable[[Any], Span]] = {
    "seconds": _unit("seconds", "microseconds", SECOND),
    "minutes": _unit("minutes", "microseconds", MINUTE),
    "hours": _unit("hours", "microseconds", HOUR),
    "days": _unit("days", "days", 1),
    "weeks": _unit("weeks", "days", 7),
    "months": _unit("months", "months", 1),
    "years": _unit("years", "months", 12),
}
"""The functions that make lengths of time, by their names."""


class Time(datetime):
    """A moment and the clock that it is read from. It exists on that clock, and compares as a moment.

    Expressions only ever see these: `given` makes them of the datetimes that come from outside. Sums and
    differences are those of `calculated`; the operators inherited from Python are not used.
    """

    @classmethod
    def of(cls, moment: datetime) -> "Time":
        """The same moment; one without a zone is in UTC, one that its zone leaves out lies behind the gap.

        Raises:
            Refusal: it lies outside of the years that a date can have.
        """
        if isinstance(moment, Time):
            return moment
        aware = datetime.combine(moment.date(), moment.timetz(), moment.tzinfo or UTC)
        try:
            # There and back: PEP 495 reads a time in a gap by the offset before it, so it comes out moved by the gap.
            there = aware.astimezone(UTC).astimezone(aware.tzinfo)
        except (OverflowError, ValueError):
            raise _outside() from None
        # Not `combine`, which forgets the fold of a subclass.
        clock = (there.hour, there.minute, there.second, there.microsecond)
        return cls(there.year, there.month, there.day, *clock, there.tzinfo, fold=there.fold)

    @property
    def instant(self) -> datetime:
        """The moment in UTC, as a datetime of Python."""
        return datetime.combine(self.date(), self.timetz()).astimezone(UTC)

    @property
    def wall(self) -> datetime:
        """What the clock shows, without its zone."""
        return datetime.combine(self.date(), self.time()).replace(fold=0)

    def on_its_clock(self, wall: datetime) -> "Time":
        """When the clock of this time shows `wall`, for the first time unless its fold says otherwise."""
        return Time.of(wall.replace(tzinfo=self.tzinfo))

    def __eq__(self, other: object) -> bool:
        return self.instant == _instant(other) if isinstance(other, datetime) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.instant)

    def __lt__(self, other: object) -> bool:
        return self.instant < _instant(other)

    def __le__(self, other: object) -> bool:
        return self.instant <= _instant(other)

    def __gt__(self, other: object) -> bool:
        return self.instant > _instant(other)

    def __ge__(self, other: object) -> bool:
        return self.instant >= _instant(other)

    def __str__(self) -> str:
        return self.isoformat(timespec="seconds")


def _instant(other: object) -> datetime:
    if isinstance(other, datetime):
        return Time.of(other).instant
    raise refused(other, "a time can only be compared with a time", "a text becomes one with `| time`")


def _outside() -> Refusal:
    return Refusal("the result lies outside of the years 1 to 9999")


def given(value: Any) -> Any:
    """A value from outside, as expressions see it."""
    return Time.of(value) if isinstance(value, datetime) else value


def part_of(time: datetime, attribute: str) -> int:
    """One of `TIME_ATTRIBUTES`; Monday is weekday 1."""
    return time.isoweekday() if attribute == "weekday" else int(getattr(time, attribute))


def calculated(operator: str, left: Any, right: Any) -> Any:
    """What an operator makes of two sides of which one is a time at least.

    Raises:
        TypeError: it does not work on such sides.
        Refusal: the result is no time that a date can have.
    """
    match operator, given(left), given(right):
        case "-", Time() as end, Time() as start:
            return span(microseconds=(end.instant - start.instant) // timedelta(microseconds=1))
        case "+", Time() as start, Span() as length:
            return _moved(start, length)
        case "+", Span() as length, Time() as start:
            return _moved(start, length)
        case "-", Time() as start, Span() as length:
            return _moved(start, -length)
    raise TypeError(operator)


def _moved(start: Time, length: Span) -> Time:
    """Months first, then days, both on the calendar; then the exact rest."""
    try:
        if length.months or length.days:
            day = _months_later(start.wall, length.months) + timedelta(days=length.days)
            start = start.on_its_clock(day)
        moment = start.instant + timedelta(microseconds=length.microseconds)
        return Time.of(moment.astimezone(start.tzinfo))
    except (OverflowError, ValueError):
        raise _outside() from None


def _months_later(wall: datetime, months: int) -> datetime:
    """The same day of another month, or the last that it has."""
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise _outside()
    return wall.replace(year, month + 1, min(wall.day, monthrange(year, month + 1)[1]))
