"""The files of a commit come out as git has them, and nothing gets outside of the folder."""

import os
from pathlib import Path

import pytest

from flowmill.history.extract import extracted
from flowmill.history.git import GitError
from flowmill.history.repository import Repository
from support.git import GitFolder


@pytest.fixture
def repo(tmp_path: Path) -> GitFolder:
    return GitFolder.new(tmp_path / "repo")


def files(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_text() for path in found
    }


def test_files_come_out_as_they_are(repo: GitFolder) -> None:
    attributes = "*.txt export-ignore\n*.csv export-subst eol=crlf text\n"
    content = {
        "specs/.gitattributes": attributes,
        "specs/deep/ä b\n.csv": "$Format:%H$\n",
        "specs/a.txt": "1",
        "b": "2",
    }
    repo.commit(content)
    (repo.root / "specs/a.txt").chmod(0o755)
    commit = repo.commit({})
    repo.commit({"specs/a.txt": "2"})
    with extracted(Repository(repo.root), commit, "specs") as folder:
        assert files(folder) == {name.removeprefix("specs/"): text for name, text in content.items() if name != "b"}
        assert os.access(folder / "a.txt", os.X_OK)
        assert not os.access(folder / ".gitattributes", os.X_OK)
    assert not folder.exists()
    with extracted(Repository(repo.root), commit, "") as folder:
        assert files(folder) == content


@pytest.mark.parametrize("folder", ["none", "b", "spec", "*", ":/"])
def test_a_folder_that_a_commit_does_not_have_is_empty(repo: GitFolder, folder: str) -> None:
    commit = repo.commit({"specs/a.txt": "1", "b": "2"})
    with extracted(Repository(repo.root), commit, folder) as copy:
        assert files(copy) == {}


def test_links_that_lead_out_are_left_out(repo: GitFolder, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    repo.write({"specs/shop/data/a.csv": "1", "outside.txt": "2"})
    links = {
        "inside": "shop/data/a.csv",
        "shop/up": "../shop/data",
        "dangling": "nothing",
        "out": "../outside.txt",
        "absolute": str(tmp_path / "secret"),
        "circle": "circle",
        "shop/data/root": "../..",
        "by_way": "shop/data/root/../outside.txt",
    }
    for name, aim in links.items():
        (repo.root / "specs" / name).symlink_to(aim)
    commit = repo.commit({})
    kept = ("inside", "shop/up", "dangling", "shop/data/root")
    with extracted(Repository(repo.root), commit, "specs") as folder:
        assert files(folder) == {"shop/data/a.csv": "1", **{name: links[name] for name in kept}}


def tree(repo: GitFolder, *entries: str) -> str:
    """A tree as no honest git would write it."""
    return repo.git("mktree", "--missing", given="".join(f"{entry}\n" for entry in entries))


def test_paths_that_lead_out_are_refused(repo: GitFolder, tmp_path: Path) -> None:
    blob = repo.git("hash-object", "-w", "--stdin", given="evil")
    inner = tree(repo, f"100644 blob {blob}\tevil.txt")
    outer = tree(repo, f"040000 tree {inner}\t..")
    root = tree(repo, f"040000 tree {outer}\tspecs")
    commit = repo.git("commit-tree", "-m", "evil", root)
    with (
        pytest.raises(GitError, match=r"leads out of its folder: `\.\./evil.txt`"),
        extracted(Repository(repo.root), commit, "specs"),
    ):
        pass
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_file_and_a_link_of_one_name_write_nothing_elsewhere(repo: GitFolder, tmp_path: Path) -> None:
    blob = repo.git("hash-object", "-w", "--stdin", given="evil")
    aim = repo.git("hash-object", "-w", "--stdin", given=str(tmp_path))
    inner = tree(repo, f"100644 blob {blob}\tevil.txt")
    root = tree(repo, f"120000 blob {aim}\tdata", f"040000 tree {inner}\tdata")
    commit = repo.git("commit-tree", "-m", "evil", root)
    with pytest.raises(GitError, match="cannot be written: File exists"), extracted(Repository(repo.root), commit, ""):
        pass
    assert not (tmp_path / "evil.txt").exists()


def test_a_submodule_is_left_out(repo: GitFolder) -> None:
    commit = repo.commit({"specs/a.txt": "1"})
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},specs/module")
    repo.git("commit", "--quiet", "--message", "a module")
    with extracted(Repository(repo.root), repo.head, "specs") as folder:
        assert files(folder) == {"a.txt": "1"}
