"""Seconds as people write them in a spec."""


def in_words(seconds: float) -> str:
    """`90` is `1m30s`, `3600` is `1h`, `0.5` is `0.5s`."""
    whole, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(whole), 60)
    parts = [f"{hours}h" * bool(hours), f"{minutes}m" * bool(minutes), f"{rest:g}s" * bool(rest)]
    return "".join(parts) or "0s"
