"""The filters that take a text apart, change it, or make it fit for where it goes."""

import html
import json
import re
from typing import Any

from markupsafe import Markup

from flowmill.expressions import refusal
from flowmill.expressions.refusal import Refusal, bounded, items, refused
from flowmill.expressions.times import given

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
"""Every character that Markdown might read as anything but itself; CommonMark lets each be escaped."""


def to_json(value: Any) -> str:
    """The value as JSON text; a time or a length of time in it is a text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=lambda inner: str(given(inner)))


def parse_json(text: Any) -> Any:
    """What a JSON text stands for; of a name that comes twice, the last."""
    try:
        return json.loads(refusal.text(text, "parse_json"), parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise Refusal(f"the text is not JSON (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise Refusal("the JSON is nested too deeply") from None
    except ValueError:
        raise Refusal("the JSON holds a number with too many digits") from None


def _no_number(constant: str) -> Any:
    raise Refusal("the text is not JSON: it has no NaN and no Infinity")


def to_int(value: Any) -> int:
    """A number without what is behind its point, or the whole number that a text holds."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise refused(value, "`int` takes a whole number or the text of one") from None


def to_float(value: Any) -> float:
    """A number, or the one that a text holds."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if found - found != 0:
        raise refused(value, "`float` takes a number or the text of one")
    return found


def lines(text: Any) -> list[str]:
    """The lines of a text, without their ends; a line break at the very end makes no empty line."""
    return str(text).splitlines()


def last_line(text: Any) -> str:
    """The last line that is not blank; an empty text when there is none."""
    return next((line for line in reversed(lines(text)) if line.strip()), "")


def split(text: Any, separator: str) -> list[str]:
    """The parts between the separators, without the blanks around them; empty parts are left out."""
    parts = (part.strip() for part in str(text).split(separator_named(separator)))
    return [part for part in parts if part]


def separator_named(separator: Any) -> str:
    """The separator for `split`."""
    return refusal.text(separator, "split") or _no_separator()


def _no_separator() -> str:
    raise Refusal("`split` needs a separator that is not empty", "write `| lines` for the lines of a text")


def replace(text: Any, old: Any, new: Any) -> str:
    """The text with every `old` made `new`."""
    before, part, instead = str(text), str(old), str(new)
    bounded(before.count(part) * len(instead), "replace")
    return before.replace(part, instead)


def removeprefix(value: Any, prefix: Any) -> Any:
    """A text, or each text of a list, without this at its beginning."""
    if isinstance(value, list | tuple):
        return [removeprefix(item, prefix) for item in value]
    return str(value).removeprefix(str(prefix))


def removesuffix(value: Any, suffix: Any) -> Any:
    """A text, or each text of a list, without this at its end."""
    if isinstance(value, list | tuple):
        return [removesuffix(item, suffix) for item in value]
    return str(value).removesuffix(str(suffix))


def starting_with(values: Any, prefix: Any) -> list[str]:
    """The texts of a list that begin so."""
    beginning = str(prefix)
    return [item for item in _texts(values, "starting_with") if item.startswith(beginning)]


def ending_with(values: Any, suffix: Any) -> list[str]:
    """The texts of a list that end so."""
    end = str(suffix)
    return [item for item in _texts(values, "ending_with") if item.endswith(end)]


def containing(values: Any, text: Any) -> list[str]:
    """The texts of a list that hold this one."""
    part = str(text)
    return [item for item in _texts(values, "containing") if part in item]


def _texts(values: Any, who: str) -> list[str]:
    return [str(item) for item in items(values, who)]


def html_lines(values: Any) -> Markup:
    """The texts of a list below each other, as HTML: what is special in one is escaped."""
    return Markup("<br>").join(_texts(values, "html_lines"))


def escape(value: Any) -> str:
    """The text with what is special in HTML escaped."""
    return html.escape(str(value))


def slack_escape(value: Any) -> str:
    """The text with what Slack would read as a mention or a link escaped."""
    return html.escape(str(value), quote=False)


def markdown_escape(value: Any) -> str:
    """The text with every character escaped that Markdown could read as its own."""
    return _PUNCTUATION.sub(r"\\\1", str(value))
