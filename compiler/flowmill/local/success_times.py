"""The times of last successes on somebody's own machine: a small file for each flow and environment."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flowmill.local.folder import folder_of, prepared, replace_file
from flowmill.running.success_times import TimesError, document, later, start_in
from flowmill.workspace import shown_path


class LocalTimes:
    """A `SuccessTimes` in `.flowmill/state`; a lock on a file keeps processes from writing at the same time."""

    def __init__(self, spec: Path) -> None:
        self._folder = folder_of(spec) / "state"

    @property
    def where(self) -> str:
        return f"in {shown_path(self._folder)}/"

    def read(self, name: str) -> datetime | None:
        path = self._path(name)
        try:
            return start_in(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a time that flowmill has written"
            hint = "`flowmill state set` or `flowmill state reset` writes it anew"
            raise TimesError(f"{shown_path(path)} cannot be used ({reason}); {hint}") from None

    def advance(self, name: str, start: datetime) -> None:
        with self._locked(name):
            self._write(name, later(self.read(name), start))

    def set(self, name: str, start: datetime) -> None:
        with self._locked(name):
            self._write(name, start)

    def reset(self, name: str) -> None:
        with self._locked(name):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _write(self, name: str, start: datetime) -> None:
        replace_file(self._path(name), json.dumps(document(start)) + "\n")

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        try:
            with (prepared(self._folder) / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise TimesError(f"{shown_path(self._path(name))} cannot be written ({error.strerror})") from None
