"""The manifest: every deployment of an environment, in full, as one JSON document.

It is made from the specs and their git history alone, without a server, and has the same bytes on every machine.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flowmill.planning.digest import digest_of

FORMAT = 1
"""The version of the document; a later one is not read."""


class ManifestError(Exception):
    """A document is no manifest that this release can read; the message says what is wrong."""


@dataclass(frozen=True)
class Declared:
    """One flow in one environment as it is to be on the server.

    Attributes:
        flow: `<project>.<flow>`, its name in Prefect.
        spec: where the spec lies in the workspace.
        plan: the digest of its plan; a pinned run has to come to the same.
        commit: the commit that workers check out; None where they follow a branch, or take the code from a folder.
        protect: whether it stays when its spec is gone.
        moved_from: its former name; empty where it never had another.
        body: what the server is told, by its own names of fields.
    """

    flow: str
    spec: str
    plan: str
    commit: str | None
    protect: bool
    moved_from: str
    body: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The digest of all that the server is told; it is kept there as the deployment's version."""
        return digest_of(self.body)


@dataclass(frozen=True)
class Manifest:
    """All deployments of an environment.

    Attributes:
        workspace: whose they are; a server may have those of several.
        commit: the commit that was compiled; None outside of git.
        changed: files that differ from that commit, so that nobody else could compile the same.
        pin: what runs take: a `commit`, or the `branch` of the environment.
        storage: where they take it from: `git` or a `local` folder.
        ref: the branch that the environment follows.
        deployments: by the names of their flows, in their order.
    """

    workspace: str
    environment: str
    commit: str | None
    changed: tuple[str, ...]
    pin: str
    storage: str
    ref: str
    deployments: Mapping[str, Declared]

    @property
    def digest(self) -> str:
        """The digest of what it comes to on the server, wherever it was compiled."""
        return digest_of({name: it.digest for name, it in self.deployments.items()})

    def to_json(self) -> str:
        """The document: the same bytes for the same content."""
        content = asdict(self) | {"format": FORMAT, "digest": self.digest}
        content["deployments"] = [_entry(it) for it in self.deployments.values()]
        return json.dumps(content, sort_keys=True, ensure_ascii=False, indent=2) + "\n"


def _entry(declared: Declared) -> dict[str, Any]:
    return {**asdict(declared), "digest": declared.digest}


def read_manifest(text: str) -> Manifest:
    """The manifest of a document.

    Raises:
        ManifestError: it is none, is of another version, or has been edited.
    """
    try:
        content = json.loads(text)
        version = content.pop("format")
        if version != FORMAT:
            raise ManifestError(f"the manifest has format {version}, and this release reads {FORMAT}")
        digest = content.pop("digest")
        entries = [_declared(entry) for entry in content.pop("deployments")]
        changed = tuple(content.pop("changed"))
        manifest = Manifest(**content, changed=changed, deployments={it.flow: it for it in entries})
    except (ValueError, TypeError, KeyError, AttributeError):
        hint = "`flowmill compile --manifest --env ENVIRONMENT` prints one"
        raise ManifestError(f"this is no manifest; {hint}") from None
    if manifest.digest != digest:
        raise ManifestError("the manifest has been edited: its digest does not fit its deployments")
    return manifest


def _declared(entry: dict[str, Any]) -> Declared:
    return Declared(**{key: value for key, value in entry.items() if key != "digest"})
