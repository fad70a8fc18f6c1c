"""When flows run, as data."""

from typing import Any

from flowmill.report.schedule import in_utc
from flowmill.timetable.calendar import Calendar
from flowmill.timetable.load import HOUR, Fire, paused


def as_data(seen: Calendar) -> dict[str, Any]:
    """The same for machines; an hour without a run is left out."""
    return {
        "from": seen.local(seen.start).isoformat(),
        "until": seen.local(seen.days[-1].end).isoformat() if seen.days else None,
        "timezone": seen.zone.key,
        "next": [_fire(fire) for fire in seen.upcoming],
        "days": _days(seen),
        "runs": [_fire(fire) for fire in seen.found],
        "load": [
            {"server": server, "hour": seen.local(start).isoformat(), "utc": in_utc(start), "runs": count}
            for server, hours in sorted(seen.load.items())
            for start, count in sorted(hours.items())
        ],
        "paused": [
            {"flow": plan.name, "environment": plan.environment, "server": plan.server, "schedule": schedule.id}
            for plan, schedule in paused(seen.plans)
        ],
    }


def _days(seen: Calendar) -> list[dict[str, Any]]:
    counts = seen.per_day()
    return [{"date": day.date.isoformat(), "hours": day.length / HOUR, "runs": counts[day.date]} for day in seen.days]


def _fire(fire: Fire) -> dict[str, Any]:
    return {
        "flow": fire.flow,
        "environment": fire.environment,
        "server": fire.server,
        "schedule": fire.schedule,
        "timezone": fire.zone,
        "local": fire.local.isoformat(),
        "utc": in_utc(fire.moment),
    }
