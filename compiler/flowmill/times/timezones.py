"""Names of the IANA time zone database: whether there is one, and which was probably meant."""

from functools import cache

from flowmill.suggest import did_you_mean


@cache
def exists(zone: str) -> bool:
    """Whether the database has a zone of exactly this name."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(zone).key == zone and zone != "localtime"
    except (KeyError, ValueError, OSError):
        return False  # not in the database, or not even a relative path


def names() -> list[str]:
    """Every name that the database has."""
    from zoneinfo import available_timezones

    return sorted(available_timezones())


def hint(zone: str) -> str:
    """What to write instead of a name that does not exist."""
    nearest = did_you_mean(zone, names())
    return nearest if nearest.startswith("did") else "use a name such as `America/Chicago`, `Europe/Berlin` or `UTC`"
