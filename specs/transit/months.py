"""Months of the calendar, as texts such as `2026-10`."""

from datetime import date, timedelta


def month_of(day: date) -> str:
    """The month that a day lies in."""
    return f"{day:%Y-%m}"


def month_before(day: date) -> str:
    """The month before the one that a day lies in."""
    return month_of(day.replace(day=1) - timedelta(days=1))
