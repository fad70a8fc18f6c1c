"""Telling a step that blocks in a thread to stop, from outside that thread."""

import threading
from collections.abc import Callable


class Cancellation:
    """A one-way switch with listeners: once set, it stays set, and it says why.

    A step that waits on something which can be broken off (a process group, a container, a socket) registers
    how with `on_cancel`; a step that only sleeps uses `wait`.
    """

    def __init__(self) -> None:
        self.reason = ""
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`; true as soon as the step has to stop."""
        return self._event.wait(seconds)

    def on_cancel(self, listener: Callable[[], None]) -> None:
        """Call `listener` once when the step has to stop; at once if that has happened already."""
        with self._lock:
            if not self._event.is_set():
                self._listeners.append(listener)
                return
        listener()

    def cancel(self, reason: str) -> None:
        """Set the switch and call the listeners, newest first, from the caller's thread."""
        with self._lock:
            if self._event.is_set():
                return
            self.reason = reason
            self._event.set()
            listeners = self._listeners[::-1]
        for listener in listeners:
            listener()
