"""Texts and blocks as Slack wants them: control characters escaped, and nothing longer than it takes.

Slack reads `<…>` as a mention or a link and `&` as the start of an entity, so a text that comes from a run
could ring a whole channel (`<!channel>`) or dress up a link (`<https://evil|your bank>`). Escaping `&`, `<`
and `>` leaves `*bold*`, `_italic_` and `` `code` `` as they are. What the author wrote too long is refused;
what a run gave is cut with a mark, because a shortened notice is better than none.

Rules and limits: docs.slack.dev, "Formatting message text" and "Block Kit: blocks"; the limit of a message's
text is in "Truncating really long messages" (2018).
"""

import html
import json
import re
from collections.abc import Callable
from typing import Any

from pydantic_core import PydanticCustomError

from flowmill_tasks.fields import Plain, Rendered, Unrendered

TEXT_LIMIT = 40_000
"""Characters of a message's text; Slack drops what is beyond."""

BLOCKS_LIMIT = 50
"""Blocks of one message; Slack refuses more."""

CUT_MARK = "… [cut]"
EMPTY_MARK = "(empty)"
"""Stands where a run gave no text, since Slack refuses an empty one."""

_TEXT_TYPES = {"mrkdwn", "plain_text", "markdown"}
"""Objects whose `text` Slack parses; `rich_text` and `raw_text` show theirs as it is, escapes and all."""

_MARKDOWN_LIMIT = 12_000
_TEXT_OBJECT_LIMIT = 3_000
_LIMITS = {
    ("header", "text"): 150,
    ("section", "text"): 3_000,
    ("section", "fields"): 2_000,
    ("image", "title"): 2_000,
    ("button", "text"): 75,
}
"""The limit of a text object by the type of what holds it and the key it stands at."""

_NESTED_AT_MOST = 20
"""Levels of lists and mappings in blocks; Block Kit itself needs fewer than ten."""

_TORN_END = re.compile(r"(&[a-z]{0,3}|<[^<>\n]{0,3000})\Z")
"""An entity or a link that a cut went through."""

Change = Callable[[Any, int], Any]
"""What to make of the `text` of a text object, given the limit of its place in characters."""


def escaped(text: str) -> str:
    """The text with the characters escaped that Slack would read as a mention, a link or an entity."""
    return html.escape(str(text), quote=False)


def as_sent(text: str, mrkdwn: bool) -> str:
    """The text with its control characters escaped, or as it is when it was written as `mrkdwn`."""
    return text if mrkdwn else escaped(text)


def fit(text: str, limit: int, mrkdwn: bool) -> str:
    """The text as it is sent, at most `limit` characters of it, with a mark where it was cut or is empty."""
    sent = as_sent(text, mrkdwn) if text.strip() else EMPTY_MARK
    if len(sent) <= limit:
        return sent
    return _TORN_END.sub("", sent[: limit - len(CUT_MARK)]) + CUT_MARK


def fit_blocks(blocks: list[Any], mrkdwn: bool) -> Any:
    """The blocks as they are sent: every text escaped and cut to the limit of its place."""
    return _map_texts(blocks, lambda text, limit: fit(str(text), limit, mrkdwn))


def refuse_unfit(text: Any, limit: int, mrkdwn: bool) -> Any:
    """The text, unless it is a literal one that would be cut, or marked as empty, when it is sent.

    Raises:
        PydanticCustomError: it is one.
    """
    if not isinstance(text, str) or isinstance(text, Unrendered | Rendered):
        return text
    if not text.strip():
        raise PydanticCustomError("bad_value", "is empty, and Slack refuses an empty text")
    length = len(as_sent(text, mrkdwn))
    if length > limit:
        raise PydanticCustomError(
            "bad_value",
            "has {length} characters once `&`, `<` and `>` are escaped; Slack takes {limit} here",
            {"length": length, "limit": limit},
        )
    return text


def read_blocks(blocks: Any) -> Any:
    """Blocks as the spec holds them, or as an expression gave them, before scalars are converted.

    Scalars that are texts keep their spelling. An expression gives a list or its JSON; where it gives more
    blocks than a message takes, a note stands for the rest.

    Raises:
        PydanticCustomError: they are no list of blocks.
    """
    if isinstance(blocks, Unrendered):
        return blocks
    if isinstance(blocks, Rendered):
        return _first_blocks(_map_texts(_parsed(blocks), lambda text, _: _spelled(text, computed=True)))
    _refuse_what_is_no_list_of_blocks(blocks)
    read: list[Any] = _map_texts(blocks, lambda text, _: _spelled(text, computed=False))
    # Where even the types of the blocks came out of the run, the list did.
    computed = all(isinstance(block.get("type"), Rendered) for block in blocks)
    return _first_blocks(read) if computed else read


def check_blocks(blocks: Any, mrkdwn: bool) -> Any:
    """The blocks, once scalars are converted, unless Slack would refuse them for their size.

    Raises:
        PydanticCustomError: too many, a literal text too long or empty, or a value that is not JSON.
    """
    if isinstance(blocks, Unrendered):
        return blocks
    if len(blocks) > BLOCKS_LIMIT:
        raise PydanticCustomError(
            "bad_value",
            "has {count} blocks; Slack takes {limit} in one message",
            {"count": len(blocks), "limit": BLOCKS_LIMIT},
        )
    try:
        json.dumps(blocks, allow_nan=False)
    except (TypeError, ValueError):  # a secret's value, or a number such as `.inf`
        raise PydanticCustomError("bad_value", "holds a value that JSON has no form for") from None
    return _map_texts(blocks, lambda text, limit: _check_block_text(text, limit, mrkdwn))


def _parsed(text: str) -> list[Any]:
    try:
        blocks: list[Any] = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or nested beyond all reason
        raise PydanticCustomError("bad_value", "the expression must give a JSON list of blocks") from None
    _refuse_what_is_no_list_of_blocks(blocks)
    return blocks


def _spelled(text: Any, computed: bool) -> Any:
    """A scalar at the place of a text: bare ones as they were written, computed numbers as text."""
    if isinstance(text, bool | int | float):
        return Rendered(json.dumps(text))
    if type(text) is Plain:
        return str(text)
    return Rendered(text) if computed and isinstance(text, str) else text


def _check_block_text(text: Any, limit: int, mrkdwn: bool) -> Any:
    if not isinstance(text, str):
        raise PydanticCustomError("bad_value", "the `text` of a text object must be text")
    return refuse_unfit(text, limit, mrkdwn)


def _refuse_what_is_no_list_of_blocks(blocks: Any) -> None:
    if isinstance(blocks, dict) and "blocks" in blocks:
        raise PydanticCustomError("bad_value", "expected the list alone, without the `blocks` around it")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise PydanticCustomError("bad_value", "expected a list of Block Kit blocks, each a mapping")
    if not blocks:
        raise PydanticCustomError("bad_value", "expected at least one block")
    if _is_nested(blocks, _NESTED_AT_MOST):
        raise PydanticCustomError("bad_value", "is nested too deeply for Block Kit")


def _is_nested(value: Any, levels: int) -> bool:
    """Whether lists and mappings lie in each other more than `levels` deep."""
    if not isinstance(value, list | dict):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_nested(item, levels - 1) for item in items)


def _first_blocks(blocks: list[Any]) -> list[Any]:
    if len(blocks) <= BLOCKS_LIMIT:
        return blocks
    kept = blocks[: BLOCKS_LIMIT - 1]
    note = f"{CUT_MARK} {len(blocks) - len(kept)} more blocks"
    return [*kept, {"type": "context", "elements": [{"type": "plain_text", "text": note}]}]


def _map_texts(value: Any, change: Change, place: tuple[str, str] = ("", "")) -> Any:
    """A copy of (a part of) a list of blocks in which every text that Slack parses is changed.

    Args:
        value: a block, a list of them, or what lies within.
        change: called with each text and the limit of its place.
        place: the type of the object that holds `value`, and the key it stands at.
    """
    if isinstance(value, list):
        return [_map_texts(item, change, place) for item in value]
    if not isinstance(value, dict):
        return value
    kind = str(value.get("type", ""))
    copy = {key: _map_texts(item, change, (kind, key)) for key, item in value.items()}
    if kind in _TEXT_TYPES and "text" in value:
        copy["text"] = change(value["text"], _limit(kind, place))
    return copy


def _limit(kind: str, place: tuple[str, str]) -> int:
    return _MARKDOWN_LIMIT if kind == "markdown" else _LIMITS.get(place, _TEXT_OBJECT_LIMIT)
