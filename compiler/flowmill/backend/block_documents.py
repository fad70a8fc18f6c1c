"""Blocks that hold secrets, as flowmill makes them and looks through them: in bulk, their values only if need be."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx
from prefect.blocks.system import Secret
from prefect.exceptions import PrefectException
from pydantic import SecretStr

from flowmill.backend.blocks import FIELDS, WHOLE_VALUE
from flowmill.backend.server import PAGE, Server, ServerError

NAME = re.compile("[a-z0-9-]+")
NAME_RULE = "lower-case letters, digits and dashes"
"""What a block may be called, by Prefect's own rule."""


@dataclass(frozen=True)
class Stored:
    """A secret on the server.

    Attributes:
        kind: the type of its block, such as `secret`.
        value: what a run would read; of a text that was not asked for, stars.
    """

    kind: str
    value: Any


def stored(server: Server, names: Iterable[str], opened: Iterable[str] = ()) -> dict[str, Stored]:
    """The secrets of these names that there are.

    Args:
        opened: those whose value must be known; of the others the server sends none.

    Raises:
        ServerError: the server refuses, or does not answer.
    """
    documents, to_open = _documents(server, "name", sorted(set(names)), secrets=False), set(opened)
    ids = sorted(it["id"] for name, it in documents.items() if name in to_open and _kind(it) == "secret")
    documents |= _documents(server, "id", ids, secrets=True)
    return {name: Stored(_kind(document), _value(document)) for name, document in documents.items()}


def _documents(server: Server, field: str, wanted: list[str], *, secrets: bool) -> dict[str, dict[str, Any]]:
    """Block documents by name; of several with one name the one that a run would read."""
    kinds = (*WHOLE_VALUE, *FIELDS)
    found: list[dict[str, Any]] = []
    for start in range(0, len(wanted), PAGE):
        by = {field: {"any_": wanted[start : start + PAGE]}}
        asked = {"block_documents": by, "block_types": {"slug": {"any_": list(kinds)}}, "include_secrets": secrets}
        found += server.pages("/block_documents/filter", asked)
    found.sort(key=lambda document: kinds.index(_kind(document)), reverse=True)
    return {document["name"]: document for document in found}


def _kind(document: dict[str, Any]) -> str:
    return str(document["block_type"]["slug"])


def _value(document: dict[str, Any]) -> Any:
    return document["data"]["value"] if _kind(document) in WHOLE_VALUE else document["data"]


def keep(server: Server, name: str, value: str) -> bool:
    """Make the Secret block of that name hold the value; return whether there was one before.

    Raises:
        ServerError: the server refuses, or does not answer; the text never holds the value.
    """
    before = stored(server, [name]).get(name)
    try:
        Secret(value=SecretStr(value)).save(name, overwrite=True)
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        raise ServerError(f"the Prefect server at {server.address} answers {code}; nothing was kept") from None
    except (httpx.HTTPError, PrefectException, RuntimeError, ValueError) as error:
        # Prefect's own words may quote what was sent.
        kind = type(error).__name__
        raise ServerError(f"the Prefect server at {server.address} cannot keep the block ({kind})") from None
    return before is not None and before.kind == "secret"
