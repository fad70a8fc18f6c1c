"""What is read from a real repository, and what is said where git cannot tell."""

import os
from pathlib import Path

import pytest

from flowmill.history import git
from flowmill.history.address import normalised
from flowmill.history.git import GitError
from flowmill.history.repository import Repository, UnknownRef
from support.git import GitFolder

URL = "https://github.com/your-team/flows"


@pytest.fixture
def repo(tmp_path: Path) -> GitFolder:
    made = GitFolder.new(tmp_path / "repo")
    made.commit({"specs/a.txt": "1"})
    return made


def of(repo: GitFolder) -> Repository:
    found = Repository.around(repo.root)
    assert found is not None
    return found


def test_a_repository_is_found_from_a_folder_in_it(repo: GitFolder, tmp_path: Path) -> None:
    assert Repository.around(repo.root / "specs") == of(repo)
    assert of(repo).root == repo.root.resolve()
    assert Repository.around(tmp_path) is None
    assert Repository.around(repo.root / ".git") is None


def test_a_bare_repository_is_no_work_tree(tmp_path: Path) -> None:
    GitFolder.new(tmp_path).git("init", "--quiet", "--bare", "bare")
    assert Repository.around(tmp_path / "bare") is None


def test_a_hook_leads_to_no_other_repository(repo: GitFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = GitFolder.new(tmp_path / "other")
    other.commit({"b": "1"})
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git/index"))
    found = Repository.around(repo.root)
    assert found is not None
    assert found.uncommitted(repo.root) == []
    monkeypatch.delenv("GIT_DIR")
    assert found.head() == repo.head


def test_ancestors(repo: GitFolder) -> None:
    old, new = repo.head, repo.commit({"specs/a.txt": "2"})
    assert of(repo).is_ancestor(old, new)
    assert of(repo).is_ancestor(new, new)
    assert not of(repo).is_ancestor(new, old)
    with pytest.raises(UnknownRef):
        of(repo).is_ancestor("0" * 40, new)


def test_whether_a_commit_is_here(repo: GitFolder) -> None:
    assert of(repo).knows(repo.head)
    assert of(repo).knows(repo.head[:12])
    tree = repo.git("rev-parse", "HEAD^{tree}")
    assert not any(map(of(repo).knows, ["0" * 40, "main", "--all", "", tree]))


def test_a_commit_by_its_names(repo: GitFolder) -> None:
    head = repo.head
    repo.git("tag", "--annotate", "--message", "one", "v1")
    repo.git("branch", "release/2026")
    for ref in ("HEAD", "main", "v1", "release/2026", head[:10], "main~0"):
        assert of(repo).commit(ref) == head


@pytest.mark.parametrize(
    ("ref", "hint"),
    [
        ("mian", "did you mean `main`"),
        ("V1", "did you mean `v1`"),
        ("zzz", "expected one of: main, v1"),
        ("--all", "expected one of"),
        ("", "expected one of"),
        ("main\n", "did you mean `main`"),
        ("main:specs", "expected one of"),
    ],
)
def test_a_commit_that_is_not_there(repo: GitFolder, ref: str, hint: str) -> None:
    repo.git("tag", "v1")
    with pytest.raises(UnknownRef, match=hint) as caught:
        of(repo).commit(ref)
    assert "git knows no commit" in str(caught.value)


def test_before_the_first_commit(tmp_path: Path) -> None:
    repository = of(GitFolder.new(tmp_path))
    assert not repository.has_commits
    with pytest.raises(GitError, match="nothing is committed yet"):
        repository.head()
    with pytest.raises(UnknownRef, match="nothing is committed yet"):
        repository.commit("main")


def test_what_is_not_committed(repo: GitFolder) -> None:
    repo.commit({"specs/old name.txt": "a longer text, so that git would see the renaming", "ignored.txt": "1"})
    repo.commit({".gitignore": "*.log\n"})
    repo.git("mv", "specs/old name.txt", "specs/näme.txt")
    repo.write({"specs/a.txt": "2", "specs/deep/new.txt": "1", "specs/x.log": "1", "other.txt": "1"})
    specs = repo.root / "specs"
    found = of(repo).uncommitted(specs)
    assert found == sorted(specs / name for name in ["a.txt", "old name.txt", "näme.txt", "deep/new.txt"])


def test_a_shallow_clone_is_known_as_one(repo: GitFolder, tmp_path: Path) -> None:
    repo.commit({"specs/a.txt": "2"})
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.root}", tmp_path / "clone")
    clone = of(GitFolder(tmp_path / "clone"))
    assert clone.is_shallow()
    assert clone.shallow_commits() == {repo.head}
    assert not of(repo).is_shallow()
    assert of(repo).shallow_commits() == frozenset()


SAME = [
    "https://github.com/your-team/flows",
    "https://github.com/your-team/flows.git",
    "https://github.com/your-team/flows/",
    "https://user:secret@GitHub.com/your-team/flows.git/",
    "https://github.com:443/your-team/flows",
    "git@github.com:your-team/flows.git",
    "github.com:your-team/flows",
    "ssh://git@github.com/your-team/flows.git",
    "ssh://git@github.com:22/your-team/flows",
    "git://github.com/your-team/flows",
]
OTHERS = [
    "https://github.com/your-team/flows2",
    "https://github.com/flows",
    "https://gitlab.com/your-team/flows",
    "https://github.com:8443/your-team/flows",
    "/srv/git/flows.git",
    "",
]


def test_addresses_of_one_repository() -> None:
    assert {normalised(url) for url in SAME} == {"github.com/your-team/flows"}
    assert len({normalised(url) for url in [*OTHERS, SAME[0]]}) == len(OTHERS) + 1
    assert normalised("/srv/git/flows.git") == normalised("file:///srv/git/flows") == "/srv/git/flows"


def test_a_branch_as_the_remote_of_an_address_has_it(repo: GitFolder) -> None:
    old, new = repo.head, repo.commit({"specs/a.txt": "2"})
    assert of(repo).remote_ref("main", URL) is None
    repo.git("remote", "add", "origin", "https://example.org/fork.git")
    repo.git("remote", "add", "up.stream", "git@github.com:your-team/flows.git")
    repo.git("update-ref", "refs/remotes/origin/main", old)
    assert of(repo).remote_ref("main", URL) is None
    repo.git("update-ref", "refs/remotes/up.stream/main", new)
    assert of(repo).remote_ref("main", URL) == new
    assert of(repo).remote_ref("main", "https://example.org/elsewhere") == old
    assert [of(repo).remote_ref(name, URL) for name in ("production", "--all", "ma*", "main:specs", "")] == [None] * 5


def test_no_git_is_said_in_words(repo: GitFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(GitError, match="the program `git` was not found"):
        Repository.around(repo.root)


def test_a_git_that_hangs_is_ended(repo: GitFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(git, "SECONDS", 0.2)
    with pytest.raises(GitError, match="took longer than"):
        Repository.around(repo.root)


def test_what_git_refuses_is_passed_on_without_credentials(repo: GitFolder, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="`git fetch` failed") as caught:
        git.tell(repo.root, "fetch", "--quiet", f"file://user:hunter2@{tmp_path}/none")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(GitError, match=r"`git rev-parse` failed: cannot change to"):
        Repository.around(tmp_path / "none")
