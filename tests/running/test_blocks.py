"""Secrets in Prefect's blocks, on a real server."""

from pathlib import Path
from typing import Any

import pytest
from prefect.blocks.core import Block
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.system import Secret
from pydantic import SecretStr

from flowmill.backend.blocks import BlockSecrets
from flowmill.running.secrets import FirstOf, LocalSecrets, SecretMissing
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect


class EmailServerCredentials(Block):
    """The fields of the block of that name in prefect-email; Prefect makes the slug from the type's name."""

    _block_type_name = "Email Server Credentials"

    username: str
    password: SecretStr
    smtp_server: str


BLOCKS: dict[str, tuple[Block, Any]] = {
    "one-text": (Secret(value="hunter22"), "hunter22"),
    "a-group": (Secret(value={"HOST": "h", "PORT": 5432}), {"HOST": "h", "PORT": 5432}),
    "team-mail": (
        EmailServerCredentials(username="u", password=SecretStr("hunter22"), smtp_server="smtp.example.org"),
        {"username": "u", "password": "hunter22", "smtp_server": "smtp.example.org"},
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_name_stands_for_the_block_of_that_name(prefect_server: PrefectServer, name: str) -> None:
    block, value = BLOCKS[name]
    block.save(name, overwrite=True)
    found = BlockSecrets().read(name)
    assert found.items() >= value.items() if isinstance(value, dict) else found == value


def test_a_webhook_has_its_url(prefect_server: PrefectServer) -> None:
    SlackWebhook(url="https://hooks.slack.com/services/a/b/c").save("alerts", overwrite=True)
    assert BlockSecrets().read("alerts")["url"] == "https://hooks.slack.com/services/a/b/c"


def test_a_local_secret_comes_first_and_a_missing_one_names_every_place(
    prefect_server: PrefectServer, tmp_path: Path
) -> None:
    Secret(value="of the server").save("both", overwrite=True)
    store = FirstOf(LocalSecrets(tmp_path, {"FLOWMILL_SECRET_BOTH": "of this machine"}), BlockSecrets())
    assert store.read("both") == "of this machine"
    with pytest.raises(SecretMissing, match=r"FLOWMILL_SECRET_NOWHERE.*no block of Prefect is called"):
        store.read("nowhere")
