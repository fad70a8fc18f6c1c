"""The step type `artifact`: a document that is published, or kept in the outbox."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flowmill_tasks.artifact import MARKDOWN_AT_MOST, Artifact
from flowmill_tasks.base import Document, StepFailed
from support.steps import run_step, step_run


def artifact(**keys: Any) -> Artifact:
    return Artifact.model_validate({"title": "Trips", "markdown": "| a |\n| --- |", **keys})


def published(tmp_path: Path, step: Artifact, **run: Any) -> Document:
    documents: list[Document] = []

    def publish(document: Document) -> str:
        documents.append(document)
        return "made-1"

    output = run_step(step, step_run(tmp_path, publish=publish, **run))
    assert output.model_dump() == {"id": "made-1", "path": ""}
    return documents[0]


def test_a_document_is_published_under_a_key_of_its_own(tmp_path: Path) -> None:
    labels = {"project": "demo", "flow": "demo.daily_load", "environment": "staging"}
    document = published(tmp_path, artifact(), labels=labels, step_id="table")
    assert document == Document("demo-daily-load-staging-table", "Trips", "| a |\n| --- |")
    assert published(tmp_path, artifact(key="trips")).key == "trips"


def test_in_the_outbox_it_is_a_file(tmp_path: Path) -> None:
    output = run_step(artifact(), step_run(tmp_path, outbox=tmp_path / "outbox"))
    path = Path(output.model_dump()["path"])
    assert path.suffix == ".md"
    assert path.read_text() == "# Trips\n\n| a |\n| --- |\n"


def test_what_is_too_long_is_cut_and_says_so(tmp_path: Path) -> None:
    markdown = published(tmp_path, artifact(markdown="x" * (MARKDOWN_AT_MOST + 1))).markdown
    assert markdown.endswith("[cut: the first 1,048,576 of 1,048,577 characters]")


@pytest.mark.parametrize("key", ["Trips", "a_b", "-a", "a--b", "a b"])
def test_a_key_that_prefect_would_refuse_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="lower-case letters, digits and single dashes"):
        artifact(key=key)


def test_without_a_server_it_fails(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="nowhere to publish"):
        run_step(artifact(), step_run(tmp_path))
