"""The step type `wait_for_port`: waits until a server accepts connections."""

import time
from typing import Annotated

from pydantic import Field

from flowmill_tasks.base import Output, Step, StepFailed, StepRun
from flowmill_tasks.fields import Duration, Line, Templated, WholeNumber

PAUSE = 0.5
"""Seconds between two attempts to connect."""


class Waited(Output):
    """What a `wait_for_port` step gives to later steps."""

    attempts_made: int = 0


class WaitForPort(Step):
    """Wait for a server."""

    step_type = "wait_for_port"
    summary = "Wait until a server accepts connections on a port"
    output = Waited

    host: Templated[Line] = Field(description="Name or address of the server.", examples=["db.example.org"])
    port: Templated[Annotated[WholeNumber, Field(ge=1, le=65535)]] = Field(
        description="The port to connect to.", examples=[5432]
    )
    within: Templated[Duration] = Field(default=60, description="How long to wait for it.", examples=["5m"])

    def execute(self, run: StepRun) -> Waited:
        end = time.monotonic() + self.within
        attempts = 1
        while not self._accepts():
            if time.monotonic() >= end:
                raise StepFailed(f"`{self.host}` did not accept a connection on port {self.port}")
            # Returns at once, and true, when the run is cancelled or the step's `timeout` has passed.
            if run.cancellation.wait(PAUSE):
                raise StepFailed(run.cancellation.reason)
            attempts += 1
        run.log.info(f"`{self.host}` accepts connections on port {self.port}")
        return Waited(attempts_made=attempts)

    def preview(self, run: StepRun) -> list[str]:
        return [f"connect to {self.host}:{self.port}"]

    def _accepts(self) -> bool:
        import socket

        try:
            socket.create_connection((self.host, self.port), timeout=PAUSE).close()
        except OSError:
            return False
        return True
