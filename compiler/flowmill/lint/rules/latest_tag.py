"""A container in production comes from an image whose tag says nothing, so what runs can change unseen.

Without a tag, or with `latest`, whoever pushes to the registry decides what production runs, at once and without a
review; an older version that worked cannot be named any more. What was reviewed is no longer what runs.

Name a version, `atd/loader:1.4.2`, or a digest, `atd/loader@sha256:…`. A tag that is moved on purpose, such as
`production`, says at least who moves it, and is left alone.
"""

from collections.abc import Iterator

from pydantic import Field

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.subjects import LintedFlow
from flowmill.spec_lint import RuleOptions
from flowmill.spec_values import Names
from flowmill_tasks.docker import Docker
from flowmill_tasks.fields import Unrendered

SEVERITY = Severity.WARNING
SUMMARY = "An image in production has no tag, or `latest`."


class Options(RuleOptions):
    """Where it matters."""

    environments: Names = Field(default=["production"], description="the environments that the rule is about")


def check(flow: LintedFlow, options: Options) -> Iterator[Finding]:
    if flow.plan.environment not in options.environments:
        return
    for step in flow.bound.all_steps():
        image = step.model.image if isinstance(step.model, Docker) else ""
        if image and not isinstance(image, Unrendered) and _tag(image) in ("", "latest"):
            what = "the tag `latest`" if _tag(image) else "no tag, which is `latest`"
            yield Finding((*step.route, "image"), "latest-tag", f"`{image}` has {what}", "name a version or a digest")


def _tag(image: str) -> str:
    """The tag or the digest of an image; empty where it has none. A port of the registry is no tag."""
    name, _, digest = image.partition("@")
    return digest or name.rpartition("/")[2].partition(":")[2]
