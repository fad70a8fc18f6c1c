"""What people see of a run and of its tasks: names from expressions, made fit to be shown."""

from collections.abc import Mapping
from typing import Any

from flowmill.expressions.render import as_text, marked, render
from flowmill.report.style import printable
from flowmill.running.run import Run

NAME_AT_MOST = 200
"""Characters of a name."""


def name_from(text: str, run: Run, names: Mapping[str, Any] | None = None) -> str:
    """A text with its values put in: one line of at most `NAME_AT_MOST` characters, secrets masked.

    Raises:
        ExpressionError: something in it has no value.
    """
    # Masked first: a secret with two spaces in it is no longer known when they have become one.
    written = run.redactor.mask(as_text(render(marked(text), run.scope(names))))
    return printable(" ".join(written.split()))[:NAME_AT_MOST]
