"""`flowmill rules`: the rules that hold in a workspace, and what one of them is about."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._options import COLOUR, style_for, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowmill.lint.registry import Rule
    from flowmill.report.style import Style


@click.command("rules", short_help="List the rules, or tell what one of them is about.")
@click.argument("code", required=False)
@COLOUR
def command(code: str | None, colour: bool | None) -> int:
    """List the rules with what their findings are here; with CODE, tell what a rule is about.

    In a workspace its `lint` in flowmill.yaml counts; elsewhere rules are shown as they are unless set.

    \b
    Examples:
      flowmill rules
      flowmill rules uneven-step
    """
    style = style_for(sys.stdout, colour)
    write(_page(_rule(code), style) if code else _table(style))
    return 0


def _rule(code: str) -> "Rule":
    from flowmill.lint.registry import rules
    from flowmill.suggest import did_you_mean

    if code not in rules():
        raise click.UsageError(f"there is no rule `{code}`; {did_you_mean(code, rules())}")
    return rules()[code]


def _page(rule: "Rule", style: "Style") -> str:
    severity = _severities().get(rule.code, "off")
    return f"{style.paint(rule.code, 'bold')} ({severity})\n\n{rule.page.strip()}\n"


def _table(style: "Style") -> str:
    from flowmill.lint.registry import rules

    width, here = max(map(len, rules())), _severities()
    colours = {"error": "red", "warning": "yellow", "info": "blue", "off": "dim"}
    lines = []
    for code, rule in rules().items():
        severity = here.get(code, "off")
        level = style.paint(severity.ljust(len("warning")), colours[severity])
        lines.append(f"{style.paint(code.ljust(width), 'bold')}  {level}  {rule.summary}")
    return "\n".join(lines) + "\n"


def _severities() -> "Mapping[str, str]":
    """What a finding of each rule is in the workspace around the working directory; one that is off is left out."""
    from flowmill.lint.registry import rules
    from flowmill.lint.settings import active_rules
    from flowmill.workspace import find_root, load

    root = find_root(Path())
    workspace = load(root, frozenset()).spec if root else None
    if workspace is None:
        return {code: rule.severity.value for code, rule in rules().items()}
    return {it.rule.code: it.severity.value for it in active_rules(workspace)[0]}
