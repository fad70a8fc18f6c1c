"""The manifests that were applied, kept on the Prefect server as artifacts: one key for a workspace and environment.

An artifact is the only thing of a Prefect server that holds text of any length, keeps its earlier versions, and is
deleted by nobody else: what tidies up on servers looks at those of runs alone.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, get_args

from flowmill import __version__
from flowmill.backend.server import Server
from flowmill.counted import counted
from flowmill.planning.digest import digest_of
from flowmill.registering.kept import Kept, Verb, packed
from flowmill.registering.manifest import Manifest

KEPT = 20
"""How many manifests of an environment are kept."""
_AT_ONCE = 8
"""How many registers at the same time are reckoned with."""
TYPE = "flowmill-manifest"
_FILTER = "/artifacts/filter"


def key_of(workspace: str, environment: str) -> str:
    """The artifact's key, in the characters that Prefect allows; the digest keeps names apart that look alike so."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{workspace}-{environment}".lower()).strip("-")[-60:]
    return f"flowmill-manifest-{words.strip('-')}-{digest_of([workspace, environment])[:8]}"


def kept_manifests(server: Server, workspace: str, environment: str, limit: int = KEPT) -> list[Kept]:
    """Those that are kept, the newest first."""
    answer = server.ask("POST", _FILTER, {**_of(workspace, environment), "limit": limit})
    return [kept for it in answer if (kept := _read(it))]


def newest(server: Server, workspace: str, environment: str) -> Kept | None:
    """The one that was applied last; None where none is kept."""
    return next(iter(kept_manifests(server, workspace, environment, 1)), None)


def keep(server: Server, manifest: Manifest, by: Verb, last: Kept | None) -> None:
    """Keep what was applied, unless it is what was applied last, and forget the oldest.

    So a register that changes nothing writes nothing, and one that was killed before it came here is made up for by
    the next. Where others have kept the same in this moment, the first is left.
    """
    if last and last.digest == manifest.digest:
        return
    server.ask("POST", "/artifacts/", _artifact(manifest, by))
    of = _of(manifest.workspace, manifest.environment)
    too_old = [it["id"] for it in server.ask("POST", _FILTER, {**of, "offset": KEPT})]
    latest = kept_manifests(server, manifest.workspace, manifest.environment, _AT_ONCE)
    twice = [later.id for later, earlier in pairwise(latest) if later.digest == earlier.digest]
    for id in (*too_old, *twice):
        server.ask("DELETE", f"/artifacts/{id}", missing=True)


def _of(workspace: str, environment: str) -> dict[str, Any]:
    return {"artifacts": {"key": {"any_": [key_of(workspace, environment)]}}, "sort": "CREATED_DESC"}


def _artifact(manifest: Manifest, by: Verb) -> dict[str, Any]:
    commit = manifest.commit or ""
    count = counted(len(manifest.deployments), "deployment")
    what = f"{count} of `{manifest.workspace}` in `{manifest.environment}`, by `flowmill {by}`"
    return {
        "key": key_of(manifest.workspace, manifest.environment),
        "type": TYPE,
        "description": f"{what}, commit `{commit[:12] or 'none'}`, manifest `{manifest.digest}`",
        "data": packed(manifest),
        "metadata_": {
            "by": by,
            "commit": commit,
            "storage": manifest.storage,
            "digest": manifest.digest,
            "deployments": str(len(manifest.deployments)),
            "release": __version__,
        },
    }


def _read(artifact: Mapping[str, Any]) -> Kept | None:
    """What one says; None for one that is not ours."""
    said = artifact.get("metadata_") or {}
    if artifact.get("type") != TYPE or not isinstance(artifact.get("data"), str) or "digest" not in said:
        return None
    return Kept(
        id=str(artifact["id"]),
        at=datetime.fromisoformat(artifact["created"]).astimezone(UTC),
        by=next((it for it in get_args(Verb) if it == said.get("by")), "register"),
        commit=str(said.get("commit") or ""),
        storage=str(said.get("storage") or ""),
        digest=str(said["digest"]),
        deployments=int(said["deployments"]) if str(said.get("deployments")).isdecimal() else 0,
        release=str(said.get("release") or ""),
        packed=artifact["data"],
    )
