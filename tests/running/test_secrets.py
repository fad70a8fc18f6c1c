"""Where a local run finds its secrets, what becomes of them in an environment, and how they are masked."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flowmill.expressions.language import ExpressionError
from flowmill.expressions.render import render
from flowmill.running.environ import environ
from flowmill.running.redaction import Redactor
from flowmill.running.secrets import LocalSecrets, SecretMissing, Secrets
from flowmill_tasks.base import ProcessOutput, StepFailed
from flowmill_tasks.fields import Unrendered
from support.flows import DictSecrets


def secrets_file(folder: Path, text: str) -> Path:
    (folder / ".flowmill").mkdir()
    (folder / ".flowmill" / "secrets.yaml").write_text(text)
    return folder


def test_a_secret_comes_from_a_file_in_a_folder_above(tmp_path: Path) -> None:
    secrets_file(tmp_path, "mail: {host: h}\ntoken: t\n")
    (tmp_path / "specs" / "mobility").mkdir(parents=True)
    store = LocalSecrets(tmp_path / "specs" / "mobility", {})
    assert (store.read("mail"), store.read("token")) == ({"host": "h"}, "t")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('{"host": "h"}', {"host": "h"}, id="a group as JSON"),
        pytest.param("plain", "plain", id="one text"),
        pytest.param("123456", "123456", id="digits stay text"),
    ],
)
def test_a_variable_comes_before_the_file(tmp_path: Path, text: str, value: Any) -> None:
    secrets_file(tmp_path, "team-mail: other\n")
    assert LocalSecrets(tmp_path, {"FLOWMILL_SECRET_TEAM_MAIL": text}).read("team-mail") == value


@pytest.mark.parametrize("content", ["- a list\n", "a: [unclosed hunter2\n", "\x00"])
def test_a_file_that_cannot_be_used_is_told_without_its_content(tmp_path: Path, content: str) -> None:
    with pytest.raises(SecretMissing) as failed:
        LocalSecrets(secrets_file(tmp_path, content), {}).read("a")
    assert "hunter2" not in str(failed.value)


def test_a_missing_secret_is_told_with_both_places_where_it_could_be(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match=r"secrets\.yaml.*FLOWMILL_SECRET_A_B"):
        LocalSecrets(tmp_path, {}).read("a-b")


SERVICES = {"services": {"signs": {"URL": "u", "LIMIT": 3}, "signs to maps": '{"KEY": "k"}', "token": "hunter2"}}


@pytest.mark.parametrize(
    ("group", "variables"),
    [
        pytest.param("services.signs", {"URL": "u", "LIMIT": "3"}, id="a map inside a secret"),
        pytest.param("services.signs to maps", {"KEY": "k"}, id="a key with spaces, whose value is JSON"),
    ],
)
def test_env_from_takes_a_map_inside_a_secret(group: str, variables: dict[str, str]) -> None:
    assert environ({}, [group], SERVICES) == variables
    assert environ({}, [group], {"services": json.dumps(SERVICES["services"])}) == variables


@pytest.mark.parametrize(
    ("group", "message"),
    [
        pytest.param("services.sings", "secret `services` has no key `sings`, which", id="misspelt"),
        pytest.param("services.signs.URL", "secret `services.signs.URL` is one value, but", id="a value"),
        pytest.param("services.token.x", "secret `services.token` has no key `x`, which", id="below a value"),
    ],
)
def test_a_way_into_a_secret_that_leads_nowhere_is_told_without_values(group: str, message: str) -> None:
    with pytest.raises(StepFailed) as failed:
        environ({}, [group], SERVICES)
    assert str(failed.value).startswith(message)
    assert "hunter2" not in str(failed.value)


def test_two_maps_with_one_key_are_refused_as_they_are_written() -> None:
    groups = {"a": {"x": {"KEY": "1"}, "y": {"KEY": "2"}}}
    with pytest.raises(StepFailed, match=r"secrets `a\.x` and `a\.y` both have the key `KEY`"):
        environ({}, ["a.x", "a.y"], groups)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(True, "true", id="boolean"),
        pytest.param(1.5, "1.5", id="number"),
        pytest.param(["a", 1], '["a", 1]', id="list"),
        pytest.param({"b": None, "a": "é"}, '{"a": "é", "b": null}', id="map"),
        pytest.param(datetime(2026, 4, 3, tzinfo=UTC), "2026-04-03T00:00:00+00:00", id="time"),
    ],
)
def test_a_value_of_env_is_never_what_python_calls_it(value: Any, text: str) -> None:
    assert environ({"VALUE": value}, [], {}) == {"VALUE": text}


@pytest.mark.parametrize("value", [None, "a\0b"])
def test_a_value_that_no_environment_can_hold_is_refused_by_name(value: Any) -> None:
    with pytest.raises(StepFailed, match=r"`env\.VALUE` (has no value|holds a NUL)"):
        environ({"VALUE": value}, [], {})


def test_a_secret_that_is_json_has_keys_and_is_a_text() -> None:
    text = '{"key": "hunter2", "more": {"n": 1}, "none": null}'
    scope = {"secrets": Secrets(DictSecrets({"desk": text, "plain": "text"}), Redactor())}

    def value(source: str) -> Any:
        return render(Unrendered(f"${{{{ {source} }}}}"), scope)

    assert value("secrets.desk") == text
    assert value("secrets.desk.key") == value("secrets['desk']['key']") == "hunter2"
    assert value("secrets.desk.more.n") == 1
    for nothing in ("secrets.desk.kee", "secrets.desk.none", "secrets.plain.key"):
        with pytest.raises(ExpressionError):
            value(nothing)


def test_env_from_gives_every_key_as_text_and_env_wins() -> None:
    groups = {"db": {"HOST": "h", "PORT": 5432, "SSL": True, "OPTIONS": {"a": [1]}}}
    assert environ({"HOST": "mine"}, ["db"], groups) == {
        "HOST": "mine",
        "PORT": "5432",
        "SSL": "true",
        "OPTIONS": '{"a": [1]}',
    }


@pytest.mark.parametrize(
    ("groups", "names", "message"),
    [
        pytest.param({"a": {"K": "1"}, "b": {"K": "2"}}, ["a", "b"], "both have the key `K`", id="clash"),
        pytest.param({"a": {"K": None}}, ["a"], "`K` of secret `a` is null", id="null"),
        pytest.param({"a": "text"}, ["a"], "needs a map", id="not a map"),
        pytest.param({"a": {"LD_PRELOAD": "x"}}, ["a"], "LD_PRELOAD", id="i21-loader"),
        pytest.param({"a": {"A=B": "x"}}, ["a"], "not a name", id="i21-equals-sign"),
        pytest.param({"a": {"K": "x\0y"}}, ["a"], "NUL", id="i21-nul"),
    ],
)
def test_what_cannot_be_an_environment_is_refused_by_name(groups: Any, names: list[str], message: str) -> None:
    with pytest.raises(StepFailed, match=message):
        environ({}, names, groups)


VALUE = 'p@ss "word"/1'


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(VALUE, id="as it is"),
        pytest.param(base64.b64encode(VALUE.encode()).decode(), id="base64"),
        pytest.param("p%40ss%20%22word%22%2F1", id="in a URL"),
        pytest.param(json.dumps({"a": VALUE}), id="in JSON"),
    ],
)
def test_i23_a_learnt_value_is_masked_in_every_usual_form(shown: str) -> None:
    redactor = Redactor()
    redactor.learn({"nested": [{"deep": VALUE}]})
    assert "***" in redactor.mask(f"before {shown} after")
    assert "word" not in redactor.mask(shown)


def test_lines_and_addresses_inside_a_value_are_masked_alone_as_well() -> None:
    redactor = Redactor()
    redactor.learn({"key": "-----BEGIN\nabcdefgh\n-----END", "to": "ada@example.org, bob@example.org"})
    assert redactor.mask("got abcdefgh for bob@example.org") == "got *** for ***"


def test_values_under_four_characters_are_left_alone() -> None:
    redactor = Redactor()
    redactor.learn({"n": 1, "yes": True, "nothing": None, "short": "abc"})
    assert redactor.mask("1 True abc") == "1 True abc"


def test_what_a_step_gives_back_is_masked() -> None:
    redactor = Redactor()
    redactor.learn("hunter22")
    masked = redactor.mask_model(ProcessOutput(stdout="it is hunter22", exit_code=0))
    assert masked == ProcessOutput(stdout="it is ***", exit_code=0)


def test_a_group_is_read_once_and_learnt_when_it_is_named() -> None:
    reads: list[str] = []

    class Store:
        def read(self, name: str) -> Any:
            reads.append(name)
            return {"key": "hunter22"}

    redactor = Redactor()
    secrets = Secrets(Store(), redactor)
    assert redactor.mask("hunter22") == "hunter22"
    assert secrets["db"]["key"] == secrets["db"]["key"] == "hunter22"
    assert (reads, redactor.mask("hunter22")) == (["db"], "***")
