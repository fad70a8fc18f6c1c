"""Which rules hold in a workspace, with which options: what `flowmill.yaml` says over what the rules say."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding, Severity
from flowmill.lint.registry import Rule, rules
from flowmill.spec.bind import bind
from flowmill.spec.lint import RuleOptions
from flowmill.spec.workspace import Workspace
from flowmill.suggest import did_you_mean

_OFF = "off"


@dataclass(frozen=True)
class ActiveRule:
    """A rule that is not off."""

    rule: Rule
    options: RuleOptions
    severity: Severity


def active_rules(workspace: Workspace) -> tuple[list[ActiveRule], list[Finding]]:
    """The rules that hold, and what is wrong with the settings; a rule whose options are wrong has its own."""
    chosen: dict[str, RuleOptions] = {}
    findings: list[Finding] = []
    for code, written in workspace.lint.rules.items():
        if code not in rules():
            findings.append(_unknown(code))
            continue
        bound = bind(rules()[code].options, written, ("lint", "rules", code))
        if isinstance(bound, RuleOptions):
            chosen[code] = bound
        else:
            findings += bound
    return list(_active(chosen)), findings


def _unknown(code: str) -> Finding:
    route = ("lint", "rules", code)
    message, fix = f"there is no rule `{code}`", corrected(route, code, rules(), at_key=True)
    return Finding(route, "unknown-rule", message, did_you_mean(code, rules()), at_key=True, fix=fix)


def _active(chosen: Mapping[str, RuleOptions]) -> Iterator[ActiveRule]:
    for code, rule in rules().items():
        options = chosen.get(code) or rule.options()
        if options.severity != _OFF:
            yield ActiveRule(rule, options, Severity(options.severity or rule.severity))
