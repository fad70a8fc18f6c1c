"""A fingerprint for each diagnostic, by which a program of the other side knows it again after lines have moved."""

import hashlib
from collections import Counter
from collections.abc import Iterable

from flowmill.diagnostics import Diagnostic


def fingerprints(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """One for each, all different: made of file, code, message and the text of the line, not of its number."""
    seen: Counter[str] = Counter()
    found = []
    for it in diagnostics:
        words = "\0".join((it.span.path, it.code, it.message, it.source_line.strip()))
        # Of several that are alike the first is always the first.
        digest = hashlib.sha256(f"{words}\0{seen[words]}".encode("utf-8", "surrogatepass")).hexdigest()
        seen[words] += 1
        found.append(digest)
    return found
