"""The token of a private repository, looked for before the code is fetched.

Prefect puts it in by itself, and where there is none it only says in the worker's own output why the run crashed.
"""

from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run as current
from prefect.states import Failed


class TokenMissing(Exception):
    """The Prefect server has no block with the token; the message says what to do."""


def look_for_token(block: str) -> None:
    """Let the run fail, in words that people see on the Prefect server, where there is no such block.

    Raises:
        TokenMissing: there is none, and the run has failed.
    """
    with get_client(sync_client=True) as client:
        try:
            client.read_block_document_by_name(block, "secret", include_secrets=False)
        except ObjectNotFound:
            reason = (
                f"the specs cannot be fetched: there is no Secret block `{block}` on the Prefect server, which "
                f"`repository_token` in flowmill.yaml names; `flowmill secrets set {block}` makes it"
            )
            client.set_flow_run_state(UUID(current.id), Failed(message=reason))
            raise TokenMissing(reason) from None
