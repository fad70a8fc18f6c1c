"""`flowmill diff` tells what flows do differently, which shared key is behind it, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from history.specs import FILES, WORKSPACE, flow, with_default
from support.git import GitFolder
from validating.command import Ran, flowmill


@pytest.fixture
def repo(tmp_path: Path) -> GitFolder:
    made = GitFolder.new(tmp_path / "repo")
    made.commit({"README.md": "words"})
    made.commit(FILES)
    return made


def diff(repo: GitFolder, *arguments: str) -> Ran:
    return flowmill("diff", *arguments, cwd=repo.root)


def data(repo: GitFolder, *arguments: str) -> Any:
    ran = diff(repo, *arguments, "--format", "json")
    assert ran.code == 0, ran.error
    return json.loads(ran.text)


def differences(repo: GitFolder, *arguments: str) -> dict[str, dict[str, Any]]:
    """What has changed, by flow and environment."""
    return {
        f"{it['flow']} {it['environment']}": {
            one["key"]: (one.get("before"), one.get("after")) for one in it["differences"]
        }
        for it in data(repo, *arguments)["changes"]
    }


def steps(*more: dict[str, Any], **keys: Any) -> list[dict[str, Any]]:
    return [{"id": "go", "type": "script", "command": "true", **keys}, *more]


def test_nothing_has_changed(repo: GitFolder) -> None:
    ran = diff(repo, "main", "--exit-code")
    assert (ran.code, ran.text) == (0, "main -> the work tree: nothing has changed, 6 flows the same\n")


def test_a_spec_that_is_written_in_another_way_is_the_same(repo: GitFolder) -> None:
    schedules = [{"cron": "5 6 * * MON-FRI"}]
    repo.commit({"specs/shop/orders.yaml": flow("shop", cron="5 6 * * 1-5", steps=steps(timeout="1m"))})
    repo.write({"specs/shop/orders.yaml": flow("shop", schedules=schedules, steps=steps(timeout="60s", retries=0))})
    assert data(repo, "main")["same"] == 6


def test_what_has_changed_is_told_place_by_place(repo: GitFolder) -> None:
    before = flow("shop", cron="5 6 * * *", env={"MODE": "full"}, parameters={"n": {"type": "integer", "default": 1}})
    after = flow(
        "shop",
        cron="5 7 * * *",
        env={"MODE": "part", "NEW": "1"},
        parameters={"n": {"type": "integer", "default": 2}},
        vars={"x": "1"},
        steps=steps({"id": "tell", "type": "script", "command": "true", "if": "failure()"}, retries=3),
    )
    repo.commit({"specs/shop/orders.yaml": before})
    repo.write({"specs/shop/orders.yaml": after})
    found = differences(repo, "main", "--env", "staging")["shop.orders staging"]
    tell = found.pop("steps.tell")
    assert found == {
        "schedules.schedule-1.cron": ("5 6 * * *", "5 7 * * *"),
        "parameters.n.default": (1, 2),
        "vars.x": (None, "1"),
        "steps.go.env.MODE": ("full", "part"),
        "steps.go.env.NEW": (None, "1"),
        "steps.go.retries": (0, 3),
    }
    assert tell[0] is None
    assert (tell[1]["if"], tell[1]["needs"]) == ("failure()", ["go"])


def test_a_shared_default_is_named_with_the_flows_that_it_touches(repo: GitFolder) -> None:
    repo.write({"specs/flowmill.yaml": with_default(timezone="America/Chicago", all={"retries": 2})})
    shared = data(repo, "main", "--env", "staging")["shared"]
    everybody = ["lab.samples", "shop.orders", "shop.stock"]
    assert shared == [
        {"file": "flowmill.yaml", "key": "defaults.all.retries", "after": "2", "flows": everybody},
        {"file": "flowmill.yaml", "key": "defaults.timezone", "after": "America/Chicago", "flows": everybody[:2]},
    ]


def test_every_kind_of_shared_key_has_its_place(repo: GitFolder) -> None:
    def workspace(number: int) -> Any:
        staging = {"ref": "main", "defaults": {"tags": [f"tag{number}"], "script": {"timeout": number}}}
        return {**WORKSPACE, "environments": {**WORKSPACE["environments"], "staging": staging}}

    def project(number: int) -> Any:
        templates = {"hourly": {"cron": f"{number} * * * *", "env": {"X": f"x{number}"}}}
        return {"owner": f"owner{number}", "defaults": {"skip_if_late": number}, "templates": templates}

    orders = {"specs/shop/orders.yaml": flow("shop", extends="hourly")}
    repo.commit({"specs/flowmill.yaml": workspace(1), "specs/shop/project.yaml": project(1), **orders})
    repo.write({"specs/flowmill.yaml": workspace(2), "specs/shop/project.yaml": project(2)})
    found = {f"{it['file']} {it['key']}": it["flows"] for it in data(repo, "main")["shared"]}
    assert found == {
        "flowmill.yaml environments.staging.defaults.script.timeout": ["lab.samples", "shop.orders", "shop.stock"],
        "flowmill.yaml environments.staging.defaults.tags": ["lab.samples", "shop.orders", "shop.stock"],
        "shop/project.yaml defaults.skip_if_late": ["shop.orders", "shop.stock"],
        "shop/project.yaml owner": ["shop.orders", "shop.stock"],
        "shop/project.yaml templates.hourly.cron": ["shop.orders"],
        "shop/project.yaml templates.hourly.env.X": ["shop.orders"],
    }


def test_a_default_for_one_environment_has_its_place(repo: GitFolder) -> None:
    def project(number: int) -> Any:
        staging = {"tags": [f"tag{number}"], "defaults": {"script": {"retries": number}}}
        handler = {"id": "tell", "type": "script", "command": f"echo {number}"}
        return {"defaults": {"environment": {"staging": staging}, "on_failure": [handler]}}

    orders = {"specs/shop/orders.yaml": flow("shop", environment={"staging": {}})}
    repo.commit({"specs/shop/project.yaml": project(1), **orders})
    repo.write({"specs/shop/project.yaml": project(2)})
    found = {f"{it['file']} {it['key']}": it["flows"] for it in data(repo, "main")["shared"]}
    assert found == {
        "shop/project.yaml defaults.environment.staging.defaults.script.retries": ["shop.orders"],
        "shop/project.yaml defaults.environment.staging.tags": ["shop.orders"],
        "shop/project.yaml defaults.on_failure.tell.command": ["shop.orders", "shop.stock"],
    }


def test_a_key_of_a_template_for_one_environment_has_its_place(repo: GitFolder) -> None:
    def project(number: int) -> Any:
        staging = {"description": f"words {number}", "defaults": {"all": {"timeout": number}}}
        return {"templates": {"t": {"environment": {"staging": staging}}}}

    orders = {"specs/shop/orders.yaml": flow("shop", extends="t", environment={"staging": {}})}
    repo.commit({"specs/shop/project.yaml": project(1), **orders})
    repo.write({"specs/shop/project.yaml": project(2)})
    found = {it["key"]: it["flows"] for it in data(repo, "main")["shared"]}
    assert found == {
        "templates.t.environment.staging.defaults.all.timeout": ["shop.orders"],
        "templates.t.environment.staging.description": ["shop.orders"],
    }


def test_what_a_flow_asks_for_anew_is_the_doing_of_the_flow(repo: GitFolder) -> None:
    slack = {"webhook": "${{ secrets.slack.url }}"}
    project = {"templates": {"hourly": {"cron": "5 * * * *"}}, "defaults": {"slack": slack}}
    repo.commit({"specs/shop/project.yaml": project})
    tell = {"id": "tell", "type": "slack", "text": "done"}
    repo.write({"specs/shop/orders.yaml": flow("shop", extends="hourly", steps=steps(tell))})
    found = data(repo, "main")
    assert [it["flow"] for it in found["changes"]] == ["shop.orders", "shop.orders"]
    assert found["shared"] == []


def test_flows_that_come_and_go_and_move(repo: GitFolder) -> None:
    gone = {"specs/lab/project.yaml": None, "specs/lab/samples.yaml": None}
    production = {"environment": "production", "cron": "5 * * * *"}
    stock = flow("shop", timezone="Europe/Berlin", environment="staging")
    repo.commit({"specs/shop/stock.yaml": stock})
    repo.write({**gone, "specs/shop/new.yaml": flow("shop", **production)})
    repo.write({"specs/shop/stock.yaml": {**stock, "environment": "production"}})
    assert diff(repo, "main").text == (
        "added shop.new in production\n"
        "  on etl-01, 5 * * * * UTC\n\n"
        "removed lab.samples in staging, production\n"
        "  on etl-01, by hand only\n\n"
        "moved shop.stock from staging to production\n\n"
        "main -> the work tree: 1 added, 2 removed, 1 moved, 2 the same\n"
    )


def test_flows_that_have_changed_alike_stand_together(repo: GitFolder) -> None:
    repo.write({"specs/flowmill.yaml": with_default(timezone="America/Chicago")})
    assert diff(repo, "HEAD").text == (
        "changed lab.samples, shop.orders in staging, production\n"
        "  timezone  UTC -> America/Chicago\n\n"
        "shared keys behind this\n"
        "  flowmill.yaml defaults.timezone  - -> America/Chicago\n"
        "    touches 2 flows: lab.samples, shop.orders\n\n"
        "HEAD -> the work tree: 4 changed, 2 the same\n"
    )


def test_long_texts_are_compared_line_by_line(repo: GitFolder) -> None:
    mail = {"id": "mail", "type": "email", "from": "a@example.org", "to": "b@example.org", "subject": "s"}
    smtp = {"smtp": "${{ secrets.mail }}"}
    repo.commit({"specs/lab/samples.yaml": flow("lab", steps=[{**mail, **smtp, "text": "one\ntwo\nthree\n"}])})
    repo.write({"specs/lab/samples.yaml": flow("lab", steps=[{**mail, **smtp, "text": "one\n2\nthree\n"}])})
    assert (
        "  steps.mail.text\n    @@ -1,4 +1,4 @@\n      one\n    - two\n    + 2\n      three\n"
        in diff(repo, "main").text
    )


def test_no_credential_is_shown(repo: GitFolder) -> None:
    def spec(secret: str) -> Any:
        variables = {"db": f"postgres://user:{secret}@host/x", "login": {"password": secret}, "plain": secret[-1]}
        command = ["echo", "${{ vars.db }}", "${{ vars.login.password }}", "${{ vars.plain }}"]
        more = {"id": "new", "type": "script", "command": command} if secret[-1] == "3" else {}
        env = {"DB": "${{ vars.db }}"}
        step = steps(*([more] if more else []), command=command, env={"URL": "${{ vars.db }}"})
        return flow("shop", vars=variables, env=env, parameters={}, steps=step)

    repo.commit({"specs/shop/orders.yaml": spec("hunter2")})
    repo.write({"specs/shop/orders.yaml": spec("hunter3")})
    for ran in (diff(repo, "main"), diff(repo, "main", "--format", "json")):
        assert "hunter" not in ran.text + ran.error
    found = differences(repo, "main")["shop.orders staging"]
    assert found["steps.go.command"] == (["echo", "***", "***", "2"], ["echo", "***", "***", "3"])
    assert found["steps.go.env.DB"] == found["steps.go.env.URL"] == ("***", "***")
    assert found["steps.new"][1]["command"] == ["echo", "***", "***", "3"]
    assert (found["vars.db"], found["vars.plain"]) == (("***", "***"), ("2", "3"))


def test_a_credential_among_shared_keys_is_not_shown(repo: GitFolder) -> None:
    repo.commit({"specs/flowmill.yaml": with_default(vars={"token": "hunter2"})})
    repo.write({"specs/flowmill.yaml": with_default(vars={"token": "hunter3"})})
    ran = diff(repo, "main")
    assert "flowmill.yaml defaults.vars.token  *** -> ***" in ran.text
    assert "hunter" not in ran.text


def test_a_version_that_does_not_compile_is_named(repo: GitFolder) -> None:
    repo.git("tag", "v1")
    repo.commit({"specs/shop/orders.yaml": flow("shop", servr="etl-01")})
    ran = diff(repo, "v1", "main")
    assert (ran.code, ran.text) == (1, "")
    assert ran.error.startswith("main does not compile, so nothing can be compared:\n\nmain:specs/shop/orders.yaml:")
    assert "unknown key `servr`" in ran.error
    ran = diff(repo, "v1")
    assert "the work tree does not compile" in ran.error
    assert "\nspecs/shop/orders.yaml:" in ran.error


def test_before_there_was_a_workspace_there_were_no_flows(repo: GitFolder) -> None:
    ran = diff(repo, "main~1", "main")
    assert "there is no flowmill.yaml in main~1" in ran.error
    assert ran.text.endswith("main~1 -> main: 6 added, 0 the same\n")
    assert diff(repo, "main", "main~1").text.endswith("main -> main~1: 6 removed, 0 the same\n")


@pytest.mark.parametrize("folder", [".flows", "a/.flows", "."])
def test_a_workspace_in_a_folder_whose_name_begins_with_a_dot(tmp_path: Path, folder: str) -> None:
    made = GitFolder.new(tmp_path / "dotted")
    files = {path.replace("specs", folder, 1): it for path, it in FILES.items()}
    made.commit(files)
    ran = flowmill("diff", "main", cwd=made.root / folder)
    assert (ran.error, ran.text) == ("", "main -> the work tree: nothing has changed, 6 flows the same\n")
    made.commit({f"{folder}/shop/orders.yaml": flow("shop", servr="etl-01")})
    shown = "" if folder == "." else f"{folder}/"
    assert f"main:{shown}shop/orders.yaml:" in flowmill("diff", "main~1", "main", cwd=made.root / folder).error


def test_exit_codes(repo: GitFolder) -> None:
    repo.write({"specs/lab/samples.yaml": flow("lab", cron="5 * * * *")})
    assert diff(repo, "main").code == 0
    assert diff(repo, "main", "--exit-code").code == 1
    assert diff(repo, "main", "--exit-code", "--format", "json").code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mian",), "git knows no commit `mian`; did you mean `main`?"),
        (("main", "--env", "prod"), "there is no environment `prod`; did you mean `production`?"),
        (("a\x1b[31mb",), r"git knows no commit `a\x1b[31mb`"),
        (("--", "--output=x"), "git knows no commit `--output=x`"),
        ((), "Missing argument 'REF1'"),
    ],
)
def test_a_wrong_command_line(repo: GitFolder, arguments: tuple[str, ...], message: str) -> None:
    ran = diff(repo, *arguments)
    assert ran.code == 2
    assert message in ran.error


def test_outside_of_a_repository(repo: GitFolder, tmp_path: Path) -> None:
    (repo.root / ".git").rename(tmp_path / "elsewhere")
    ran = diff(repo, "main")
    assert ran.code == 1
    assert "is in no git repository: there is nothing to compare with" in ran.error


def test_no_text_can_steer_the_terminal(repo: GitFolder) -> None:
    repo.write({"specs/lab/samples.yaml": flow("lab", description="a\u202eb", cron="5 * * * *")})
    ran = diff(repo, "main", "--color")
    assert "\u202e" not in ran.text + ran.error
