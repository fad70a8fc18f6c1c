"""Secrets in Prefect's blocks: a name stands for the block of that name, whichever of the known types it has.

Blocks are read through the API as plain documents, so the collections that define their types (prefect-email,
prefect-slack, prefect-docker) need not be installed here.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound

from flowmill.running.runtime import Runtime
from flowmill.running.secrets import FirstOf, SecretMissing

WHOLE_VALUE = ("secret", "json")
"""Types of blocks, by their slugs, whose field `value` is the secret: a text, or a map of keys."""
FIELDS = ("email-server-credentials", "slack-webhook", "slack-credentials", "docker-registry-credentials")
"""Types of blocks whose fields are the keys of the secret."""


class BlockSecrets:
    """A `SecretStore` on the Prefect server that the run uses."""

    def read(self, name: str) -> Any:
        """The value of the block called `name`.

        Raises:
            SecretMissing: no block of a known type has that name, or the server cannot be asked.
        """
        try:
            with get_client(sync_client=True) as client:
                return next(self._values(client, name))
        except StopIteration:
            raise SecretMissing(f"no block of Prefect is called `{name}` either") from None
        except httpx.HTTPError as error:
            kind = type(error).__name__
            raise SecretMissing(f"Prefect cannot be asked for a block `{name}` ({kind})") from None

    def _values(self, client: SyncPrefectClient, name: str) -> Iterator[Any]:
        for slug in (*WHOLE_VALUE, *FIELDS):
            with suppress(ObjectNotFound):
                block = client.read_block_document_by_name(name, slug, include_secrets=True)
                yield block.data["value"] if slug in WHOLE_VALUE else dict(block.data)


def with_blocks(runtime: Runtime) -> Runtime:
    """The runtime with Prefect's blocks behind its own secrets."""
    return replace(runtime, secrets=FirstOf(runtime.secrets, BlockSecrets()))
