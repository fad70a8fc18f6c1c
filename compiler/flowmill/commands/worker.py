"""`flowmill worker`: pick up and run the flows of a server in an environment."""

from typing import TYPE_CHECKING

import click

from flowmill.commands._declared import workspace_spec
from flowmill.commands._options import reader_left, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowmill.spec.workspace import Workspace


@click.command("worker", short_help="Run the flows of a server and an environment.")
@click.option("--server", required=True, help="The server of flowmill.yaml that this machine is.")
@click.option("--env", "environment", required=True, help="The environment whose runs it takes.")
@click.option("--name", help="The worker's name on the Prefect server.  [default: HOST-SERVER-ENV]")
@click.option("--limit", type=click.IntRange(min=1), help="How many runs at once; as many as come when left out.")
@click.option("--no-workspace", is_flag=True, help="Do without specs: the Prefect server is asked for queues.")
def command(server: str, environment: str, name: str | None, limit: int | None, no_workspace: bool) -> int:
    """Take the runs of one server in one environment from the Prefect server, and run them here, until it is stopped.

    Runs and containers whose process has died on this machine are cleared up: at the start, every 30 s, at the end.
    SIGTERM and Ctrl-C stop it, with its runs; a second one at once.

    \b
    Examples:
      flowmill worker --server reports-01 --env production
      flowmill worker --server reports-01 --env staging --limit 4
      flowmill worker --server reports-01 --env production --no-workspace
    """
    queues = None if no_workspace else _declared(server, environment)
    _check_names(server, environment, name)
    from flowmill.backend.worker import Wanted, WorkerRefused, run_worker

    wanted = Wanted(server, environment, name or _default_name(server, environment), queues, limit)
    try:
        return 0 if run_worker(wanted, _tell) else 1
    except WorkerRefused as error:
        raise click.ClickException(str(error)) from None


def _declared(label: str, environment: str) -> "Mapping[str, int | None]":
    """The queues that flowmill.yaml gives the server in the environment, with how many runs at once each allows.

    Raises:
        click.UsageError: it does not declare them, or the server does not serve the environment.
    """
    from flowmill.registering.targets import queue_of
    from flowmill.suggest import did_you_mean

    workspace = _workspace()
    server = workspace.servers.get(label)
    if server is None:
        raise click.UsageError(f"there is no server `{label}`; {did_you_mean(label, workspace.servers)}")
    if environment not in workspace.environments:
        hint = did_you_mean(environment, workspace.environments)
        raise click.UsageError(f"there is no environment `{environment}`; {hint}")
    if server.environments is not None and environment not in server.environments:
        served = ", ".join(server.environments)
        raise click.UsageError(f"server `{label}` does not serve the environment `{environment}`, only: {served}")
    named = {queue_of(environment, name): queue.concurrency for name, queue in server.queues.items()}
    return {queue_of(environment): None, **named}


def _workspace() -> "Workspace":
    try:
        return workspace_spec()
    except click.UsageError as error:
        raise click.UsageError(f"{error.message}; --no-workspace does without") from None


def _check_names(server: str, environment: str, name: str | None) -> None:
    import re

    from flowmill.spec.values import NAME, NAME_RULE

    for word in (server, environment):
        if not NAME.fullmatch(word):
            raise click.UsageError(f"`{word}` is not a name; {NAME_RULE}")
    if name is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", name):
        hint = "use letters, digits, `.`, `_` and `-`, beginning with a letter or digit, at most 128"
        raise click.UsageError(f"`{name}` is not a name for a worker; {hint}")


def _default_name(server: str, environment: str) -> str:
    import platform

    return f"{platform.node() or 'worker'}-{server}-{environment}"


def _tell(line: str) -> None:
    """Print, and go on working when nobody reads any more."""
    from flowmill.report.style import printable

    try:
        write(f"{printable(line)}\n")
    except BrokenPipeError:
        reader_left()
