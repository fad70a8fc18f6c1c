"""A manifest as it is kept on the server once it was applied: packed, and beside it what lists of them show."""

import base64
import binascii
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flowmill.registering.manifest import Manifest, ManifestError, read_manifest

Verb = Literal["register", "rollback"]


@dataclass(frozen=True)
class Kept:
    """A manifest that was applied.

    Attributes:
        id: the server's, of what it is kept in.
        at: when it was kept, right after it was applied.
        by: what applied it.
        commit: the commit that was compiled; empty outside of git.
        deployments: how many it has.
        release: the version of flowmill that kept it.
    """

    id: str
    at: datetime
    by: Verb
    commit: str
    storage: str
    digest: str
    deployments: int
    release: str
    packed: str

    def manifest(self) -> Manifest:
        """All of it.

        Raises:
            ManifestError: this release cannot read it, or it has been damaged.
        """
        try:
            text = zlib.decompress(base64.b64decode(self.packed, validate=True)).decode()
        except (binascii.Error, zlib.error, UnicodeDecodeError):
            raise ManifestError("what is kept on the server is no manifest any more") from None
        manifest = read_manifest(text)
        if manifest.digest != self.digest:
            raise ManifestError("what is kept on the server is another manifest than it says")
        return manifest


def packed(manifest: Manifest) -> str:
    """A manifest as short text: the server keeps it, a copy of the newest, and another one in an event."""
    return base64.b64encode(zlib.compress(manifest.to_json().encode(), 9)).decode()


class NotKept(Exception):
    """No kept manifest is meant; the text says which there are."""


def chosen(kept: list[Kept], wanted: str | None) -> Kept:
    """The one that a user means.

    Args:
        kept: the newest first.
        wanted: how many before the newest, or the beginning of a commit or a digest; None for the last before the
            newest that is another.

    Raises:
        NotKept: there is none, or it may be several.
    """
    if wanted is None:
        earlier = [it for it in kept if it.digest != kept[0].digest]
        if not earlier:
            raise NotKept("no earlier manifest is kept than the one that was applied last")
        return earlier[0]
    if wanted.isdecimal() and len(wanted) < _SHORTEST:
        if int(wanted) >= len(kept):
            raise NotKept(f"there is no manifest {wanted}: the oldest that is kept is {len(kept) - 1}")
        return kept[int(wanted)]
    return _named(kept, wanted)


_SHORTEST = 4
"""Characters of a commit or digest; what is shorter counts manifests."""


def _named(kept: list[Kept], wanted: str) -> Kept:
    word = wanted.lower() if len(wanted) >= _SHORTEST else " "
    found = [it for it in kept if it.commit.startswith(word) or it.digest.startswith(word)]
    if not found:
        raise NotKept(f"no kept manifest is of a commit, or has a digest, that begins with `{wanted}`")
    digests = list(dict.fromkeys(it.digest for it in found))
    if len(digests) > 1:
        raise NotKept(f"`{wanted}` may be one of several manifests: {', '.join(digests)}")
    return found[0]
