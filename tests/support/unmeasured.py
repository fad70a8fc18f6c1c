"""Prefect's own programs are not measured for coverage: with it they need half again as much time."""

import os


def unmeasured() -> dict[str, str]:
    """This process's environment without what makes every Python below it measure its coverage."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
