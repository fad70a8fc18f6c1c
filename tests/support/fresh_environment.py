"""A new Python environment for what documentation installs, without a download.

It sees the packages of the environment that the tests run in, so pip finds every requirement there already; what it
is told to install from a folder it does install.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

SEEN: Mapping[str, str] = {"PYTHONPATH": sysconfig.get_path("purelib"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""The variable by which every Python that is started sees them; and pip is not to ask for a newer pip."""


def fresh_environment(folder: Path) -> Path:
    """Make one; the folder of its programs. Those of packages that it only sees are links to the ones there are."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    link_programs(folder)
    return folder / "bin"


def link_programs(folder: Path) -> None:
    """Let an environment have the program `prefect`, which is not installed into it, since it is there already."""
    (folder / "bin/prefect").symlink_to(Path(sys.executable).with_name("prefect"))


def variables(programs: Path, **more: str) -> dict[str, str]:
    """The variables for a shell that uses the environment, and nothing of who runs the tests."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "XDG_CACHE_HOME") if name in os.environ}
    return {**kept, **SEEN, "PATH": os.pathsep.join([str(programs), "/usr/local/bin", "/usr/bin", "/bin"]), **more}
