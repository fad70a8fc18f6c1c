"""Nothing older over what is newer, and no commit that workers cannot fetch: R17, on real repositories and servers."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowmill.registering.ancestry import older_than_registered
from flowmill.registering.kept import Kept
from flowmill.registering.manifest import Declared, Manifest
from flowmill.registering.reachable import not_fetchable
from support.desk import ON_SQLITE
from support.flows import Finished, flowmill_here
from support.git import GitFolder
from support.git_host import GitHost, git, git_host
from support.prefect_server import PrefectServer
from support.proxy import Proxy


class Desk:
    """A clone of a repository, and the command in it."""

    def __init__(self, host: GitHost, folder: Path, proxy: Proxy) -> None:
        self.host, self.folder, self.proxy = host, folder, proxy
        self.git("init", "--quiet", "--initial-branch=desk")
        self.git("remote", "add", "origin", host.url)
        self.fetch()

    def git(self, *arguments: str) -> str:
        self.folder.mkdir(exist_ok=True)
        return git(*arguments, folder=self.folder)

    def fetch(self) -> None:
        self.git("fetch", "--quiet", "origin")

    def at(self, commit: str) -> "Desk":
        """With a commit checked out as CI does it, on no branch."""
        self.git("checkout", "--quiet", "--detach", commit)
        return self

    def commit(self, cron: str) -> str:
        """A commit of this clone's own, pushed nowhere."""
        (self.folder / "specs/demo/job.yaml").write_text(job(cron))
        self.git("commit", "--quiet", "--all", "--message", "here only")
        return self.git("rev-parse", "HEAD")

    def run(self, verb: str, *options: str) -> Finished:
        return flowmill_here(verb, "--env", "staging", *options, cwd=self.folder, api_url=self.proxy.api_url)

    def register(self, *options: str) -> str:
        ran = self.run("register", "--create", *options)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def refused(self, *options: str) -> str:
        """Why a register is refused, which has written nothing."""
        before = len(self.proxy.writes)
        ran = self.run("register", "--create", *options)
        assert (ran.returncode, self.proxy.writes[before:]) == (1, [])
        return ran.stdout


def job(cron: str) -> str:
    steps = [{"id": "work", "type": "script", "command": "true"}]
    return json.dumps({"project": "demo", "environment": "staging", "server": "etl-01", "cron": cron, "steps": steps})


@pytest.fixture
def host(tmp_path: Path) -> GitHost:
    workspace = {
        "name": f"ws{os.urandom(4).hex()}",
        "repository": tmp_path.joinpath("specs.git").as_uri(),
        "environments": {"staging": {"ref": "main"}},
        "servers": {"etl-01": {}},
    }
    files = {"specs/flowmill.yaml": json.dumps(workspace), "specs/demo/project.yaml": "{}\n"}
    return git_host(tmp_path, {**files, "specs/demo/job.yaml": job("0 1 * * *")})


@pytest.fixture
def desk(host: GitHost, tmp_path: Path, proxy: Proxy, server: PrefectServer) -> Iterator[Desk]:
    yield Desk(host, tmp_path / "clone", proxy)
    with server.client() as client:
        client.delete_deployment(client.read_deployment_by_name("demo.job/staging").id)


def change(host: GitHost, cron: str, branch: str = "main") -> str:
    return host.push({"specs/demo/job.yaml": job(cron)}, branch)


@pytest.mark.prefect
def test_r17_what_is_older_is_refused_and_both_commits_are_named(desk: Desk) -> None:
    old = desk.git("rev-parse", "origin/main")
    new = change(desk.host, "0 2 * * *")
    desk.fetch()
    desk.at(new).register()
    told = desk.at(old).refused()
    assert f"error: commit {old[:12]} is older than {new[:12]}, which was registered last" in told
    assert "`--from-older`" in told
    planned = desk.run("plan")
    assert (planned.returncode, f"warning: commit {old[:12]} is older" in planned.stdout) == (2, True)
    assert f"warning: commit {old[:12]} is older" in desk.register("--from-older")
    desk.at(new).register()


@pytest.mark.prefect
@ON_SQLITE
def test_r17_another_branch_is_refused_too(desk: Desk) -> None:
    ours = change(desk.host, "0 2 * * *")
    desk.fetch()
    desk.at(ours).register()
    desk.host.point("main", "production")
    theirs = change(desk.host, "0 3 * * *")
    desk.git("fetch", "--quiet", "--force", "origin")
    told = desk.at(theirs).refused()
    assert f"error: the history of commit {theirs[:12]} does not have {ours[:12]}" in told
    desk.register("--from-older")
    back = desk.run("rollback", "--dry-run").stdout
    assert "warning: 1 spec last changed in commits that `origin/main` does not have" in back


@pytest.mark.prefect
@ON_SQLITE
def test_a_newer_commit_that_changes_nothing_writes_nothing(desk: Desk) -> None:
    desk.at("origin/main").register()
    newer = desk.host.push({"README.md": "about\n"})
    desk.fetch()
    before = len(desk.proxy.writes)
    desk.at(newer).register()
    assert desk.proxy.writes[before:] == []


@pytest.mark.prefect
@ON_SQLITE
def test_a_last_commit_that_this_clone_does_not_know_is_a_warning(desk: Desk, tmp_path: Path) -> None:
    old = desk.git("rev-parse", "origin/main")
    new = change(desk.host, "0 2 * * *")
    Desk(desk.host, tmp_path / "elsewhere", desk.proxy).at(new).register()
    told = desk.at(old).register()
    assert f"warning: this clone does not know enough of commit {new[:12]}" in told
    assert "`git fetch` may bring it" in told


@pytest.mark.prefect
def test_after_a_rollback_the_commit_that_was_rolled_back_to_counts(desk: Desk) -> None:
    old = desk.git("rev-parse", "origin/main")
    middle, new = change(desk.host, "0 2 * * *"), change(desk.host, "0 3 * * *")
    desk.fetch()
    desk.at(old).register()
    desk.at(new).register()
    assert "older" in desk.at(middle).refused()
    assert desk.run("rollback", "--to", old[:7]).returncode == 0
    told = desk.at(middle).register()
    assert f"warning: the environment was rolled back to commit {old[:12]}" in told
    assert "rolled back" not in desk.at(new).register()


@pytest.mark.prefect
@ON_SQLITE
def test_a_commit_that_is_not_pushed_is_refused(desk: Desk) -> None:
    desk.at("origin/main").register()
    own = desk.commit("0 4 * * *")
    told = desk.refused()
    assert "error: 1 spec last changed in commits that `origin/main` does not have" in told
    assert "`demo/job.yaml`" in told
    assert "merge or `git push` them to `main`" in told
    planned = desk.run("plan")
    assert (planned.returncode, "warning: 1 spec last changed" in planned.stdout) == (2, True)
    desk.git("push", "--quiet", "origin", f"{own}:main")
    desk.register()


@pytest.mark.prefect
@ON_SQLITE
def test_a_commit_that_changes_no_flow_need_not_be_pushed(desk: Desk) -> None:
    desk.at("origin/main").register()
    desk.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    assert "1 unchanged" in desk.register()


@pytest.mark.prefect
@ON_SQLITE
def test_only_deployments_go_back_where_a_branch_is_followed(desk: Desk) -> None:
    text = desk.host.git("show", "main:specs/flowmill.yaml")
    workspace = json.loads(text) | {"environments": {"staging": {"ref": "main", "pin": "branch"}}}
    old = desk.host.push({"specs/flowmill.yaml": json.dumps(workspace)})
    new = change(desk.host, "0 2 * * *")
    desk.fetch()
    desk.at(old).register()
    desk.at(new).register()
    ran = desk.run("rollback")
    assert ran.returncode == 0, ran.stderr
    assert "only deployments go back, not the code: runs take what the branch `main` holds" in ran.stdout


@pytest.mark.prefect
@ON_SQLITE
@pytest.mark.parametrize("refs", ["+refs/heads/*:refs/remotes/origin/*", "+refs/heads/main:refs/remotes/origin/main"])
def test_a_checkout_of_ci_is_enough(desk: Desk, tmp_path: Path, refs: str) -> None:
    """What actions/checkout with `fetch-depth: 0` leaves behind, and what others do: no branch of its own."""
    folder = tmp_path / "ci"
    folder.mkdir()
    tip = change(desk.host, "0 2 * * *")
    for arguments in (
        ("init", "--quiet"),
        ("remote", "add", "origin", desk.host.url),
        ("fetch", "--quiet", "--no-tags", "origin", refs),
        ("checkout", "--quiet", "--detach", tip),
    ):
        git(*arguments, folder=folder)
    ran = flowmill_here("register", "--env", "staging", "--create", cwd=folder, api_url=desk.proxy.api_url)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.prefect
@ON_SQLITE
def test_a_branch_that_is_not_known_is_an_error_that_says_how_to_know_it(desk: Desk) -> None:
    desk.at("origin/main").git("update-ref", "-d", "refs/remotes/origin/main")
    told = desk.refused()
    assert "this clone knows no branch `origin/main`" in told
    command = "git fetch origin main:refs/remotes/origin/main"
    assert f"`{command}`" in told
    desk.git(*command.split()[1:])
    desk.register()


def kept(commit: str, storage: str = "git") -> Kept:
    return Kept("1", datetime(2026, 1, 1, tzinfo=UTC), "register", commit, storage, "0" * 16, 1, "", "")


def manifest(commit: str | None, storage: str = "git") -> Manifest:
    return Manifest("ours", "staging", commit, (), "commit", storage, "main", {})


def severities(root: Path, now: Manifest, last: Kept | None) -> list[str]:
    return [it.severity for it in older_than_registered(root, now, last)]


def test_where_there_is_no_order_nothing_is_said(tmp_path: Path) -> None:
    repository = GitFolder.new(tmp_path)
    old, new = repository.commit({"a": "1"}), repository.commit({"a": "2"})
    assert severities(tmp_path, manifest(old), kept(new)) == ["error"]
    for now, last in (
        (manifest(old), None),
        (manifest(old), kept("")),
        (manifest(None), kept(new)),
        (manifest(old, "local"), kept(new)),
        (manifest(old), kept(new, "local")),
        (manifest(new), kept(old)),
        (manifest(new), kept(new)),
    ):
        assert severities(tmp_path, now, last) == []


def pinned(commit: str, to: str) -> Manifest:
    """What was compiled from a commit, with a flow that is pinned to another."""
    declared = Declared("demo.job", "demo/job.yaml", "", to, False, "", {})
    return replace(manifest(commit), deployments={"demo.job": declared})


def test_in_a_history_that_is_cut_off_a_pin_may_be_on_the_branch(tmp_path: Path) -> None:
    whole = GitFolder.new(tmp_path / "whole")
    old, new = whole.commit({"a": "1"}), whole.commit({"a": "2"})
    clone = tmp_path / "clone"
    url = whole.root.as_uri()
    git("clone", "--quiet", "--depth=1", url, str(clone), folder=tmp_path)
    assert [*not_fetchable(clone, url, pinned(new, old))] == []
    (found,) = not_fetchable(clone, url, pinned(old, old))
    assert (found.severity, "cut off" in found.message) == ("warning", True)
    git("fetch", "--quiet", "--unshallow", folder=clone)
    assert [*not_fetchable(clone, url, pinned(old, old))] == []


def test_a_repository_without_remotes_has_its_own_branch(tmp_path: Path) -> None:
    repository = GitFolder.new(tmp_path)
    old = repository.commit({"a": "1"})
    assert [*not_fetchable(tmp_path, "https://example.org/flows.git", pinned(old, old))] == []
    repository.on("other")
    new = repository.commit({"a": "2"})
    (found,) = not_fetchable(tmp_path, "https://example.org/flows.git", pinned(new, new))
    assert (found.severity, "`main` does not have" in found.message) == ("error", True)


def test_a_history_that_is_cut_off_cannot_say_it(tmp_path: Path) -> None:
    whole = GitFolder.new(tmp_path / "whole")
    old, _ = whole.commit({"a": "1"}), whole.commit({"a": "2"})
    new = whole.commit({"a": "3"})
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--depth=1", whole.root.as_uri(), str(clone), folder=tmp_path)
    git("fetch", "--quiet", "--depth=1", "origin", old, folder=clone)
    (found,) = older_than_registered(clone, manifest(new), kept(old))
    assert (found.severity, found.hint) == ("warning", "`git fetch --unshallow` may bring it")
