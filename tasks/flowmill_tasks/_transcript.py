"""What a program or container writes: its lines go to the log, within bounds, and the end is kept."""

from collections import deque

from flowmill_tasks.base import Log

KEPT_BYTES = 256 * 1024
"""How much of the end of stdout is kept."""
LINE_BYTES = 4096
"""Where a line of the log is cut."""
LOG_LINES = 10_000
"""After this many lines only the last ones are shown, once the program has ended."""
LAST_LINES = 20
_SLACK = 65536
"""How far the kept bytes may grow over their bound before they are cut, so that cutting stays rare."""


class Transcript:
    """What a program writes: shown in the log line by line, within bounds, and its end kept."""

    def __init__(self, log: Log) -> None:
        self.stdout = _Stream(self)
        self.stderr = _Stream(self)
        self._log = log
        self._room = LOG_LINES
        self._hidden = 0
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    def is_full(self) -> bool:
        return self._room == 0

    def show(self, line: str) -> None:
        self._last.append(line)
        if self.is_full():
            self._hidden += 1
            return
        self._log.info(line)
        self._room -= 1
        if self.is_full():
            self._log.warning(f"… {LOG_LINES} lines shown; of the rest only the last will be, at the end")

    def hide(self, lines: int) -> None:
        self._hidden += lines

    def close(self) -> None:
        """Show unfinished lines, and the last of those that were held back."""
        self.stdout.close()
        self.stderr.close()
        held_back = list(self._last)[-self._hidden :] if self._hidden else []
        if self._hidden > len(held_back):
            self._log.warning(f"… {self._hidden - len(held_back)} lines not shown")
        for line in held_back:
            self._log.info(line)
        if self.stdout.is_cut():
            self._log.warning(f"… stdout is longer than {KEPT_BYTES // 1024} KiB: later steps get the end of it")

    def tail(self) -> str:
        """The last lines, at most `LINE_BYTES` characters of them."""
        return "\n".join(self._last)[-LINE_BYTES:]


class _Stream:
    """Cuts one stream into lines, in bounded memory and time whatever comes, and keeps its end."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._line = bytearray()
        self._cut = 0
        self._kept = bytearray()
        self._forgotten = 0

    def feed(self, chunk: bytes) -> None:
        self._kept += chunk
        self._forget(_SLACK)
        # Lines that nobody will see are counted, not made: a gigabyte of them would take minutes.
        head, *rest = chunk.rsplit(b"\n", LAST_LINES if self._transcript.is_full() else -1)
        if unseen := head.count(b"\n"):
            self._transcript.hide(unseen)
            self._start_line()
        self._extend(head.rpartition(b"\n")[2])
        for part in rest:
            self._finish_line()
            self._extend(part)

    def close(self) -> None:
        if self._line:
            self._finish_line()

    def is_cut(self) -> bool:
        """Whether it was longer than what is kept."""
        return self._forgotten > 0 or len(self._kept) > KEPT_BYTES

    def kept(self) -> str:
        self._forget(0)
        text = _readable(self._kept).rstrip("\r\n")
        return f"… {self._forgotten} bytes not kept\n{text}" if self._forgotten else text

    def _start_line(self) -> None:
        self._line.clear()
        self._cut = 0

    def _extend(self, part: bytes) -> None:
        room = LINE_BYTES - len(self._line)
        self._line += part[:room]
        self._cut += max(len(part) - room, 0)

    def _finish_line(self) -> None:
        mark = f" … {self._cut} bytes of this line not shown" if self._cut else ""
        self._transcript.show(_readable(self._line).removesuffix("\r") + mark)
        self._start_line()

    def _forget(self, slack: int) -> None:
        extra = len(self._kept) - KEPT_BYTES
        if extra > slack:
            del self._kept[:extra]
            self._forgotten += extra


def _readable(raw: bytearray) -> str:
    """Text of bytes that need not be UTF-8; without NUL, which PostgreSQL and argument lists refuse."""
    return raw.decode("utf-8", errors="replace").replace("\0", "\ufffd")
