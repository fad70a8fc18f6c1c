"""Where the Prefect server is, in words that may be shown."""

from typing import Any

import httpx
from prefect.settings import get_current_settings


def shown(url: Any) -> str:
    """The address without a name and a password that may stand in it."""
    return str(httpx.URL(str(url)).copy_with(username=None, password=None))


def address() -> str:
    """The address that Prefect's settings name, as it may be shown."""
    url = get_current_settings().api.url
    return shown(url) if url else "this machine"
