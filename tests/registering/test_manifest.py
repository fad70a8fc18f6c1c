"""`flowmill compile --manifest`: one document of all deployments, of the same bytes wherever it is made."""

import json
from pathlib import Path

import pytest

from flowmill.registering.manifest import ManifestError, read_manifest
from support.flows import Finished, flowmill, script, write_job
from support.git_host import GitHost, git, git_host

WORKSPACE = {
    "repository": "https://git.example.org/team/flows.git",
    "environments": {"staging": {"ref": "main"}, "production": {"ref": "production"}},
    "servers": {"etl-01": {}},
}
JOB = {"project": "demo", "environment": ["staging", "production"], "server": "etl-01", "steps": [script("work")]}
FILES = {
    "specs/flowmill.yaml": json.dumps(WORKSPACE),
    "specs/demo/project.yaml": "{}\n",
    "specs/demo/later.yaml": json.dumps({**JOB, "cron": "0 6 * * *"}),
    "specs/demo/job.yaml": json.dumps(JOB),
}


@pytest.fixture
def host(tmp_path: Path) -> GitHost:
    return git_host(tmp_path, FILES)


def manifest_in(host: GitHost, folder: Path) -> str:
    """What a clone in a folder of its own prints."""
    folder.mkdir(parents=True)
    git("clone", "--quiet", host.url, "clone", folder=folder)
    ran = compiled(folder / "clone")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def compiled(folder: Path, *options: str) -> Finished:
    return flowmill("compile", "--manifest", "--env", "staging", *options, cwd=folder, PREFECT_API_URL="")


def test_two_clones_give_the_same_bytes(host: GitHost, tmp_path: Path) -> None:
    texts = {manifest_in(host, tmp_path / name) for name in ("here", "else/where")}
    assert len(texts) == 1


def test_it_names_every_deployment_with_its_spec_and_the_commit_that_it_dates_from(
    host: GitHost, tmp_path: Path
) -> None:
    first = host.sha("main")
    second = host.push({"specs/demo/job.yaml": json.dumps({**JOB, "description": "changed"})})
    found = json.loads(manifest_in(host, tmp_path / "here"))
    assert found["commit"] == second
    assert [(it["flow"], it["spec"], it["commit"]) for it in found["deployments"]] == [
        ("demo.job", "demo/job.yaml", second),
        ("demo.later", "demo/later.yaml", first),
    ]


def test_what_it_comes_to_is_in_its_digest_and_an_edited_one_is_refused(host: GitHost, tmp_path: Path) -> None:
    text = manifest_in(host, tmp_path / "here")
    manifest = read_manifest(text)
    assert (manifest.to_json(), manifest.digest) == (text, json.loads(text)["digest"])
    with pytest.raises(ManifestError, match="has been edited"):
        read_manifest(text.replace("0 6 * * *", "0 7 * * *"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["specs/demo/job.yaml", "--env", "staging"], "leave the paths out"),
        ([], "name it with `--env`"),
        (["--env", "stagin"], "did you mean `staging`?"),
    ],
    ids=["paths", "no environment", "misspelt"],
)
def test_a_wrong_command_line_says_what_is_wrong(
    host: GitHost, tmp_path: Path, arguments: list[str], said: str
) -> None:
    manifest_in(host, tmp_path / "here")
    ran = flowmill("compile", "--manifest", *arguments, cwd=tmp_path / "here/clone")
    assert ran.returncode != 0
    assert said in ran.stderr


def test_a_mistake_in_a_spec_is_shown_and_nothing_is_printed(tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("work"), cron="0 99 * * *")
    ran = compiled(spec.parent)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "job.yaml:" in ran.stderr


def test_two_flows_cannot_have_been_one(host: GitHost, tmp_path: Path) -> None:
    moved = json.dumps({**JOB, "moved_from": "demo.old"})
    host.push({"specs/demo/job.yaml": moved, "specs/demo/later.yaml": moved})
    git("clone", "--quiet", host.url, "clone", folder=tmp_path)
    ran = compiled(tmp_path / "clone")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "`demo.job` says as well that it was `demo.old` [same-last-success]" in ran.stderr

    # Whoever switches the rule off still cannot register it.
    file = tmp_path / "clone/specs/flowmill.yaml"
    workspace = json.loads(file.read_text())
    file.write_text(json.dumps({**workspace, "lint": {"rules": {"same-last-success": "off"}}}))
    ran = compiled(tmp_path / "clone")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "`demo.job` and `demo.later` both have `moved_from: demo.old`" in ran.stderr
