"""One file per rule, called like its code: `too_often.py` holds the rule `too-often`.

A new rule is a new module here; nothing else is edited. It holds

- `SEVERITY`, unless `flowmill.yaml` says otherwise, and `SUMMARY`, one sentence;
- a docstring, which is the rule's page: what goes wrong, and what to write instead;
- `check(flow, options)`, which yields a `Finding` per problem of a `LintedFlow`; or `check_fleet(fleet, options)`,
  which yields a `Placed` finding per problem that only all flows of a `Fleet` together have;
- `Options`, a model derived from `RuleOptions`, where the rule has options: `options` is one of those then.

A module whose name begins with `_` is no rule. Each rule needs a case in `tests/golden/err` and a near miss in
`tests/golden/ok`, both called like it.
"""
