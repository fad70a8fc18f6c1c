"""The guide for operating: its commands are run in their order, as one shell would, on real parts.

What stands in place of what:

- Folders: `/opt`, `/etc/flowmill`, `/etc/systemd` and `/var/lib/flowmill` lie in a temporary folder.
- Addresses: those of the Prefect server, of PostgreSQL and of the repository are real ones of this machine.
- `sudo` runs its command as the user of the test, without `-u`; `useradd` only checks its options, since a test makes
  no accounts; `systemctl` and `journalctl` are `support.units`, since no systemd runs where tests do.
- pip finds everything that is required already installed (`support.fresh_environment`); flowmill it does install.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.fresh_environment import variables
from support.git_host import git
from support.postgres import Postgres
from support.prefect_server import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operating.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MARK = "after block"
PROGRAMS = ("systemctl", "journalctl")
SAID = {
    "flowmill register --env staging --create": "made: work pool server-01",
    "prefect deployment run shop.orders/staging --watch": "finished successfully",
    "pg_restore": "1 unchanged",
    "flowmill diff production main": "the same",
    "--force-reinstall": "1 unchanged",
}
"""What the blocks print that show that things are as the page says, by a command in them."""
SUDO = """\
#!/bin/sh
[ "$1" = -u ] && shift 2
exec "$@"
"""
USERADD = """\
#!/bin/sh
for word; do case "$word" in --*) /usr/sbin/useradd --help | grep -q -e "$word" || exit 1 ;; esac; done
"""
UNITS = """\
#!/bin/sh
PYTHONPATH="{tests}:$PYTHONPATH" exec {python} -m support.units {program} "$@"
"""
# It names the author, as everybody's own settings do.
GITCONFIG = """\
[user]
name = Somebody
email = somebody@example.org
"""


@dataclass(frozen=True)
class Machine:
    """The one machine that is everything here."""

    root: Path
    postgres: Postgres
    port: int

    def script(self) -> str:
        """All blocks as one script that says after which it is."""
        marked = [f"{block}\necho '{MARK} {number}'\n" for number, block in enumerate(BLOCKS, 1)]
        # Right after the first block, which installs flowmill: pip does not make what is there already.
        link = f"ln -s {Path(sys.executable).with_name('prefect')} /opt/flowmill/bin/prefect\n"
        text = "".join(["set -euo pipefail\n", marked[0], link, *marked[1:]])
        for written, real in self.replaced.items():
            text = text.replace(written, real)
        return text

    @property
    def replaced(self) -> dict[str, str]:
        return {
            "https://github.com/your-team/flowmill.git": ROOT.as_uri(),
            "https://git.example.org/our-team/flows.git": (self.root / "flows.git").as_uri(),
            "PREFECT_SERVER_API_HOST=0.0.0.0": "PREFECT_SERVER_API_HOST=127.0.0.1",
            "PREFECT_SERVER_API_PORT=4200": f"PREFECT_SERVER_API_PORT={self.port}",
            "prefect.internal:4200": f"127.0.0.1:{self.port}",
            "127.0.0.1:5432": f"127.0.0.1:{self.postgres.port}",
            "/opt/": f"{self.root}/opt/",
            "/etc/flowmill": f"{self.root}/etc/flowmill",
            "/etc/systemd/system/": f"{self.root}/etc/systemd/system/",
            "/var/lib/flowmill": f"{self.root}/var/lib/flowmill",
        }

    def environ(self) -> dict[str, str]:
        login = {"PGHOST": "127.0.0.1", "PGPORT": str(self.postgres.port), "PGUSER": "postgres"}
        given = variables(self.root / "stand-ins", HOME=str(self.root), ROOT=str(self.root), **login)
        return {**given, "PATH": given["PATH"].replace("/usr/local/bin", str(self.postgres.programs))}


@pytest.fixture
def machine(tmp_path: Path, postgres: Postgres) -> Iterator[Machine]:
    """A machine on which nothing is set up, and an empty repository on the host of git; units end with the test."""
    for folder in ("opt", "etc/systemd/system", "stand-ins", "var/lib/flowmill"):
        (tmp_path / folder).mkdir(parents=True)
    units = {name: UNITS.format(tests=ROOT / "tests", python=sys.executable, program=name) for name in PROGRAMS}
    for name, text in {"sudo": SUDO, "useradd": USERADD, **units}.items():
        (tmp_path / "stand-ins" / name).write_text(text)
        (tmp_path / "stand-ins" / name).chmod(0o755)
    (tmp_path / ".gitconfig").write_text(GITCONFIG)
    git("init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "flows.git"), folder=tmp_path)
    yield Machine(tmp_path, postgres, free_port())
    names = sorted(file.stem for file in tmp_path.glob("*.pid"))  # workers first: they tell the server
    environ = {**os.environ, "ROOT": str(tmp_path)}
    command = [sys.executable, "-m", "support.units", "systemctl", "stop", *names]
    subprocess.run(command, cwd=ROOT / "tests", env=environ, check=True)


@pytest.mark.prefect
def test_every_command_works_in_its_order(machine: Machine) -> None:
    (machine.root / "script.sh").write_text(machine.script())
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", str(machine.root / "script.sh")],
        cwd=machine.root,
        env=machine.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    parts = re.split(rf"^{MARK} \d+$", done.stdout, flags=re.MULTILINE)
    assert len(parts) == len(BLOCKS) + 1
    said = {what: printed for block, printed in zip(BLOCKS, parts, strict=False) for what in SAID if what in block}
    for what, words in SAID.items():
        assert words in said[what], (what, said[what])


def test_every_block_of_code_is_run() -> None:
    assert len(re.findall(r"^```", PAGE, re.MULTILINE)) == 2 * len(BLOCKS), "each is of the kind `sh`"


@pytest.mark.systemd
@pytest.mark.parametrize("name", ["prefect-server.service", "flowmill-worker@server-01-staging.service"])
def test_systemd_understands_the_units_of_the_page(tmp_path: Path, name: str) -> None:
    """Their programs stand elsewhere here."""
    base, at, _ = name.partition("@")
    file = f"{base}@.service" if at else name
    text = (ROOT / "docs/deploy" / file).read_text().replace("/opt/flowmill/bin", str(Path(sys.executable).parent))
    (tmp_path / name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / name)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
