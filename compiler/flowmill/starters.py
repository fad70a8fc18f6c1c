"""What `flowmill new` writes: a workspace, a project, a flow of each kind with its tests, ready to be changed.

Every text validates as it is. `$name` is filled in; all other braces and dollars belong to the language.
"""

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

STEPS = {
    "script": """\
  - id: work
    type: script
    command: echo "hello from $1"   # a line for bash; or a list of a program and its arguments; or `file: work.py`
    args: ["${{ flow.name }}"]      # values go in here, and stay one argument whatever is in them
    timeout: 10m
    retries: 1
    retry_delay: 1m
""",
    "docker": """\
  - id: work
    type: docker
    image: python:3.12-slim
    command: [python, -c, "print('hello')"]
    # env_from: my-secret           # every key of a secret as a variable of its environment
    timeout: 10m
    retries: 1
    retry_delay: 1m
""",
    "email": """\
  - id: mail
    type: email
$credentials    to: you@example.org
    subject: "Hello from ${{ flow.name }}"
    text: |
      This run started on ${{ run.start | date('%-d %B %Y at %H:%M') }}.
""",
    "slack": """\
  - id: tell
    type: slack
$credentials    text: "hello from ${{ flow.name }}"
""",
}
CREDENTIALS = {
    "email": {
        "from": "    from: flows@example.org\n",
        "smtp": "    smtp: ${{ secrets.mail }}       # a secret with the keys host, port, username and password\n",
    },
    "slack": {"webhook": "    webhook: ${{ secrets.slack.url }}   # the key `url` of the secret `slack`\n"},
}
"""Keys that a step of a type needs, unless somebody has set them as a default."""

EXPECTED = {
    "script": """      steps: {work: {command: 'echo "hello from $1"'}}""",
    "docker": "      steps: {work: {image: python:3.12-slim}}",
    "email": "      mails: [{to: you@example.org, subject: Hello from $name}]",
    "slack": "      slack: [{text: hello from $name}]",
}


def filled(text: str, **values: str) -> str:
    """The text with its own names filled in; `$${{` and `$1` of the language stay."""
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return text
