"""A password or a token stands in the spec, where everybody with the repository has it, for ever.

Git keeps it after it has been removed, and so do clones, caches and logs. What is looked for: tokens that can be
told by their beginning (of GitHub, GitLab, Slack, AWS, Google and others), private keys, addresses with a password,
passwords behind options such as `--password`, values of variables that are called like a password or a token, and
long stretches of random letters and digits.

Replace it by a new one at whoever gave it out, store that as a secret, and refer to it: `${{ secrets.portal.token }}`.
Random text that is no secret is left alone under a key that ends in `id`, `hash`, `digest` or the like, and in
addresses; elsewhere, except the line with the reason.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from flowmill.diagnostics import Finding, Part, Route, Severity
from flowmill.elaborating.expression_findings import LAID_ELSEWHERE, texts
from flowmill.lint.subjects import LintedFlow
from flowmill.reading.credentials import KINDS, random_words
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A password, a token or a key is written out in a spec."

_PASSWORD = re.compile(r"(?i)(?:^|[_-])(?:password|passwd|passphrase)$")
_TOKEN = re.compile(r"(?i)(?:^|[_-])(?:token|secret|api_?key|access_?key|secret_?key|private_?key)$")
_NO_SECRET = re.compile(r"(?i)(?:id|hash|sha\d*|digest|checksum|commit|ref|image|description)s?$")
_LITERAL = re.compile(r"[^\s$/<*][^\s$]{3,}")
_MIXED = re.compile(r"(?=.*[A-Za-z])(?=.*\d).{8,}")
_HOLD_VALUES = ("env", "vars", "parameters")


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for key, value in flow.bound.written.items():
        for route, text in texts(value, (key,)) if key not in LAID_ELSEWHERE else ():
            kind, part = next(_found(route, text), ("", None))
            if part is not None:
                hint = "replace it at whoever gave it out, and keep the new one in a secret"
                yield Finding(route, "hardcoded-secret", f"this looks like {kind}", hint, part=part)


def _found(route: Route, text: str) -> Iterator[tuple[str, Part]]:
    for kind, pattern in KINDS.items():
        if match := re.search(pattern, text):
            group = "value" if "value" in match.groupdict() else 0
            yield kind, Part(match.start(group), match.end(group))
    name = _name(route)
    if _is_named(name, text):
        yield f"the value of `{name}`", Part(0, len(text))
    for word in random_words(text) if not _NO_SECRET.search(name or str(route[-1])) else ():
        if "://" not in text[: word.start()].rpartition(" ")[2]:
            yield "a key: it is random letters and digits", Part(word.start(), word.end())


def _name(route: Route) -> str:
    """What a value is called by its author; empty where the language gives the name."""
    named = [str(key) for holder, key in pairwise(route) if holder in _HOLD_VALUES]
    is_value = route[0] != "parameters" or route[-1] == "default"
    return (named[-1] if route[0] == "parameters" else str(route[-1])) if named and is_value else ""


def _is_named(name: str, text: str) -> bool:
    if not _LITERAL.fullmatch(text) or text.lower() in ("true", "false", "null", "none"):
        return False
    return bool(_PASSWORD.search(name) or (_TOKEN.search(name) and _MIXED.fullmatch(text)))
