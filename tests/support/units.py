"""What `systemctl` and `journalctl` do with our unit files, for machines without a running systemd.

    python -m support.units systemctl enable --now NAME...

A unit's file, its files of settings and its folders lie below the folder that the variable ROOT names. Understood is
what our units use of `[Service]`: EnvironmentFile, Environment, StateDirectory, CacheDirectory, WorkingDirectory,
ExecStart and TimeoutStopSec; accounts and limits of rights are not.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.waiting import eventually

ROOT = Path(os.environ.get("ROOT", "/nonexistent"))


@dataclass(frozen=True)
class Unit:
    """A service by its name, such as `flowmill-worker@reports-01-production`."""

    name: str

    @property
    def settings(self) -> dict[str, list[str]]:
        """The lines of its file, by their keys."""
        base, at, _ = self.name.partition("@")
        found: dict[str, list[str]] = {}
        for line in (ROOT / f"etc/systemd/system/{base}{at}.service").read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                found.setdefault(key, []).append(self._expanded(value))
        return found

    def _expanded(self, value: str) -> str:
        """With the specifiers of systemd that our units have, and with its files below the folder."""
        given = {"%i": self.name.partition("@")[2], "%S": str(ROOT / "var/lib"), "%C": str(ROOT / "var/cache")}
        for specifier, text in given.items():
            value = value.replace(specifier, text)
        return re.sub(r"^/(?=etc/|opt/)", f"{ROOT}/", value)

    @property
    def variables(self) -> dict[str, str]:
        """Its environment: nothing of whoever starts it but what Python needs here."""
        lines = [line for file in self.settings["EnvironmentFile"] for line in Path(file).read_text().splitlines()]
        given = [line.partition("=") for line in (*lines, *self.settings["Environment"]) if not line.startswith("#")]
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        return {**kept, "HOME": str(ROOT / "var/lib/flowmill"), **{key: value for key, _, value in given}}

    @property
    def command(self) -> list[str]:
        return [self._variable(word) for word in self.settings["ExecStart"][0].split()]

    def _variable(self, word: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda found: self.variables[found[1]], word)

    @property
    def log(self) -> Path:
        return ROOT / f"{self.name}.log"

    @property
    def _pid(self) -> Path:
        return ROOT / f"{self.name}.pid"

    def start(self) -> None:
        for key, place in (("StateDirectory", "var/lib"), ("CacheDirectory", "var/cache")):
            for name in self.settings.get(key, []):
                (ROOT / place / name).mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                self.command,
                cwd=self.settings["WorkingDirectory"][0],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._pid.write_text(str(process.pid))

    def stop(self) -> None:
        """SIGTERM to the process that was started, and SIGKILL to all when that takes too long."""
        if not self._pid.exists():
            return
        pid = int(self._pid.read_text())
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            with contextlib.suppress(AssertionError):  # it takes too long
                eventually(lambda: not self.is_active, float(self.settings["TimeoutStopSec"][0]))
            os.killpg(pid, signal.SIGKILL)
        self._pid.unlink()

    @property
    def is_active(self) -> bool:
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{int(self._pid.read_text())}/stat").read_text()
            return stat.rpartition(")")[2].split()[0] != "Z"
        return False


def systemctl(verb: str, names: list[str]) -> int:
    units = [Unit(name) for name in names if not name.startswith("--")]
    if verb in ("restart", "stop"):
        for unit in units:
            unit.stop()
    if verb in ("enable", "start", "restart"):
        for unit in units:
            unit.start()
    if verb == "status":
        return 0 if all(unit.is_active for unit in units) else 3
    return 0 if verb in ("daemon-reload", "enable", "start", "restart", "stop") else 1


def journalctl(arguments: list[str]) -> int:
    """Print what a unit has printed."""
    sys.stdout.write(Unit(arguments[arguments.index("--unit") + 1]).log.read_text())
    return 0


if __name__ == "__main__":
    program, *rest = sys.argv[1:]
    sys.exit(systemctl(rest[0], rest[1:]) if program == "systemctl" else journalctl(rest))
