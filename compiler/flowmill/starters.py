"""What `flowmill new` writes: a workspace, a project, a flow with its tests, ready to be changed.

The step of a flow is its type's own `starter`.

Every text validates as it is. `$name` is filled in; all other braces and dollars belong to the language.
"""

import yaml

from flowmill_tasks.fields import Plain, core_value

WORKSPACE = """\
# What the flows of every project share.
# Flows are in folders beside this file: <project>/<flow>.yaml.
timezone: UTC                      # the zone of every schedule that names none, such as Europe/Berlin

environments:                      # the stages that flows are deployed to, each with the branch that it follows
  staging: {ref: main}
  production: {ref: production}

servers:                           # the machines that have a worker; a flow names one of them
  server-01: {description: change me}

# Keys that every flow inherits, and keys for every step of a type. A project can have `defaults` as well.
# defaults:
#   email: {from: flows@example.org, smtp: "${{ secrets.mail }}"}
#   slack: {webhook: "${{ secrets.slack.url }}"}
"""

PROJECT = """\
# What the flows of this project share: they are the files beside this one.
description: $project, in one sentence
owner: somebody@example.org        # who answers for its flows
# defaults: {env: {REGION: eu}}    # keys that its flows inherit
"""

FLOW = """\
# A flow: steps that run in order, each when the one before it has succeeded.
project: $project
description: $flow, in one sentence
environment: $environments
server: $server
# cron: "30 6 * * MON-FRI"         # when it runs by itself; without it, by hand only
steps:
$steps
# on_failure:                      # what to do once when a step has failed
#   - {type: slack, webhook: "${{ secrets.slack.url }}", text: "${{ flow.name }} failed at ${{ failure.step }}"}
"""

TESTS = """\
# What the flow does: `flowmill test` runs these without starting anything.
tests:
  - name: an ordinary run
    expect:
      state: success
$expected
"""


def spelt(name: str) -> str:
    """A name as YAML spells it: in quotes where it would be read as something else, as `null` would."""
    plain = yaml.safe_load(name) == name and core_value(Plain(name)) == name
    return name if plain else f'"{name}"'


def filled(text: str, **values: str) -> str:
    """The text with its own names filled in; `$${{` and `$1` of the language stay."""
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return text
