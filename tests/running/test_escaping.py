"""What a value may not do in HTML and in Slack: it is escaped there, what the spec itself says is not."""

import asyncio
import email
import json
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from flowmill.running.attempt import attempt
from flowmill.running.run import Facts, Run
from flowmill.running.task import whole
from support.conducted import NOW
from support.flows import write_job
from support.slack import slack_endpoint
from support.steps import ListLog

HOSTILE = "<!channel> & <https://evil.example|your bank>"
ESCAPED = "&lt;!channel&gt; &amp; &lt;https://evil.example|your bank&gt;"
CONSTANTS = {"parameters": {"text": {"type": "string"}}, "vars": {"text": HOSTILE}}
VALUES = ["parameters.text", "vars.text"]
"""One that the run knows, and one that is put in when the spec is compiled."""


def performed(folder: Path, step: dict[str, Any], outbox: Path | None = None) -> None:
    """Do the one step of a flow whose parameter and constant are hostile."""
    spec = write_job(folder, {"id": "tell", **step}, **CONSTANTS)
    plan = plan_of(spec, "staging")
    run = Run(plan, local_runtime(spec, outbox), Facts("r1", NOW, NOW), {"text": HOSTILE})
    asyncio.run(attempt(whole(plan.steps[0]), run, 1, ListLog()))


def posted(folder: Path, **keys: Any) -> Any:
    """What a real endpoint gets of a Slack step."""
    with slack_endpoint() as slack:
        (folder / ".flowmill").mkdir()
        (folder / ".flowmill/secrets.yaml").write_text(json.dumps({"slack": {"url": slack.webhook}}))
        performed(folder, {"type": "slack", "webhook": "${{ secrets.slack.url }}", **keys})
        return slack.requests[0].json()


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("mrkdwn", [True, False])
def test_i14_a_value_neither_mentions_nor_links_but_the_author_may(tmp_path: Path, value: str, mrkdwn: bool) -> None:
    own = "<https://example.org|our page>"
    message = posted(tmp_path, mrkdwn=mrkdwn, text=f"{own}: ${{{{ {value} }}}}")
    shown = own if mrkdwn else "&lt;https://example.org|our page&gt;"
    assert message["text"] == f"{shown}: {ESCAPED}"


@pytest.mark.parametrize("value", VALUES)
def test_i14_a_value_in_a_block_is_escaped_too(tmp_path: Path, value: str) -> None:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": f"<!here> ${{{{ {value} }}}}"}}
    message = posted(tmp_path, mrkdwn=True, blocks=[block])
    assert message["blocks"][0]["text"]["text"] == f"<!here> {ESCAPED}"


def test_i14_blocks_that_an_expression_gives_are_escaped_and_stay_blocks(tmp_path: Path) -> None:
    made = json.dumps([{"type": "section", "text": {"type": "mrkdwn", "text": HOSTILE}}])
    message = posted(tmp_path, mrkdwn=True, blocks=f"${{{{ '{made}' | parse_json }}}}")
    assert message["blocks"] == [{"type": "section", "text": {"type": "mrkdwn", "text": ESCAPED}}]


@pytest.mark.parametrize("value", VALUES)
def test_i12_a_value_in_html_is_text(tmp_path: Path, value: str) -> None:
    letter = {
        "type": "email",
        "to": "a@example.org",
        "from": "b@example.org",
        "subject": "s",
        "smtp": "${{ secrets.m }}",
    }
    html = f"<p>${{{{ {value} }}}}</p><p>${{{{ [{value}, 'é'] | html_lines }}}}</p>"
    performed(tmp_path, {**letter, "html": html, "smtp": "${{ secrets.m }}"}, tmp_path / "outbox")
    [path] = (tmp_path / "outbox").iterdir()
    body = email.message_from_bytes(path.read_bytes(), policy=default).get_content()
    assert body.strip() == f"<p>{ESCAPED}</p><p>{ESCAPED}<br>é</p>"
