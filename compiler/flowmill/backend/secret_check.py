"""Which of the secrets that flows need a Prefect server lacks; no value is ever told."""

from collections.abc import Iterable

from flowmill.backend.block_documents import NAME, NAME_RULE, stored
from flowmill.backend.server import Server
from flowmill.report.secret_needs import Looked
from flowmill.secrets.needs import Need, lacks, opened


def looked(server: Server, wanted: list[Need]) -> list[Looked]:
    """Every need with what was found for it, down to its keys.

    Raises:
        ServerError: the server refuses, or does not answer.
    """
    kept = stored(server, _names(wanted), opened(wanted))
    found = []
    for need in wanted:
        block = kept.get(need.name) if need.name is not None else None
        problems = lacks(need, block.value) if block else [absent(need.name)] if need.name is not None else []
        found.append(Looked(need, block.kind if block else "", tuple(problems)))
    return found


def missing(server: Server, wanted: Iterable[Need]) -> list[Need]:
    """The needs for which there is no block; no value is read for it.

    Raises:
        ServerError: the server refuses, or does not answer.
    """
    named = [need for need in wanted if need.name is not None]
    kept = stored(server, _names(named)) if named else {}
    return [need for need in named if need.name not in kept]


def absent(name: str) -> str:
    """What to do about a block that is not there."""
    if NAME.fullmatch(name):
        return f"there is no block of that name; `flowmill secrets set {name}` makes one"
    return f"no block can have that name, only {NAME_RULE}; call it otherwise in the spec"


def _names(wanted: Iterable[Need]) -> list[str]:
    return [need.name for need in wanted if need.name is not None]
