"""What is said before anything is written: secrets, versions, a server that is open to anybody."""

import json
import os

import prefect
import pytest
from prefect.blocks.system import Secret

from flowmill.backend.preflight import openness, versions
from support.desk import Desk
from support.flows import script
from support.prefect_server import addressed

pytestmark = pytest.mark.prefect


def test_a_secret_that_the_server_lacks_is_told_and_none_is_read(desk: Desk) -> None:
    there, lacking = (f"{word}-{os.urandom(4).hex()}" for word in ("there", "lacking"))
    with addressed(desk.server):
        Secret(value="osprey-4411").save(there)  # type: ignore[arg-type]  # a text becomes a secret
    texts = [f"${{{{ secrets['{name}'] }}}}" for name in (there, lacking)]
    desk.write(one={"steps": [script("work", env={"A": texts[0], "B": texts[1]})]})
    ran = desk.register()
    assert f"warning: the secret `{lacking}` is lacking, for demo.one" in ran.stdout
    assert f"`flowmill secrets set {lacking}` makes one" in ran.stdout
    assert f"`{there}`" not in ran.stdout
    asked = [json.loads(it.body) for it in desk.proxy.requests if it.path.startswith("/block_documents/filter")]
    assert [it["include_secrets"] for it in asked] == [False] * len(asked) != []
    assert desk.writes("register") == []


def test_both_releases_of_prefect_are_named(desk: Desk) -> None:
    desk.write(one={})
    assert f"(Prefect {prefect.__version__})" in desk.register().stdout


@pytest.mark.parametrize(
    ("server", "is_told"),
    [("3.1.4", True), ("2.20.16", True), (prefect.__version__, False), ("3.99.0", False), ("", False)],
)
def test_a_server_that_is_older_is_told(server: str, is_told: bool) -> None:
    found = [it.message for it in versions(server)]
    assert found == ([f"the server is Prefect {server}, and this is Prefect {prefect.__version__}"] if is_told else [])


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://127.0.0.1:4200/api", []),
        ("http://localhost:4200/api", []),
        ("http://[::1]:4200/api", []),
        (
            "http://prefect.example.org:4200/api",
            ["what is sent to prefect.example.org is not encrypted", "the server at prefect.example.org lets anybody"],
        ),
        ("https://prefect.example.org/api", ["the server at prefect.example.org lets anybody"]),
    ],
)
def test_i27_a_server_elsewhere_that_is_not_protected_is_told(address: str, told: list[str]) -> None:
    found = [it.message for it in openness(address)]
    assert [message for message, start in zip(found, told, strict=True) if message.startswith(start)] == found
