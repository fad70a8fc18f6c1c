"""Addresses of people: one text is one mailbox, whatever stands in it, or it is refused.

The grammar is RFC 5322's without comments, groups, quoted local parts and address literals: what is left
means the same to every mail program and server. Addresses are ASCII, since only some servers know SMTPUTF8
(RFC 6531), and since a letter that looks like another one leads to somebody else.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from flowmill_tasks.fields import Line, Templated, Unrendered

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_MAILBOX = re.compile(
    r'(?:"(?P<quoted>[^"\\]*)"|(?P<plain>[^"\\<>()\[\],;:@]*?))\s*<(?P<angled>[^<>\s]*)>|(?P<bare>[^<>\s]*)'
)
_LOCAL_PART_AT_MOST, _ADDRESS_AT_MOST = 64, 254
"""Characters; RFC 5321, section 4.5.3.1."""
_NAME_AT_MOST = 200
"""Characters of a display name, so that a header line stays under 998 (RFC 5322, section 2.1.1)."""
_ITEM = re.compile(r"(?:\$\{\{.*?\}\}|[^,])+", re.DOTALL)
_ONE_EXPRESSION = re.compile(r"\s*\$\{\{((?!\$\{\{).)*\}\}\s*", re.DOTALL)


class AddressProblem(ValueError):
    """A text that is not exactly one address; the message does not repeat the text, which may be a secret."""


@dataclass(frozen=True)
class Mailbox:
    """One address, with the name that mail programs show beside it."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def parse_mailbox(text: str) -> Mailbox:
    """Read `ops@example.org`, `Ops <ops@example.org>` or `"Ops, night" <ops@example.org>`.

    Raises:
        AddressProblem: anything else.
    """
    match = _MAILBOX.fullmatch(text.strip())
    if not match:
        raise AddressProblem("expected one address: `name@example.org` or `Name <name@example.org>`")
    name = " ".join((match["quoted"] or match["plain"] or "").split())
    if len(name) > _NAME_AT_MOST:
        raise AddressProblem(f"the name beside an address has at most {_NAME_AT_MOST} characters")
    return Mailbox(_checked(match["angled"] if match["bare"] is None else match["bare"]), name)


def _checked(address: str) -> str:
    if not address:
        raise AddressProblem("an address must not be empty")
    if not address.isascii():
        raise AddressProblem("an address must be ASCII; write an international domain as `xn--...`")
    if len(address) > _ADDRESS_AT_MOST or len(address.partition("@")[0]) > _LOCAL_PART_AT_MOST:
        raise AddressProblem(
            f"an address has at most {_ADDRESS_AT_MOST} characters, {_LOCAL_PART_AT_MOST} before the `@`"
        )
    if not _ADDRESS.fullmatch(address):
        raise AddressProblem("expected one address: `name@example.org` or `Name <name@example.org>`")
    return address


def _one_mailbox(text: str) -> str:
    try:
        parse_mailbox(text)
    except AddressProblem as problem:
        raise PydanticCustomError("bad_value", "{problem}", {"problem": str(problem)}) from problem
    return text.strip()


def _one_expression(value: Any) -> Any:
    """A text around an expression could become two addresses when its value holds a comma."""
    if isinstance(value, Unrendered) and not _ONE_EXPRESSION.fullmatch(value):
        raise PydanticCustomError(
            "bad_value", "beside other text an expression must be an item of a list, which is one address each"
        )
    return value


def split_around_expressions(value: Any) -> Any:
    """A text of several addresses with expressions among them, as a list: before values are put in.

    One whole expression stays a text: its value, such as a secret, may hold several addresses.
    """
    if not isinstance(value, str) or "${{" not in value or _ONE_EXPRESSION.fullmatch(value):
        return value
    return [item.strip() for item in _ITEM.findall(value)]


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


OneMailbox = Templated[Annotated[Line, AfterValidator(_one_mailbox)]]
"""A key that takes exactly one address."""

Mailboxes = Annotated[
    Templated[Annotated[list[OneMailbox], BeforeValidator(_split)]],
    BeforeValidator(_one_expression),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "description": "addresses, with commas between them"},
                {"type": "array", "items": {"type": "string"}, "description": "one address per item"},
            ]
        }
    ),
]
"""A key that takes a list of addresses, one per item, or a text of several with commas between them.

A text may also be one whole expression: a secret such as `a@example.org, b@example.org`. An item is never
taken apart, so no value can turn one recipient into two.
"""
