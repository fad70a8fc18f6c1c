"""An image without a version is another one after the next `docker push`, also in the middle of a run's retries.

`team/load` and `team/load:latest` name whatever was pushed last. What was tried out is then not what runs in
production, nobody can say which code made yesterday's data, and there is nothing to go back to.

Name a version (`team/load:1.4`) or, to be sure of every byte, a digest (`team/load@sha256:…`). A tag that moves on
purpose, such as `stable` or the name of the environment, is left alone. The option `environments` says where an
image needs a version; `production` unless something else is given.
"""

from collections.abc import Iterator

from pydantic import Field

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions
from flowmill.spec.values import Names

SEVERITY = Severity.WARNING
SUMMARY = "An image in production has no tag, or `latest`, so what runs changes with every push."


class Options(RuleOptions):
    """Where."""

    environments: Names = Field(
        default=["production"], description="environments in which an image needs a version", examples=[["production"]]
    )


def check(flow: LintedFlow, options: Options) -> Iterator[Finding]:
    if flow.plan.environment not in options.environments:
        return
    for step in flow.bound.all_steps():
        image = getattr(step.model, "image", None)
        if isinstance(image, str) and "${{" not in image and _is_latest(image):
            message = f"`{image}` is whatever was pushed last"
            hint = "name a version, such as `:1.4`, or a digest"
            yield Finding((*step.route, "image"), "latest-tag", message, hint)


def _is_latest(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "@" not in image and tag in ("", "latest")
