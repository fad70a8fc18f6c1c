"""Edits for what was certainly meant: the one word that is near, a value in the spelling that is read."""

import re
from collections.abc import Iterable

from flowmill.diagnostics import Part, Route, RouteEdit
from flowmill.suggest import folded, is_foreign, nearest, slips

_SHORTEST, _LONG = 4, 6
"""Characters: a shorter word is near too many others, and a long one may have two slips in it."""
_SLIPS_AT_MOST = 2
_LOOKED_AT = 1000
_DURATION_AT_MOST = 80
"""Characters: a longer text is none, and would be tried in many ways."""
_NUMBER = r"(\d{1,9})"
_UNITS = {
    "d": ("d", "day", "days"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "s": ("s", "sec", "secs", "second", "seconds"),
}
_DURATION = re.compile(
    " *".join(rf"(?:{_NUMBER} *(?:{'|'.join(words)})\b,?)?" for words in _UNITS.values()), re.IGNORECASE | re.ASCII
)


def certain(word: str, known: Iterable[str]) -> str | None:
    """The one known word that `word` was meant to be, if the hint names it too: two answers are no certain one."""
    words = list(known)
    name = _near(word, words)
    return name if name is not None and name == nearest(word, words) else None


def _near(word: str, known: Iterable[str]) -> str | None:
    """The known word that no other is as near as; neither holds another number."""
    candidates = [name for name in sorted(set(known))[:_LOOKED_AT] if _may_be(name, word)]
    same = [name for name in candidates if folded(name) == folded(word)]
    if same:
        return same[0] if len(same) == 1 and same[0] != word else None
    near = sorted((slips(folded(word), folded(name)), name) for name in candidates)
    if not near or near[0][0] > _slips_allowed(word, near[0][1]) or [it[0] for it in near[1:2]] == [near[0][0]]:
        return None
    return near[0][1]


def corrected(
    route: Route, word: str, known: Iterable[str], *, at_key: bool = False, part: Part | None = None
) -> tuple[RouteEdit, ...]:
    """The edit that writes what was certainly meant in place of a word; none where that is not certain."""
    name = certain(word, known)
    whole = None if at_key else Part(0, len(word))  # so that quotes around it stay
    return (RouteEdit(route, name, at_key, part or whole),) if name else ()


def renamed(key: str, known: Iterable[str]) -> str | None:
    """What a key is called here, as the hint says: another tool's word for it is certain, too."""
    words = list(known)
    name = nearest(key, words)
    return name if name is not None and is_foreign(key, name) else certain(key, words)


def respelt(duration: str) -> str | None:
    """A duration such as `5 minutes` in the spelling that is read: `5m`; None where it is none."""
    match = _DURATION.fullmatch(duration.strip()) if len(duration) <= _DURATION_AT_MOST else None
    if not match or not any(match.groups()):
        return None
    return "".join(f"{count}{unit}" for count, unit in zip(match.groups(), _UNITS, strict=True) if count)


def _may_be(name: str, word: str) -> bool:
    """Whether a word can be a slip for a name: `etl-01` is none for `etl-02`, and length alone tells most apart."""
    return abs(len(name) - len(word)) <= _SLIPS_AT_MOST and _digits(name) == _digits(word)


def _digits(word: str) -> str:
    return re.sub(r"\D", "", word)


def _slips_allowed(word: str, name: str) -> int:
    longer = max(len(word), len(name))
    return 0 if longer < _SHORTEST else _SLIPS_AT_MOST if min(len(word), len(name)) >= _LONG else 1
