"""Lengths of time in words."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def in_words(seconds: float) -> str:
    """A length of time as a spec would spell it: 90 -> `1m30s`, 0.5 -> `0.5s`."""
    if seconds != int(seconds) or seconds == 0:
        return f"{seconds:g}s"
    parts, rest = [], int(seconds)
    for size, letter in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{letter}")
    return "".join(parts)
