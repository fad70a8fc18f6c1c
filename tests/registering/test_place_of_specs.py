"""I02: where workers find the specs is told to Prefect, which would fill in what looks like a template."""

from pathlib import Path

import pytest

from support.flows import flowmill, script
from support.git import GitFolder


@pytest.mark.parametrize("holds", ["repository", "ref", "folder"])
def test_i02_where_workers_find_the_specs_is_refused_as_a_template(tmp_path: Path, holds: str) -> None:
    text = "{{ prefect.variables.canary }}"
    values = {"repository": "https://example.org/flows.git", "ref": "main", "folder": "specs", holds: text}
    workspace = {
        "repository": values["repository"],
        "environments": {"staging": {"ref": values["ref"], "pin": "branch"}},
        "servers": {"etl-01": {}},
    }
    job = {"project": "demo", "environment": "staging", "server": "etl-01", "steps": [script("work")]}
    folder = values["folder"]
    files = {f"{folder}/flowmill.yaml": workspace, f"{folder}/demo/project.yaml": {}, f"{folder}/demo/job.yaml": job}
    GitFolder.new(tmp_path).commit(files)
    nowhere = "http://127.0.0.1:9/api"  # which is not asked
    refused = flowmill("plan", "--env", "staging", cwd=tmp_path / folder, PREFECT_API_URL=nowhere)
    assert refused.returncode == 1
    assert "which Prefect would fill in on the worker" in refused.stderr
