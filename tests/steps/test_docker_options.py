"""What a spec may say in a `docker` step, and what it may not; no engine is needed."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flowmill_tasks._docker_container import EngineUnreachable
from flowmill_tasks.base import StepFailed
from flowmill_tasks.docker import Docker, split_command
from flowmill_tasks.fields import Plain, Redacted, Rendered, Unrendered
from support.steps import run_step, step_run


def step(**keys: Any) -> Docker:
    return Docker.model_validate({"image": Plain("busybox:1"), **keys})


def errors_of(**keys: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        step(**keys)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("privileged", Plain("true"), id="i17-privileged"),
        pytest.param("privileged", Plain("false"), id="i17-privileged-even-if-false"),
        pytest.param("--privileged", Plain("true"), id="i17-privileged-as-on-a-command-line"),
        pytest.param("cap_add", ["SYS_ADMIN"], id="i17-cap_add"),
        pytest.param("cap-add", ["ALL"], id="i17-cap-add-with-a-dash"),
        pytest.param("devices", ["/dev/sda"], id="i17-devices"),
        pytest.param("gpus", Plain("all"), id="i17-gpus"),
        pytest.param("security_opt", ["seccomp=unconfined"], id="i17-security_opt"),
        pytest.param("pid", Plain("host"), id="i17-pid"),
        pytest.param("ipc", Plain("host"), id="i17-ipc"),
        pytest.param("ipc_mode", Plain("host"), id="i17-ipc_mode"),
        pytest.param("uts", Plain("host"), id="i17-uts"),
        pytest.param("userns", Plain("host"), id="i17-userns"),
        pytest.param("userns_mode", Plain("host"), id="i17-userns_mode"),
        pytest.param("network_mode", Plain("host"), id="i17-network_mode"),
        pytest.param("volumes_from", ["other"], id="i17-volumes_from"),
        pytest.param("mounts", [{"type": "bind"}], id="i17-mounts"),
        pytest.param("cgroup_parent", Plain("/"), id="i17-cgroup_parent"),
        pytest.param("runtime", Plain("runc"), id="i17-runtime"),
        pytest.param("sysctls", {}, id="i17-sysctls"),
    ],
)
def test_an_option_that_opens_the_machine_is_refused_by_name(key: str, value: Any) -> None:
    [(route, message)] = errors_of(**{key: value})
    assert (route, message) == ((key,), "Extra inputs are not permitted")
    assert Docker.refused_keys[key.strip("-").replace("-", "_")]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("network", Plain("host"), id="i17-network-host"),
        pytest.param("network", Plain("container:other"), id="i17-network-of-a-container"),
        pytest.param("volumes", ["/var/run/docker.sock:/s"], id="i17-socket-of-the-engine"),
        pytest.param("volumes", ["/:/machine"], id="i17-mount-of-the-root"),
        pytest.param("volumes", ["/etc:/x:ro"], id="i17-mount-of-etc"),
        pytest.param("volumes", ["~/.ssh:/x"], id="i17-mount-of-a-home"),
        pytest.param("volumes", ["./a:/x:rw,z"], id="mount-options"),
        pytest.param("volumes", ["./a:/x:/y"], id="mount-with-a-third-path"),
        pytest.param("volumes", ["./a"], id="mount-without-a-target"),
        pytest.param("volumes", [":/x"], id="mount-without-a-source"),
        pytest.param("volumes", ["./a:x"], id="mount-on-a-relative-target"),
        pytest.param("volumes", ["./a://"], id="mount-over-everything"),
        pytest.param("volumes", ["./a:/flowmill-result"], id="mount-on-the-result"),
        pytest.param("volumes", ["a:///./flowmill-result/x/"], id="mount-below-the-result"),
        pytest.param("volumes", ["./a:/x/../.."], id="mount-with-dots-in-the-target"),
        pytest.param("volumes", ["-v:/x"], id="volume-that-looks-like-an-option"),
        pytest.param("image", Plain("-v/:/h"), id="i18-image-that-looks-like-an-option"),
        pytest.param("image", Plain("--privileged"), id="i18-image-that-is-an-option"),
        pytest.param("image", Plain("https://a/b"), id="image-with-a-scheme"),
        pytest.param("image", Plain("a b"), id="image-with-a-space"),
        pytest.param("image", Plain("Upper"), id="image-in-capitals"),
        pytest.param("image", "", id="no-image"),
        pytest.param("user", Plain("-u 0"), id="user-that-looks-like-an-option"),
        pytest.param("working_dir", Plain("app"), id="relative-folder"),
        pytest.param("memory", Plain("1m"), id="less-memory-than-the-engine-grants"),
        pytest.param("cpus", Plain("0"), id="no-processor"),
        pytest.param("cpus", Plain(".inf"), id="endless-processors"),
        pytest.param("pids_limit", Plain("-1"), id="endless-processes"),
        pytest.param("pull", Plain("sometimes"), id="unknown-pull-policy"),
        pytest.param("command", Plain(""), id="empty-command"),
        pytest.param("command", Plain("echo 'a"), id="open-quote"),
        pytest.param("command", [Plain("a"), "\0"], id="nul-in-an-argument"),
        pytest.param("registry", {"username": "u", "password": "p"}, id="password-in-the-spec"),
        pytest.param("registry", {"username": "u"}, id="login-without-a-password"),
    ],
)
def test_a_value_is_refused_at_its_place(key: str, value: Any) -> None:
    [(route, _)] = errors_of(**{key: value})
    assert route[0] == key


def test_a_value_from_an_expression_is_checked_like_a_written_one() -> None:
    rendered = {"volumes": [Rendered("/etc:/x")], "network": Rendered("host"), "memory": Rendered("1")}
    assert {route[0] for route, _ in errors_of(**rendered)} == {"volumes", "network", "memory"}


def test_a_refused_option_hides_no_other_problem() -> None:
    found = dict(errors_of(privileged=Plain("true"), pul=Plain("once"), pull=Plain("x"), cpus="1"))
    assert set(found) == {("privileged",), ("pul",), ("pull",), ("cpus",)}


@pytest.mark.parametrize(
    "image",
    ["busybox", "python:3.12-slim", "team/etl:production", "ghcr.io/a/b_c/d.e:1", "localhost:5000/x",
     f"x@sha256:{'0' * 64}", f"host.example:1/x/y:2@sha256:{'a' * 64}"],
)  # fmt: skip
def test_an_image_may_be_named_with_registry_tag_and_digest(image: str) -> None:
    assert step(image=Plain(image)).image == image


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        pytest.param("python load.py", ["python", "load.py"], id="words"),
        pytest.param("""a "b c" 'd "e' f\\ g""", ["a", "b c", 'd "e', "f g"], id="quotes-and-escapes"),
        pytest.param("a\n  --b\n", ["a", "--b"], id="lines"),
        pytest.param('a ""', ["a", ""], id="empty-argument"),
        pytest.param('echo "a b" ${{ x }}', ["echo", "a b", "${{ x }}"], id="expression"),
        pytest.param("a --n=${{ x }}-${{ y }}", ["a", "--n=${{ x }}-${{ y }}"], id="two-in-one-argument"),
        pytest.param("a ${{ x | default('b c') }}", ["a", "${{ x | default('b c') }}"], id="quotes-inside"),
        pytest.param("a '${{ x ~ \" '}} \" }} b'", ["a", '${{ x ~ " \'}} " }} b'], id="closing-in-a-string"),
        pytest.param("a ${{ 'it\\'s }}' }} b", ["a", "${{ 'it\\'s }}' }}", "b"], id="escaped-quote-inside"),
        pytest.param("a '$${{ x' b", ["a", "$${{ x", "b"], id="literal-opening"),
        pytest.param("a ${{ x 'b", ["a", "${{ x 'b"], id="open-expression-is-left-to-be-reported"),
    ],
)
def test_a_command_is_split_before_values_are_put_in(written: str, arguments: list[str]) -> None:
    assert split_command(Plain(written)) == arguments
    waiting = split_command(Unrendered(written))
    assert waiting == arguments
    assert [type(item) for item in waiting] == [Unrendered if "${{" in item else str for item in arguments]


def test_only_a_text_is_split() -> None:
    items = [Plain("a b"), Rendered("c d; e"), Plain("3")]
    assert step(command=items, entrypoint=items).command == ["a b", "c d; e", "3"]


def test_every_key_waits_for_an_expression() -> None:
    waiting = Unrendered("${{ parameters.x }}")
    keys = ("image", "working_dir", "network", "user", "memory", "cpus", "pids_limit", "pull", "registry")
    made = step(**dict.fromkeys(keys, waiting), volumes=[waiting], command=waiting, entrypoint=waiting)
    assert {type(getattr(made, key)) for key in keys} == {Unrendered}
    assert made.volumes == made.command == made.entrypoint == [waiting]
    assert made.problems(Path("/"), Path("/")) == []


def test_what_a_plan_keeps_as_json_gives_the_same_step() -> None:
    written = {"memory": Plain("1g"), "cpus": Plain("2"), "pull_retry_delay": Plain("5m")}
    login = {"username": Plain("me"), "password": Unrendered("${{ secrets.token }}")}
    made = step(**written, command="a 'b c'", volumes=["./a:/b"], registry=login)
    kept = json.loads(json.dumps(made.model_dump(mode="json", by_alias=True, exclude_unset=True)))
    assert kept["command"] == ["a", "b c"]
    kept["registry"]["password"] = Unrendered(kept["registry"]["password"])
    assert Docker.model_validate(kept) == made


def test_a_login_may_be_the_content_of_prefects_block() -> None:
    block = {"username": "me", "password": "canary-1", "registry_url": "ghcr.io", "reauth": "true"}
    login = step(registry={key: Rendered(value) for key, value in block.items()}).registry
    assert login
    assert (login.username, login.url, login.password.reveal()) == ("me", "ghcr.io", "canary-1")
    assert isinstance(login.password, Redacted)
    assert "canary-1" not in repr(login)


def test_what_is_mounted_must_lie_in_the_project(tmp_path: Path) -> None:
    specs = tmp_path / "project" / "specs"
    (specs / "data").mkdir(parents=True)
    (specs / "script.py").touch()
    (specs / "link").symlink_to("/etc")
    volumes = ["./data:/a", "../specs/script.py:/b", "cache:/c", "../..:/d", "./link:/e", "./no:/f"]
    made = step(volumes=[*volumes, "script.py:/g", Unrendered("${{ x }}:/h")])
    found = made.problems(specs, tmp_path / "project")
    assert [route for route, _ in found] == [("volumes", index) for index in (3, 4, 5, 6)]
    assert [message.split("`")[1] for _, message in found] == ["../..", "./link", "./no", "script.py"]
    run = step_run(specs, root=tmp_path / "project")
    with pytest.raises(StepFailed, match=r"cannot mount: `\.\./\.\.` leads out of the project") as caught:
        run_step(made, run)
    assert caught.value.permanent


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_an_odd_name_of_a_variable_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StepFailed, match="cannot be set") as caught:
        run_step(step(), step_run(tmp_path, environ={name: "canary-1"}))
    assert "canary-1" not in str(caught.value)


def test_the_preview_is_a_command_line_without_values(tmp_path: Path) -> None:
    made = step(
        command=["echo", "a b", "$HOME"],
        entrypoint=["sh", "-c"],
        volumes=["./a:/a:ro"],
        memory=Plain("64m"),
        cpus=Plain("1.5"),
        user=Plain("1000"),
    )
    run = step_run(tmp_path, environ={"TOKEN": "canary-1", "MODE": "x"})
    assert made.preview(run) == [
        "docker pull busybox:1",
        "docker run --rm --init --cap-drop=ALL --security-opt=no-new-privileges --memory=67108864"
        " --pids-limit=512 --cpus=1.5 --user=1000 --volume=./a:/a:ro --env=TOKEN --env=MODE"
        " --entrypoint=sh busybox:1 -c echo 'a b' '$HOME'",
    ]
    [line] = step(pull=Plain("never"), entrypoint=[]).preview(step_run(tmp_path))
    assert line.endswith("--entrypoint= busybox:1")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        pytest.param("unix:///tmp/flowmill-no-engine.sock", "no such file", id="x13-no-socket"),
        pytest.param("tcp://127.0.0.1:9", "connection refused", id="x13-nobody-listens"),
        pytest.param("tcp://me:canary-1@127.0.0.1:9", "invalid bind", id="x13-password-in-the-address"),
        pytest.param("nonsense://x", "invalid bind address", id="x13-no-address"),
    ],
)
def test_an_engine_that_is_not_there_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, said: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineUnreachable, match=said) as caught:
        run_step(step(pull=Plain("missing")), step_run(tmp_path), timeout=3)
    assert "the Docker engine at `" in caught.value.message
    assert "canary-1" not in caught.value.message
