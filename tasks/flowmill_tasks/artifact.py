"""The step type `artifact`: publishes a document in Markdown together with the run.

On Prefect it becomes a Markdown artifact of the run; a run whose messages go to the outbox writes it there.
"""

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from flowmill_tasks._outbox import write_to_outbox
from flowmill_tasks.base import Document, Output, Step, StepRun
from flowmill_tasks.fields import Line, Templated, Text
from flowmill_tasks.starter import Starter

MARKDOWN_AT_MOST = 1024 * 1024
"""Characters of a document; the rest is cut, with a note."""


def _key(key: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key) or len(key) > 200:
        raise PydanticCustomError("bad_value", "expected lower-case letters, digits and single dashes, at most 200")
    return key


class ArtifactOutput(Output):
    """What an `artifact` step gives to later steps."""

    id: str = ""
    """The artifact in Prefect; empty when it was written to the outbox."""
    path: str = ""
    """The file in the outbox; empty when it was published."""


STARTER = Starter(
    step="""\
  - id: publish
    type: artifact
    title: Hello from ${{ flow.name }}
    markdown: |
      This run started on ${{ run.start | date('%-d %B %Y at %H:%M') }}.
""",
    expected="      steps: {publish: {title: Hello from $name}}",
)


class Artifact(Step):
    """Publish a document."""

    step_type: ClassVar[str] = "artifact"
    summary: ClassVar[str] = "Publish a document in Markdown with the run"
    starter: ClassVar[Starter | None] = STARTER
    message_fields: ClassVar[frozenset[str]] = frozenset({"title", "markdown"})
    output: ClassVar[type[Output]] = ArtifactOutput

    title: Line = Field(description="What it is about, one line.", examples=["Trips of ${{ run.start | date }}"])
    markdown: Text = Field(
        description="The document, in Markdown. What an expression puts in is read as Markdown as well, unless "
        "it goes through the filter `markdown_escape`.",
        examples=["| line | trips |\n| --- | --- |\n| 7 | ${{ steps.count.stdout }} |"],
    )
    key: Templated[Annotated[Line, AfterValidator(_key)]] = Field(
        default="",
        description="What connects the documents of one run with those of the next in Prefect: lower-case letters, "
        "digits and dashes. Default: made of the flow's name and the step's id.",
        examples=["daily-trips"],
    )

    def execute(self, run: StepRun) -> ArtifactOutput:
        document = Document(self.key or _default_key(run), self.title, _shortened(self.markdown))
        if run.outbox is not None:
            text = f"# {document.title}\n\n{document.markdown}\n".encode("utf-8", "replace")
            path = write_to_outbox(run.outbox, run.step_id, ".md", text)
            run.log.info(f"wrote {path} to the outbox; nothing was published")
            return ArtifactOutput(path=str(path))
        id = run.publish(document)
        run.log.info(f"published `{document.key}`")
        return ArtifactOutput(id=id)

    def recorded(self, run: StepRun) -> dict[str, Any]:
        return {"title": self.title, "markdown": self.markdown, "key": self.key or _default_key(run)}

    def preview(self, run: StepRun) -> list[str]:
        where = f"to the outbox {run.outbox}" if run.outbox else "publish"
        return [f"artifact: {where}", f"  {self.title}", *(f"  | {line}" for line in self.markdown.splitlines()[:5])]


def _default_key(run: StepRun) -> str:
    words = f"{run.labels.get('flow', '')}-{run.labels.get('environment', '')}-{run.step_id}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:200].rstrip("-")


def _shortened(text: str) -> str:
    if len(text) <= MARKDOWN_AT_MOST:
        return text
    return f"{text[:MARKDOWN_AT_MOST]}\n\n[cut: the first {MARKDOWN_AT_MOST:,} of {len(text):,} characters]"
