"""What a rollback cannot bring back, to be said before it is done."""

from collections.abc import Iterator

from flowmill import __version__
from flowmill.registering.kept import Kept
from flowmill.registering.manifest import Manifest
from flowmill.registering.preflight import Obstacle


def limits_of(manifest: Manifest, kept: Kept) -> Iterator[Obstacle]:
    """Warnings about the code that will run.

    Args:
        kept: what the manifest was kept in.
    """
    if manifest.storage == "local":
        hint = "runs take the specs as they lie in the folder"
        yield Obstacle("warning", "only deployments go back, not the code", hint)
    elif manifest.pin == "branch":
        message = f"only deployments go back, not the code: runs take what the branch `{manifest.ref}` holds"
        yield Obstacle("warning", message, "revert it there as well")
    if kept.release != __version__ and manifest.pin == "commit":
        message = f"the manifest was made by flowmill {kept.release or 'of an unknown version'}, this is {__version__}"
        hint = "a run fails, and says so, where the worker's flowmill plans its flow differently"
        yield Obstacle("warning", message, hint)
