"""How long tests wait. A machine that is busy or slow makes a test take longer, never fail."""

import threading
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 240.0
"""Seconds after which what a test waits for is taken not to come. It costs time only where a test fails."""

LEEWAY = 10.0
"""Seconds that a busy machine may add to what is to be over soon; what is not cut short goes on for longer."""


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`; an error when there is none in time.

    It is asked for ever less often: what is asked is mostly a server that has to do what is waited for.
    """
    began = time.monotonic()
    pause = threading.Event()
    while not (value := condition()):
        waited = time.monotonic() - began
        assert waited < seconds, "the condition did not come true in time"
        pause.wait(min(0.05 + waited / 20, 1))
    return value
