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

_LOOKED_AT = 1000
_LISTED = 40


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be: by spelling, or as another tool's name for it."""
    candidates = list(known)[:_LOOKED_AT]
    folded = word.lower().replace("-", "_")
    for candidate in (folded, FOREIGN.get(folded)):
        if candidate in candidates and candidate != word:
            return candidate
    by_folded = {candidate.lower().replace("-", "_"): candidate for candidate in candidates}
    matches = get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    beginnings = [name for name in by_folded if len(folded) > 2 and name.startswith(folded)]
    return by_folded[(matches or beginnings)[0]] if matches or len(beginnings) == 1 else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or else lists them all; empty where nothing is known."""
    words = sorted(set(known))
    match = nearest(word, words)
    if match:
        return f"did you mean `{match}`?"
    more = f", and {len(words) - _LISTED} more" if len(words) > _LISTED else ""
    return f"expected one of: {', '.join(words[:_LISTED])}{more}" if words else ""
