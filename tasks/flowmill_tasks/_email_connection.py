"""A TCP connection that another thread can end: at one deadline for everything, or when the run stops.

A socket's own timeout bounds one read; a peer that sends a byte now and then gets around it for ever.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Any, BinaryIO


class Lifeline:
    """Keeps a connection alive until it is cut: from then on whoever waits for the peer gets an error."""

    def __init__(self, seconds: float) -> None:
        self.is_cut = False
        self.news = threading.Event()
        """Set by `cut`; also by whoever brings what is waited for without a connection."""
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._timer = threading.Timer(seconds, self.cut)
        self._timer.daemon = True
        self._timer.start()

    @property
    def remaining(self) -> float:
        """Seconds; never zero, which would mean "do not wait" to a socket."""
        return max(self._end - time.monotonic(), 0.001)

    @property
    def has_expired(self) -> bool:
        return time.monotonic() >= self._end

    def hold(self, connection: socket.socket) -> None:
        """Be able to end `connection`, also once it is wrapped in TLS: what is held is a duplicate."""
        with self._lock:
            self._let_go()
            self._connection = connection.dup()
        if self.is_cut:
            self.cut()

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            self.news.set()
            if self._connection:
                with suppress(OSError):  # not connected yet, or no longer
                    self._connection.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """The connection is over: forget it, and the deadline."""
        self._timer.cancel()
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


class BoundedLines:
    """The lines that a peer sends, up to a number of bytes: an endless reply must not fill the memory."""

    def __init__(self, connection: socket.socket, limit: int) -> None:
        self._file: BinaryIO = connection.makefile("rb")
        self._limit = limit
        self._read = 0

    def readline(self, at_most: int) -> bytes:
        """A line, or nothing when the connection ended; half a line is nothing, or it would pass for a reply.

        Raises:
            OSError: the peer has sent more than the limit.
        """
        line = self._file.readline(at_most)
        self._read += len(line)
        if self._read > self._limit:
            raise OSError(f"the server said more than {self._limit // 1024} KiB")
        return line if line.endswith(b"\n") or len(line) == at_most else b""

    def close(self) -> None:
        self._file.close()


def connect(host: str, port: int, lifeline: Lifeline) -> socket.socket:
    """A connection to the first address of `host` that answers; all of them share the time that is left.

    Raises:
        OSError: no address answers, the name has none, or the line was cut.
    """
    failure = OSError(f"`{host}` has no address")
    addresses = _look_up(host, port, lifeline)
    for untried, (family, kind, protocol, _, address) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        connection = socket.socket(family, kind, protocol)
        try:
            return _connected(connection, address, lifeline, lifeline.remaining / untried)
        except OSError as error:
            connection.close()
            failure = error
    raise failure


def _connected(connection: socket.socket, address: Any, lifeline: Lifeline, seconds: float) -> socket.socket:
    lifeline.hold(connection)
    connection.settimeout(seconds)
    connection.connect(address)
    connection.settimeout(lifeline.remaining)
    return connection


def _look_up(host: str, port: int, lifeline: Lifeline) -> list[Any]:
    """Ask the resolver in a thread that is left behind when it does not answer: nothing can break it off."""
    answers: list[Any] = []
    failures: list[str] = []

    def ask() -> None:
        try:
            answers.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failures.append(error.strerror or str(error))
        except UnicodeError:
            failures.append("not a host name")
        lifeline.news.set()

    threading.Thread(target=ask, name="look up a mail server", daemon=True).start()
    lifeline.news.wait()
    if lifeline.is_cut or failures:
        raise OSError(f"the host was not found ({', '.join(failures) or 'no answer'})")
    return answers
