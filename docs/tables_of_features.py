"""A table of what real flows need, each with the flows of this repository that show it."""

import sys
from pathlib import Path

from markdown_table import table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.features import FEATURES, Shown, flows

SHOWN_AT_MOST = 3


def feature_table(what: str) -> str:
    """The features, most wanted first, with links to specs; `what` is the folder of the links."""
    found = flows()
    rows = [(words, _links(words, found)) for words, _ in FEATURES.values()]
    return table(("what a flow may need", "shown by"), rows)


def _links(words: str, found: list[Shown]) -> str:
    sign = next(sign for known, sign in FEATURES.values() if known == words)
    showing = [flow for flow in found if sign(flow)]
    # The shortest say it most clearly.
    shortest = sorted(showing, key=lambda flow: len(flow.plan.to_json()))[:SHOWN_AT_MOST]
    return ", ".join(f"[{flow.name}](../specs/{flow.plan.spec_path})" for flow in shortest)
