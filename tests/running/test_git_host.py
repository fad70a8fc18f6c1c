"""The git repository of the tests: Prefect pulls from it as from a real host."""

import asyncio
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from prefect.runner.storage import GitRepository

from support.certificate import make_certificate
from support.git_host import GitHost, git, git_host, served

FILES: Mapping[str, str | None] = {"flowmill.yaml": "version: 1\n", "specs/shop/orders.yaml": "steps: []\n"}


@pytest.fixture
def host(tmp_path: Path) -> GitHost:
    (tmp_path / "hosted").mkdir()
    return git_host(tmp_path / "hosted", FILES)


def pulled(folder: Path, **options: object) -> Path:
    """What Prefect puts into a folder."""
    storage = GitRepository(**options)  # type: ignore[arg-type]  # which are its own
    storage.set_base_path(folder)
    asyncio.run(storage.pull_code())
    return storage.destination


def test_the_same_pushes_give_the_same_shas(host: GitHost, tmp_path: Path) -> None:
    again = git_host(tmp_path, FILES)
    change: Mapping[str, str | None] = {"specs/shop/orders.yaml": None, "specs/shop/stock.yaml": "steps: [1]\n"}
    shas = [it.push(change, "production", "A week later") for it in (host, again)]
    assert shas[0] == shas[1] != host.sha("main")
    assert host.sha("main") == again.sha("main") == "af56a69208d4c20f0d2970adcfece5234a6f5625"
    assert host.git("log", "--format=%s", "production") == "A week later\nThe beginning"
    assert host.git("ls-tree", "-r", "--name-only", "production").split() == ["flowmill.yaml", "specs/shop/stock.yaml"]


def test_a_folder_is_pushed_as_it_is(host: GitHost, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    for name, text in {"run.sh": "#!/bin/sh\n", ".gitignore": "*.log\n", "x.log": ""}.items():
        (work / name).write_text(text)
    (work / "run.sh").chmod(0o755)
    sha = host.push_folder(work, "side")
    assert host.git("ls-tree", "-r", "--format=%(objectmode) %(path)", sha).splitlines() == [
        "100644 .gitignore",
        "100755 run.sh",
    ]
    assert host.git("rev-parse", f"{sha}^") == host.sha("main")
    assert host.point("main", "side") == sha


def test_a_commit_can_be_fetched_by_its_sha(host: GitHost, tmp_path: Path) -> None:
    first = host.sha("main")
    host.push({"flowmill.yaml": "version: 2\n"})
    with served(host) as server:
        for number, url in enumerate((host.url, server.url)):
            folder = tmp_path / str(number)
            git("init", "--quiet", str(folder), folder=tmp_path)
            git("fetch", "--quiet", "--depth=1", url, first, folder=folder)
            assert git("show", "FETCH_HEAD:flowmill.yaml", folder=folder) == "version: 1"
            found = pulled(tmp_path, url=url, commit_sha=first, name=f"pulled-{number}")
            assert (found / "flowmill.yaml").read_text() == "version: 1\n"


def test_prefect_pulls_a_private_repository(host: GitHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate.file))
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    login = {"username": "robot", "access_token": "heron-7731"}
    with served(host, "robot", "heron-7731", certificate) as server:
        with pytest.raises(RuntimeError, match="Failed to clone"):
            pulled(tmp_path, url=server.url, credentials={**login, "access_token": "wrong"}, name="refused")
        assert (server.requests, server.refused > 0) == ([], True)
        found = pulled(tmp_path, url=server.url, credentials=login, branch="production")
        assert (found / "specs/shop/orders.yaml").exists()
        assert server.requests[0].startswith("GET /specs.git/info/refs")


def test_without_a_certificate_the_login_is_asked_for_as_well(host: GitHost, tmp_path: Path) -> None:
    with served(host, "robot", "heron-7731") as server:
        url = server.url.replace("://", "://robot:heron-7731@")
        assert git("ls-remote", url, "production", folder=tmp_path).split()[0] == host.sha("main")
        asked = subprocess.run(["git", "ls-remote", server.url], env={"GIT_TERMINAL_PROMPT": "0"}, capture_output=True)
        assert asked.returncode == 128
