"""A pin is the last commit that changed what a flow consists of in an environment, and no other."""

import os
import random
from functools import cache
from pathlib import Path

import pytest

from flowmill.history.extract import extracted
from flowmill.history.git import GitError
from flowmill.history.pins import Pin, digests_of, pinned_commits
from flowmill.history.repository import Repository
from flowmill.pipeline import compile_workspace
from history.specs import FILES, WORKSPACE, Spec, flow, with_default
from support.git import GitFolder

ORDERS, STOCK, SAMPLES = "shop.orders", "shop.stock", "lab.samples"


@pytest.fixture
def repo(tmp_path: Path) -> GitFolder:
    made = GitFolder.new(tmp_path / "repo")
    made.commit(FILES)
    return made


def pins(repo: GitFolder, environment: str = "staging") -> dict[str, Pin]:
    root = repo.root / "specs"
    return pinned_commits(root, compile_workspace(root), environment)


def commits(repo: GitFolder, environment: str = "staging") -> dict[str, str | None]:
    return {flow: pin.commit for flow, pin in pins(repo, environment).items()}


def test_a_flow_dates_from_the_commit_that_changed_its_spec(repo: GitFolder) -> None:
    first = repo.head
    second = repo.commit({"specs/shop/orders.yaml": flow("shop", cron="5 * * * *")})
    assert commits(repo) == {ORDERS: second, STOCK: first, SAMPLES: first}


@pytest.mark.parametrize(
    "changed",
    [
        {"README.md": "words"},
        {"specs/README.md": "words"},
        {"specs/shop/orders.test.yaml": {"tests": []}},
        {"specs/flowmill.yaml": {**WORKSPACE, "servers": {"etl-01": {}, "etl-02": {}}}},
        {"specs/flowmill.yaml": with_default(all={})},
        {"specs/shop/project.yaml": {"description": "words"}},
        {"specs/shop/project.yaml": {"templates": {"hourly": {"cron": "5 * * * *"}}}},
    ],
    ids=["outside", "beside flowmill.yaml", "tests", "a server", "an empty default", "a description", "a template"],
)
def test_what_changes_no_plan_moves_nothing(repo: GitFolder, changed: Spec) -> None:
    first = repo.head
    repo.commit(changed)
    assert set(commits(repo).values()) == {first}


def test_a_file_beside_the_specs_belongs_to_every_flow_of_its_project(repo: GitFolder) -> None:
    first = repo.head
    second = repo.commit({"specs/shop/data/deep/prices.yaml": "1"})
    assert commits(repo) == {ORDERS: second, STOCK: second, SAMPLES: first}


def test_only_the_mode_of_a_file_beside_has_changed(repo: GitFolder) -> None:
    repo.commit({"specs/lab/count.sh": "true"})
    (repo.root / "specs/lab/count.sh").chmod(0o755)
    assert commits(repo)[SAMPLES] != (second := repo.commit({}))
    assert commits(repo)[SAMPLES] == second


def test_a_shared_default_moves_the_flows_that_do_not_override_it(repo: GitFolder) -> None:
    first = repo.head
    second = repo.commit({"specs/flowmill.yaml": with_default(timezone="America/Chicago")})
    assert commits(repo) == {ORDERS: second, STOCK: first, SAMPLES: second}
    repo.commit({"specs/shop/project.yaml": {"defaults": {"timezone": "America/Chicago"}}})
    assert commits(repo) == {ORDERS: second, STOCK: first, SAMPLES: second}


def test_a_default_of_one_environment_moves_nothing_in_the_other(repo: GitFolder) -> None:
    first = repo.head
    production = {"ref": "production", "defaults": {"paused": True, "cron": "5 * * * *"}}
    workspace = {**WORKSPACE, "environments": {"staging": {"ref": "main"}, "production": production}}
    second = repo.commit({"specs/flowmill.yaml": workspace})
    assert set(commits(repo, "staging").values()) == {first}
    assert set(commits(repo, "production").values()) == {second}


def test_a_default_that_came_and_went_counts_as_two_changes(repo: GitFolder) -> None:
    first = repo.head
    repo.commit({"specs/flowmill.yaml": with_default(timezone="America/Chicago")})
    third = repo.commit({"specs/flowmill.yaml": WORKSPACE})
    assert commits(repo) == {ORDERS: third, STOCK: first, SAMPLES: third}


def test_a_key_that_moves_from_the_flow_to_the_project_is_a_change_of_the_flow_alone(repo: GitFolder) -> None:
    first = repo.head
    project = {"defaults": {"timezone": "Europe/Berlin"}}
    second = repo.commit({"specs/shop/project.yaml": project, "specs/shop/stock.yaml": flow("shop")})
    assert commits(repo) == {ORDERS: second, STOCK: second, SAMPLES: first}


def test_a_commit_in_which_nothing_compiled_counts_as_a_change(repo: GitFolder) -> None:
    repo.commit({"specs/flowmill.yaml": "environments: ["})
    third = repo.commit({"specs/flowmill.yaml": WORKSPACE})
    assert set(commits(repo).values()) == {third}


def test_a_renamed_flow_and_a_deleted_project(repo: GitFolder) -> None:
    first = repo.head
    gone = {"specs/lab/project.yaml": None, "specs/lab/samples.yaml": None}
    second = repo.commit({**gone, "specs/shop/orders.yaml": None, "specs/shop/sales.yaml": flow("shop")})
    assert commits(repo) == {"shop.sales": second, STOCK: first}


def test_a_merge_moves_what_it_brings_and_nothing_else(repo: GitFolder) -> None:
    first = repo.head
    repo.on("feature")
    on_branch = repo.commit({"specs/shop/orders.yaml": flow("shop", cron="5 * * * *")})
    repo.git("switch", "--quiet", "main")
    on_main = repo.commit({"specs/lab/samples.yaml": flow("lab", cron="5 * * * *")})
    repo.merge("feature")
    assert commits(repo) == {ORDERS: on_branch, STOCK: first, SAMPLES: on_main}


def test_main_merged_into_a_branch_that_becomes_main_moves_nothing(repo: GitFolder) -> None:
    repo.on("feature")
    repo.commit({"specs/shop/orders.yaml": flow("shop", cron="5 * * * *")})
    repo.git("switch", "--quiet", "main")
    on_main = repo.commit({"specs/lab/samples.yaml": flow("lab", cron="5 * * * *")})
    repo.git("switch", "--quiet", "feature")
    repo.merge("main")
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--ff-only", "feature")
    assert commits(repo)[SAMPLES] == on_main


def test_a_merge_whose_sides_change_one_plan_together_is_the_pin(repo: GitFolder) -> None:
    first = repo.head
    repo.on("feature")
    repo.commit({"specs/shop/project.yaml": {"defaults": {"cron": "5 * * * *"}}})
    repo.git("switch", "--quiet", "main")
    on_main = repo.commit({"specs/flowmill.yaml": with_default(timezone="America/Chicago")})
    merge = repo.merge("feature")
    assert commits(repo) == {ORDERS: merge, STOCK: repo.git("rev-parse", "feature"), SAMPLES: on_main}
    assert first not in commits(repo).values()


def test_a_link_brings_in_what_it_leads_to(repo: GitFolder) -> None:
    repo.write({"specs/_shared/prices.csv": "1"})
    (repo.root / "specs/lab/data").symlink_to("../_shared")
    repo.commit({})
    first = commits(repo)[ORDERS]
    third = repo.commit({"specs/_shared/prices.csv": "2"})
    assert commits(repo) == {ORDERS: first, STOCK: first, SAMPLES: third}


def test_a_spec_that_is_a_link_dates_from_what_it_leads_to(repo: GitFolder) -> None:
    repo.write({"specs/_shared/cleaning.yaml": flow("lab")})
    (repo.root / "specs/lab/cleaning.yaml").symlink_to("../_shared/cleaning.yaml")
    second = repo.commit({})
    assert commits(repo)["lab.cleaning"] == second
    third = repo.commit({"specs/_shared/cleaning.yaml": flow("lab", cron="5 * * * *")})
    assert commits(repo)["lab.cleaning"] == third
    assert commits(repo)[ORDERS] not in (second, third)


def test_links_that_lead_to_each_other_are_no_trouble(repo: GitFolder) -> None:
    (repo.root / "specs/lab/one").symlink_to("two")
    (repo.root / "specs/lab/two").symlink_to("one/deeper")
    (repo.root / "specs/lab/up").symlink_to("..")
    (repo.root / "specs/lab/here").symlink_to(".")
    first = commits(repo)[STOCK]
    second = repo.commit({"specs/shop/orders.yaml": flow("shop", cron="5 * * * *")})
    # By way of `up`, what lies in any project lies in `lab` as well.
    assert commits(repo) == {ORDERS: second, STOCK: first, SAMPLES: second}
    third = repo.commit({"specs/shop/stock.yaml": flow("shop", cron="5 * * * *")})
    assert commits(repo) == {ORDERS: second, STOCK: third, SAMPLES: third}


def test_a_folder_whose_name_means_something_to_git(tmp_path: Path) -> None:
    repo, name = GitFolder.new(tmp_path), ":(top) my *[s]pecs ä"
    first = repo.commit({file.replace("specs", name): content for file, content in FILES.items()})
    second = repo.commit({f"{name}/lab/data.csv": "1", "my specs/lab/data.csv": "1"})
    found = pinned_commits(repo.root / name, compile_workspace(repo.root / name), "staging")
    assert found == {ORDERS: Pin(first), STOCK: Pin(first), SAMPLES: Pin(second)}


def test_what_is_not_committed_is_named(repo: GitFolder) -> None:
    first, root = repo.head, repo.root / "specs"
    repo.write({"specs/shop/orders.yaml": flow("shop", cron="5 * * * *"), "specs/lab/new.csv": "1"})
    assert pins(repo) == {
        ORDERS: Pin(first, (root / "shop/orders.yaml",)),
        STOCK: Pin(first),
        SAMPLES: Pin(first, (root / "lab/new.csv",)),
    }


def test_a_default_that_is_not_committed_is_named_where_it_changes_the_plan(repo: GitFolder) -> None:
    first, workspace = repo.head, repo.root / "specs/flowmill.yaml"
    repo.write({"specs/flowmill.yaml": with_default(timezone="America/Chicago")})
    changed = Pin(first, (workspace,))
    assert pins(repo) == {ORDERS: changed, STOCK: Pin(first), SAMPLES: changed}


def test_a_flow_that_no_commit_has_is_pinned_to_none(repo: GitFolder) -> None:
    repo.commit({".gitignore": "ignored.yaml\n"})
    repo.write({"specs/shop/new.yaml": flow("shop"), "specs/lab/ignored.yaml": flow("lab")})
    found = pins(repo)
    assert found["shop.new"] == Pin(None, (repo.root / "specs/shop/new.yaml",))
    assert found["lab.ignored"] == Pin(None, (repo.root / "specs/lab/ignored.yaml",))
    assert found[ORDERS].changed == ()


def test_before_the_first_commit_everything_is_uncommitted(tmp_path: Path) -> None:
    repo = GitFolder.new(tmp_path)
    repo.write(FILES)
    assert pins(repo)[SAMPLES].commit is None
    assert tmp_path / "specs/lab/samples.yaml" in pins(repo)[SAMPLES].changed


def test_a_workspace_that_is_the_whole_repository(tmp_path: Path) -> None:
    repo = GitFolder.new(tmp_path)
    first = repo.commit({name.removeprefix("specs/"): content for name, content in FILES.items()})
    second = repo.commit({"lab/samples.yaml": flow("lab", cron="5 * * * *")})
    found = pinned_commits(repo.root, compile_workspace(repo.root), "staging")
    assert {flow: pin.commit for flow, pin in found.items()} == {ORDERS: first, STOCK: first, SAMPLES: second}


def test_a_clone_that_is_cut_off_too_early_is_refused(repo: GitFolder, tmp_path: Path) -> None:
    repo.commit({"specs/shop/orders.yaml": flow("shop", cron="5 * * * *")})
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.root}", tmp_path / "clone")
    with pytest.raises(GitError, match=r"cut off before the last change of `lab.samples` and 2 more.*fetch-depth: 0"):
        pins(GitFolder(tmp_path / "clone"))


def test_a_clone_that_is_cut_off_before_all_changes_is_enough(repo: GitFolder, tmp_path: Path) -> None:
    changed = {"specs/shop/data.csv": "1", "specs/lab/data.csv": "1"}
    second = repo.commit(changed)
    repo.git("clone", "--quiet", "--depth=2", f"file://{repo.root}", tmp_path / "clone")
    assert set(commits(GitFolder(tmp_path / "clone")).values()) == {second}


def test_outside_of_a_repository(tmp_path: Path) -> None:
    root = tmp_path / "specs"
    with pytest.raises(GitError, match="is in no git repository"):
        pinned_commits(root.parent, compile_workspace(root.parent), "staging")


def random_change(chance: random.Random) -> Spec:
    """A change of one file of the workspace, or of two."""
    cron = f"{chance.randrange(4)} * * * *"
    zone = chance.choice(["UTC", "Europe/Berlin"])
    choices: list[Spec] = [
        {"specs/shop/orders.yaml": chance.choice([flow("shop"), flow("shop", cron=cron)])},
        {"specs/shop/stock.yaml": flow("shop", timezone=zone)},
        {"specs/lab/samples.yaml": chance.choice([flow("lab"), flow("lab", cron=cron), "steps: ["])},
        {"specs/shop/project.yaml": chance.choice([{}, {"defaults": {"cron": cron}}, {"description": cron}])},
        {"specs/lab/project.yaml": chance.choice([{}, {"defaults": {"timezone": zone}}])},
        {"specs/flowmill.yaml": chance.choice([WORKSPACE, with_default(timezone=zone), with_default(cron=cron)])},
        {"specs/lab/data.csv": cron},
        {"README.md": cron},
    ]
    return {**chance.choice(choices), **(chance.choice(choices) if chance.random() < 0.2 else {})}


def grow(repo: GitFolder, chance: random.Random, number: int) -> None:
    """Commits on two branches, with merges either way."""
    repo.git("branch", "side")
    for _ in range(number):
        repo.git("switch", "--quiet", chance.choice(["main", "side"]))
        if chance.random() < 0.25:
            other = "side" if repo.git("branch", "--show-current") == "main" else "main"
            repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "-s", "recursive", "-X", "theirs", other)
        else:
            repo.commit(random_change(chance))
    repo.git("switch", "--quiet", "main")


def oracle(repo: GitFolder) -> dict[str, str]:
    """The pins, found by compiling every commit: back to the first parent that is the same, until there is none."""
    repository = Repository(repo.root)
    parents = {words[0]: words[1:] for words in map(str.split, repo.git("log", "--format=%H %P").splitlines())}

    @cache
    def states(commit: str) -> dict[str, tuple[str, str, str]]:
        with extracted(repository, commit, "specs") as folder:
            digests = digests_of(compile_workspace(folder), "staging")
            return {name: (digest, *_files(folder, name)) for name, digest in digests.items()}

    def pin(name: str, commit: str) -> str:
        same = [parent for parent in parents[commit] if states(parent).get(name) == states(commit)[name]]
        return pin(name, same[0]) if same else commit

    return {name: pin(name, repo.head) for name in states(repo.head)}


def _files(folder: Path, name: str) -> tuple[str, str]:
    project, _, flow = name.partition(".")
    data = folder / project / "data.csv"
    return (folder / project / f"{flow}.yaml").read_text(), data.read_text() if data.is_file() else ""


OWN_SETTINGS = {
    "log.diffMerges": "first-parent",
    "log.abbrevCommit": "true",
    "log.decorate": "full",
    "log.follow": "true",
    "log.showRoot": "false",
    "log.showSignature": "true",
    "format.pretty": "oneline",
    "diff.renames": "copies",
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "color.ui": "always",
    "status.showUntrackedFiles": "no",
    "status.relativePaths": "false",
    "status.branch": "true",
    "status.short": "true",
}


def test_a_persons_own_settings_of_git_do_not_count(repo: GitFolder) -> None:
    grow(repo, random.Random(100), 20)
    repo.write({"specs/lab/new.csv": "1"})
    expected = pins(repo)
    assert expected[SAMPLES].changed
    for name, value in OWN_SETTINGS.items():
        repo.git("config", name, value)
    assert pins(repo) == expected


@pytest.mark.parametrize("seed", range(int(os.environ.get("PIN_SEEDS", "6"))))
def test_the_pins_are_those_of_compiling_every_commit(repo: GitFolder, seed: int) -> None:
    grow(repo, random.Random(seed), 25)
    assert commits(repo) == oracle(repo)
