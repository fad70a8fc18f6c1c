"""The command line: finds the verb, runs it, turns what happened into an exit code.

0 all is well, 1 the specs or the run are wrong, 2 the command line is wrong (or, for plan and drift, something has
changed), 3 we crashed, 130 somebody pressed Ctrl-C.
"""

import importlib
import pkgutil
import sys
from typing import Any

import click

from flowmill import __version__, commands

INTERRUPTED = 130
"""The exit code of a process that ended because of Ctrl-C, by the shells' convention."""


class Verbs(click.Group):
    """The commands are the modules of `flowmill.commands`; only the one that is called is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(info.name for info in pkgutil.iter_modules(commands.__path__) if not info.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from flowmill.suggest import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"there is no command `{args[0]}`; {hint}", ctx) from error


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="flowmill %(version)s")
def cli() -> None:
    """Scheduled jobs as YAML specs, proved and compiled into Prefect flows.

    \b
    Examples:
      flowmill validate                      prove every spec of this workspace
      flowmill run specs/mobility/trips.yaml run a flow now; mail and Slack go to outbox/
      flowmill compile                       print what was decided, as JSON
    """


def main() -> None:
    """The entry point of the installed command."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        from flowmill.commands._options import reader_left

        code = reader_left()
    except Exception as error:  # noqa: BLE001 - the last resort: a crash is reported, not shown
        from flowmill.crash import report_crash

        code = report_crash(error)
    sys.exit(code if isinstance(code, int) else 0)
