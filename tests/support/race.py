"""Programs that do the same thing at the same moment."""

import subprocess
import sys

from support.waiting import PATIENCE


def race(program: str, *runners: tuple[str, ...]) -> None:
    """Start the program once for each tuple of arguments, say go to all when all are there, and wait for the end.

    The program reads a line from its standard input before what matters.
    """
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in runners
    ]
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        _, errors = racer.communicate(timeout=PATIENCE)
        assert racer.returncode == 0, errors
