"""Sites to look at, each written once for a file of tests."""

from pathlib import Path

import pytest

from support.sites import hostile_site, shipped_site


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the specs that ship."""
    return shipped_site(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a workspace whose every free text tries to be something else."""
    return hostile_site(tmp_path_factory.mktemp("hostile"))
