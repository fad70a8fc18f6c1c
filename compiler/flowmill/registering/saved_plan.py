"""A plan in a file: the manifest, and what the server had when it was planned, so that exactly that is applied."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flowmill.planning.digest import digest_of
from flowmill.registering.changes import Changes
from flowmill.registering.live import Live
from flowmill.registering.manifest import Manifest, ManifestError, read_manifest
from flowmill.registering.view import record_of

FORMAT = 1
"""The version of the document; a later one is not read."""
Seen = Mapping[str, Mapping[str, Any]]
"""A digest of each field of each deployment, by the names of the flows."""


class SavedPlanError(Exception):
    """A file is no plan that this release can apply; the text says what is wrong."""


@dataclass(frozen=True)
class SavedPlan:
    """What was decided, and on what grounds.

    Attributes:
        server: the address of the server that was asked.
        create, prune, adopt: how it was planned.
        last: the digest of the manifest that had been applied last; empty for none.
        queues: how many runs at once each declared queue allows: pool, queue, limit.
        seen: the deployments that the plan is about, as the server had them.
    """

    server: str
    create: bool
    prune: bool
    adopt: bool
    last: str
    queues: tuple[tuple[str, str, int | None], ...]
    seen: Seen
    manifest: Manifest

    def to_json(self) -> str:
        """The document: the same bytes for the same content."""
        content = {**asdict(self), "manifest": json.loads(self.manifest.to_json()), "format": FORMAT}
        return (
            json.dumps({**content, "digest": digest_of(content)}, sort_keys=True, ensure_ascii=False, indent=2) + "\n"
        )


def read_saved_plan(text: str) -> SavedPlan:
    """The plan of a document.

    Raises:
        SavedPlanError: it is none, is of another version, or has been edited.
    """
    try:
        content = json.loads(text)
        digest = content.pop("digest")
        version = content.pop("format")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise SavedPlanError("this is no plan; `flowmill plan --env ENVIRONMENT --out FILE` saves one") from None
    if version != FORMAT:
        raise SavedPlanError(f"the plan has format {version}, and this release reads {FORMAT}; plan again")
    if digest_of({**content, "format": version}) != digest:
        raise SavedPlanError("the plan has been edited: its digest does not fit its content; plan again")
    try:
        manifest = read_manifest(json.dumps(content.pop("manifest")))
        queues = tuple((pool, queue, limit) for pool, queue, limit in content.pop("queues"))
        return SavedPlan(**content, queues=queues, manifest=manifest)
    except ManifestError as error:
        raise SavedPlanError(f"{error}; plan again") from None


def seen_in(changes: Changes) -> Seen:
    """What the server has of everything that changes are about."""
    lives = [live for it in changes.items for live in (it.live, it.former) if live]
    return {live.flow: _seen(live) for live in sorted([*lives, *changes.foreign], key=lambda it: it.flow)}


def _seen(live: Live) -> dict[str, Any]:
    record = record_of(live.view)
    return {**record["fields"], "id": live.id, "owner": live.owner or "", "version": live.version}


def moved_on(before: Seen, now: Seen) -> Iterator[str]:
    """What the server has otherwise than when it was planned, a sentence for each deployment."""
    for flow in sorted({*before, *now}):
        was, its = before.get(flow), now.get(flow)
        if was is None:
            yield f"`{flow}` is there now"
        elif its is None:
            yield f"`{flow}` is gone"
        elif was != its:
            names = sorted(key for key in {*was, *its} if was.get(key) != its.get(key))
            yield f"`{flow}` has other {', '.join(names)}"
