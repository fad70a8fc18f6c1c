"""Everything that can be known of a workspace without a server: errors, tests that cannot be used, what rules find."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from flowmill.lint.run import linted
from flowmill.pipeline import Compiled, compile_files
from flowmill.testing.files import with_tests
from flowmill.workspace import Files, load, with_flows_of_tests
from flowmill_tasks.registry import Registry, discover


def prove(
    root: Path,
    only: frozenset[Path] | None = None,
    *,
    today: date | None = None,
    texts: Mapping[Path, str] | None = None,
) -> Compiled:
    """Prove a workspace, or the flows (and folders of flows, and files with tests) named by absolute paths.

    Args:
        today: the day that rules take for today; the real one when left out.
        texts: what to take some files to hold instead of reading them, by absolute path.
    """
    files = load(root, with_flows_of_tests(only), texts)
    return prove_files(files, discover(), today=today, whole=only is None)


def prove_files(files: Files, registry: Registry, *, today: date | None = None, whole: bool = True) -> Compiled:
    """Prove a workspace that has been read; `whole` says whether that is all of it."""
    compiled = linted(compile_files(files, registry), files, today or date.today(), whole=whole)
    return with_tests(compiled, files.root, registry, files.texts)
