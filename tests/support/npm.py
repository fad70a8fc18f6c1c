"""Programs from npm for tests: one package, of one version, whose content must be the one that was looked at."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

KEPT = Path(__file__).resolve().parents[2] / ".cache" / "npm"
"""Git ignores the folder; a package is fetched once."""


def problem() -> str:
    """Why no package can be had on this machine; empty when one can."""
    missing = [program for program in ("node", "npm") if not shutil.which(program)]
    return f"there is no {' and no '.join(missing)}" if missing else ""


def unpacked(name: str, version: str, integrity: str) -> Path:
    """The folder of a package as it is published, none of whose scripts have run, and without its dependencies.

    Args:
        integrity: what npm's lock files say of it: `sha512-` and the digest.
    """
    folder = KEPT / f"{name}-{version}"
    if not folder.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(KEPT), f"{name}@{version}"]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        archive = KEPT / f"{name}-{version}.tgz"
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        assert integrity == f"sha512-{digest}", f"{name} {version} is not what it was"
        with tarfile.open(archive) as content:
            content.extractall(folder, filter="data")
        archive.unlink()
    return folder / "package"
