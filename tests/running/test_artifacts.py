"""Documents on a real Prefect server: they are there, and belong to their run."""

from pathlib import Path

import pytest
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

import flowmill
from flowmill.local.select import plan_of
from support.flows import run_flow, script, write_job
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect


def test_a_document_belongs_to_its_run_and_holds_no_secret(
    prefect_server: PrefectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWMILL_SECRET_STORE", "hunter2hunter2")
    table = {"id": "table", "type": "artifact", "title": "Trips of ${{ run.start | date('%Y') }}"}
    spec = write_job(
        tmp_path,
        script("count", ["echo", "12"]),
        {**table, "markdown": "**${{ steps.count.stdout }}** trips, ${{ secrets.store }}"},
    )
    ran = run_flow(prefect_server, flowmill.compile(spec, "staging"), plan_of(spec, "staging"))
    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[ran.run.id]))
    with prefect_server.client() as client:
        [artifact] = client.read_artifacts(artifact_filter=of_run)
    assert (artifact.type, artifact.key, artifact.data) == ("markdown", "demo-job-staging-table", "**12** trips, ***")
    assert artifact.description == f"Trips of {ran.run.start_time.year}"
    assert artifact.task_run_id == ran.tasks["table"].id
