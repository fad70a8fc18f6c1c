"""A flow uses a secret that `secrets` of `flowmill.yaml` does not list.

The list says which secrets the server has to have. A name that is not on it is mostly misspelt, and that shows only
when a run asks for it; or it is new, and nobody has yet been asked to store it.

Write the name as it stands in the list, or add it there with a description of what it opens. A workspace without
`secrets` in `flowmill.yaml` has no such list, and any name may be used.
"""

from collections.abc import Collection, Iterator

from flowmill.diagnostics import Finding, Part, Route, Severity
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions
from flowmill.suggest import nearest

SEVERITY = Severity.ERROR
SUMMARY = "A flow uses a secret that flowmill.yaml does not list, though it lists secrets."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    declared = flow.bound.context.workspace.secrets
    for route, part, name in (*_in_expressions(flow), *_in_env_from(flow)) if declared is not None else ():
        if name not in (declared or ()):
            hint = _hint(name, declared or ())
            yield Finding(route, "undeclared-secret", f"flowmill.yaml lists no secret `{name}`", hint, part=part)


def _hint(name: str, declared: Collection[str]) -> str:
    meant = nearest(name, declared)
    return f"did you mean `{meant}`?" if meant else "add it there, with what it opens"


def _in_expressions(flow: LintedFlow) -> Iterator[tuple[Route, Part | None, str]]:
    for route, piece, parsed in flow.expressions:
        for path in parsed.references:
            if path[0] == "secrets" and len(path) > 1:
                found = parsed.place(path[:2])
                yield route, Part(piece.start + found.start, piece.start + found.end), path[1]


def _in_env_from(flow: LintedFlow) -> Iterator[tuple[Route, Part | None, str]]:
    places: list[tuple[Route, list[str]]] = [((), flow.bound.spec.env_from)]
    places += [(step.route, step.keys.env_from) for step in flow.bound.all_steps()]
    for base, groups in places:
        for index, group in enumerate(groups):
            name = group.split(".")[0]
            yield (*base, "env_from", index), None, name
