"""The nearest known word to one that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

FOREIGN = {
    "depends_on": "needs",
    "depends": "needs",
    "dependson": "needs",
    "dependencies": "needs",
    "upstream": "needs",
    "tasks": "steps",
    "jobs": "steps",
    "uses": "type",
    "operator": "type",
    "schedule": "cron",
    "crontab": "cron",
    "tz": "timezone",
    "params": "parameters",
    "inputs": "parameters",
    "environments": "environment",
    "env_vars": "env",
    "timeout_seconds": "timeout",
    "retry": "retries",
    "retry_limit": "retries",
    "max_retries": "retries",
    "retry_delay_seconds": "retry_delay",
    "task_id": "id",
    "workdir": "working_dir",
    "cwd": "working_dir",
    "cmd": "command",
    "run": "command",
    "work_pool": "server",
    "runs_on": "server",
    "channel_id": "channel",
    "environment": "env",
    "arguments": "args",
    "script": "file",
    "body": "text",
    "message": "text",
    "recipient": "to",
    "recipients": "to",
}
"""Words of other tools for what we call something else."""

_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_USUAL = 0.8
"""What letters swapped or doubled, or a neighbour on the keyboard, count."""
_LONG = 6
"""Letters of a word in which two slips are likely."""
_LOOKED_AT = 1000
_LISTED = 40


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be: by spelling, or as another tool's name for it."""
    candidates = sorted(set(known))[:_LOOKED_AT]
    plain = folded(word)
    for candidate in (plain, FOREIGN.get(plain)):
        if candidate in candidates and candidate != word:
            return candidate
    slip = _slip(plain, candidates)
    if slip:
        return slip
    by_folded = {folded(candidate): candidate for candidate in candidates}
    matches = get_close_matches(plain, by_folded, n=1, cutoff=0.6)
    beginnings = [name for name in by_folded if len(plain) > 2 and name.startswith(plain)]
    return by_folded[(matches or beginnings)[0]] if matches or len(beginnings) == 1 else None


def folded(word: str) -> str:
    """A word without what people write now like this and now like that."""
    return word.lower().replace("-", "_").replace(" ", "_")


def is_foreign(key: str, name: str) -> bool:
    """Whether a key is another tool's word for one of ours, and no slip for it."""
    return FOREIGN.get(folded(key)) == name and folded(key) != name


def _slip(plain: str, candidates: Iterable[str]) -> str | None:
    """The candidate that differs by the least slips of a hand: one of them, or two in a long word."""
    allowed = 1 if len(plain) < _LONG else 2
    lengths = range(len(plain) - allowed, len(plain) + allowed + 1)
    distances = [(slips(plain, folded(it), _USUAL), it) for it in candidates if len(it) in lengths]
    distance, likely = min(distances, default=(_LONG, ""))
    return likely if distance <= allowed else None


def slips(written: str, meant: str, usual: float = 1) -> float:
    """How many letters were left out, added, replaced or swapped; what hands do most counts as `usual`."""
    before: list[float] = []
    row: list[float] = [*map(float, range(len(meant) + 1))]
    for i, letter in enumerate(written, start=1):
        before_that, before = before, row
        row = [float(i)]
        for j, other in enumerate(meant, start=1):
            added = usual if written[i - 2 : i - 1] == letter else 1
            cost = min(before[j] + added, row[-1] + 1, before[j - 1] + _replaced(letter, other, usual))
            if i > 1 and j > 1 and written[i - 2 : i] == meant[j - 2 : j][::-1]:
                cost = min(cost, before_that[j - 2] + usual)
            row.append(cost)
    return row[-1]


def _replaced(letter: str, other: str, usual: float) -> float:
    if letter == other:
        return 0
    return usual if any(letter + other in keys or other + letter in keys for keys in _KEYBOARD) else 1


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or else lists them all; empty where nothing is known."""
    words = sorted(set(known))
    match = nearest(word, words)
    if match:
        return f"did you mean `{match}`?"
    more = f", and {len(words) - _LISTED} more" if len(words) > _LISTED else ""
    return f"expected one of: {', '.join(words[:_LISTED])}{more}" if words else ""
