"""What people read in a message: values put in, secrets masked, without a flow around it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flowmill.local.select import plan_of
from flowmill.running.attempt import attempt
from flowmill.running.run import Facts, Run
from flowmill.running.runtime import Runtime
from flowmill.running.task import whole
from flowmill_tasks.registry import discover
from support.flows import write_job
from support.steps import ListLog

SECRET = "canary-4f1d9"
NOW = datetime(2026, 4, 3, 7, 59, tzinfo=UTC)
MESSAGES: dict[str, dict[str, Any]] = {
    "slack": {"type": "slack", "webhook": "${{ secrets.slack.url }}", "text": "it is ${{ secrets.store.key }}"},
    "slack-blocks": {
        "type": "slack",
        "webhook": "${{ secrets.slack.url }}",
        "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "it is ${{ secrets.store.key }}"}}],
    },
    "email": {
        "type": "email",
        "to": "ops@example.org",
        "from": "flows@example.org",
        "subject": "it is ${{ secrets.store.key }}",
        "text": "it is ${{ secrets.store.key }}",
        "html": "<p>it is ${{ secrets.store.key }}</p>",
        "smtp": "${{ secrets.mail }}",
    },
}


class Store:
    """Secrets that all have the same key."""

    def read(self, name: str) -> Any:
        return {"key": SECRET}


@pytest.mark.parametrize("kind", MESSAGES)
def test_i22_a_secret_written_into_a_message_is_masked(tmp_path: Path, kind: str) -> None:
    spec = write_job(tmp_path, {"id": "tell", **MESSAGES[kind]})
    outbox = tmp_path / "outbox"
    plan = plan_of(spec, "staging")
    runtime = Runtime(folder=spec.parent, registry=discover(), secrets=Store(), outbox=outbox)
    run = Run(plan, runtime, Facts("r1", NOW, NOW), {})
    asyncio.run(attempt(whole(plan.steps[0]), run, 1, ListLog()))
    [message] = outbox.iterdir()
    text = message.read_text()
    assert "it is ***" in text
    assert SECRET not in text
