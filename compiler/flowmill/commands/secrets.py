"""`flowmill secrets`: what flows need of a Prefect server's secrets, and setting one."""

import json
import sys
from pathlib import Path

import click

from flowmill.commands._compiled import compiled_or_told, plans_in
from flowmill.commands._options import COLOUR, ENVIRONMENT, PATHS, TEXT_OR_JSON, write
from flowmill.commands._server import server


@click.group("secrets", short_help="Show which secrets a server lacks, or set one.")
def command() -> None:
    """The secrets of the Prefect server that PREFECT_API_URL names: blocks, by their names.

    \b
    Examples:
      flowmill secrets check --env production
      flowmill secrets set mail --json < mail.json
    """


@command.command("check", short_help="Show which secrets flows need, and what the server lacks.")
@PATHS
@ENVIRONMENT
@TEXT_OR_JSON
@COLOUR
def check(paths: tuple[Path, ...], environment: str, output: str, colour: bool | None) -> int:
    """Show every secret that the flows of an environment need, and what the server lacks of them.

    The exit code is 1 when something is lacking. No value is ever shown.

    \b
    Examples:
      flowmill secrets check --env production
      flowmill secrets check specs/shop --env staging --format json
    """
    compiled = compiled_or_told(paths, colour)
    if compiled is None:
        return 1
    plans = plans_in(compiled, environment)
    from flowmill.backend.secret_check import looked
    from flowmill.report.secret_needs import as_data, as_text
    from flowmill.secrets.needs import needs
    from flowmill_tasks.registry import discover

    with server() as connection:
        found, address = looked(connection, needs(plans, discover())), connection.address
    data = as_data(found, environment, address)
    write(json.dumps(data, ensure_ascii=False, indent=2) + "\n" if output == "json" else as_text(found, address))
    return 1 if any(it.problems for it in found) else 0


@command.command("set", short_help="Set a secret, read from standard input.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The value is the JSON of a map: a secret with keys.")
def set_secret(name: str, as_json: bool) -> int:
    """Let the Secret block NAME hold what standard input gives; on a terminal it is asked for, and not shown.

    The value is never an argument, so neither other users nor the history of a shell see it. A line break at its
    end is dropped. What the block held before is replaced.

    \b
    Examples:
      flowmill secrets set warehouse-token < token.txt
      flowmill secrets set mail --json < mail.json
      flowmill secrets set slack               asks for the value
    """
    from flowmill.backend.block_documents import NAME, NAME_RULE, keep

    if not NAME.fullmatch(name):
        raise click.UsageError(f"`{name}` cannot be the name of a block: only {NAME_RULE}")
    value = _value(name)
    if as_json:
        _check_map(value)
    with server() as connection:
        replaced = keep(connection, name, value)
        write(
            f"{'replaced' if replaced else 'made'} the secret `{name}` on the Prefect server at {connection.address}\n"
        )
    return 0


def _value(name: str) -> str:
    """What the user gives, without a line break at its end."""
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True, confirmation_prompt=True, err=True))
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise click.ClickException("standard input is not text in UTF-8") from None
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise click.ClickException(f"standard input is empty; `flowmill secrets set {name} < FILE` gives a value")
    return value


def _check_map(text: str) -> None:
    """
    Raises:
        click.ClickException: the text is not the JSON of a map; its content is not in the message.
    """
    try:
        keys = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise click.ClickException(f"standard input is not JSON: see {error.lineno}:{error.colno}") from None
    except (ValueError, RecursionError):
        raise click.ClickException("standard input is not JSON: it has a number that JSON has not, or no end") from None
    if not isinstance(keys, dict):
        raise click.ClickException('standard input is not a map of keys, such as {"user": "…", "password": "…"}')


def _no_constant(word: str) -> None:
    raise ValueError(word)
