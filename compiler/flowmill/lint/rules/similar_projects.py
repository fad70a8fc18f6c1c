"""Two projects have names that people take for one another: `vision-zero` and `vision_zero`.

Mostly the second one was made by mistake, by somebody who did not find the first. From then on half of the flows
have other owners and defaults than they should, and nobody can say in which of the two a flow is.

Move the flows into one of them, with `moved_from` in each so that what they remember goes with them, or give one a
name that says what is different about it.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Related, Severity
from flowmill.lint.names import alike
from flowmill.lint.subjects import Fleet, Placed
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "Two projects differ in nothing but `-`, `_` or a final `s`."


def check_fleet(fleet: Fleet, options: RuleOptions) -> Iterator[Placed]:
    for first, *others in alike(fleet.projects):
        for name in others:
            tree = fleet.projects[name].tree
            related = Related(fleet.projects[first].tree.span(()), "the other project")
            message = f"the project `{name}` is easily taken for `{first}`"
            hint = "move the flows of one into the other, or give it another name"
            yield Placed(tree, Finding((), "similar-projects", message, hint, related=(related,)))
