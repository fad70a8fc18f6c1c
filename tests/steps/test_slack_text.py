"""What a `slack` step may say, and how Slack gets to read it: escaped, cut, or refused."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from flowmill_tasks._slack_text import BLOCKS_LIMIT, CUT_MARK, EMPTY_MARK, TEXT_LIMIT, fit, fit_blocks
from flowmill_tasks.fields import Plain, Redacted, Rendered, Unrendered
from flowmill_tasks.slack import Slack
from support.slack import section, slack_endpoint, to_webhook
from support.steps import run_step, step_run

SECRET = Unrendered("${{ secrets.slack.url }}")
WEBHOOK = {"webhook": SECRET}
BOT = {"token": SECRET, "channel": "#ops", "text": "hello"}
ADDRESS = "https://hooks.slack.com/services/CANARY"


def outbox_message(tmp_path, **keys):
    """The message that a step with these keys leaves in the outbox."""
    output = run_step(to_webhook(ADDRESS, **keys), step_run(tmp_path, outbox=tmp_path / "out"))
    return json.loads(Path(output.path).read_text())


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        pytest.param("<!channel>", "&lt;!channel&gt;", id="i14-channel"),
        pytest.param("<@U1>", "&lt;@U1&gt;", id="i14-mention"),
        pytest.param("<https://evil|click>", "&lt;https://evil|click&gt;", id="i14-link"),
        pytest.param("A&B", "A&amp;B", id="i14-ampersand"),
        pytest.param("&lt;", "&amp;lt;", id="i14-entity-is-text"),
        pytest.param("*bold* _it_ ~no~ `code` \"'", "*bold* _it_ ~no~ `code` \"'", id="i14-formatting-stays"),
    ],
)
def test_text_is_escaped_unless_it_is_mrkdwn(text, sent):
    assert fit(text, 100, mrkdwn=False) == sent
    assert fit(text, 100, mrkdwn=True) == text


@pytest.mark.parametrize(
    ("text", "mrkdwn", "sent"),
    [
        pytest.param("x" * 20, False, "x" * 20, id="x12-at-the-limit"),
        pytest.param("x" * 21, False, "x" * 13 + CUT_MARK, id="x12-one-over"),
        pytest.param("&" * 5, False, "&amp;&amp;" + CUT_MARK, id="x12-counted-as-sent-and-no-entity-torn"),
        pytest.param("&" * 4, False, "&amp;" * 4, id="x12-entities-at-the-limit"),
        pytest.param("word <https://x.example|here> end", True, "word " + CUT_MARK, id="x12-no-link-torn"),
        pytest.param("<a|b> then a long tail", True, "<a|b> then a " + CUT_MARK, id="x12-whole-link-stays"),
        pytest.param("", False, EMPTY_MARK, id="x12-empty"),
        pytest.param(" \n", False, EMPTY_MARK, id="x12-blank"),
    ],
)
def test_what_is_too_long_or_empty_gets_a_mark(text, mrkdwn, sent):
    assert fit(text, 20, mrkdwn) == sent
    assert len(sent) <= 20


def test_cutting_a_text_full_of_open_brackets_takes_linear_time():
    assert fit("<" * 2_000_000, 1_000_000, mrkdwn=True).endswith(CUT_MARK)


def block(kind, **keys):
    return {"type": kind, **keys}


def text(content, kind="mrkdwn"):
    return {"type": kind, "text": content}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        pytest.param(
            block("section", text=text("<!here>"), fields=[text("a&b", "plain_text")]),
            block("section", text=text("&lt;!here&gt;"), fields=[text("a&amp;b", "plain_text")]),
            id="i14-section",
        ),
        pytest.param(
            block("context", elements=[block("image", alt_text="<x>", image_url="https://x/?a=1&b=2")]),
            block("context", elements=[block("image", alt_text="<x>", image_url="https://x/?a=1&b=2")]),
            id="i14-addresses-stay",
        ),
        pytest.param(text("<@U1>", "markdown"), text("&lt;@U1&gt;", "markdown"), id="i14-markdown-block"),
        pytest.param(
            block("rich_text", elements=[block("rich_text_section", elements=[text("a<b", "text")])]),
            block("rich_text", elements=[block("rich_text_section", elements=[text("a<b", "text")])]),
            id="i14-rich-text-is-literal",
        ),
        pytest.param(
            block("section", accessory=block("button", text=text("<b>", "plain_text"), value="<v>")),
            block("section", accessory=block("button", text=text("&lt;b&gt;", "plain_text"), value="<v>")),
            id="i14-button",
        ),
    ],
)
def test_the_texts_of_blocks_are_escaped_and_nothing_else(given, sent):
    assert fit_blocks([given], mrkdwn=False) == [sent]
    assert fit_blocks([given], mrkdwn=True) == [given]


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        pytest.param(lambda long: block("section", text=long), 3000, id="x12-section"),
        pytest.param(lambda long: block("section", fields=[long]), 2000, id="x12-field"),
        pytest.param(lambda long: block("header", text=long), 150, id="x12-header"),
        pytest.param(lambda long: block("context", elements=[long]), 3000, id="x12-context"),
        pytest.param(lambda long: block("actions", elements=[block("button", text=long)]), 75, id="x12-button"),
        pytest.param(lambda long: block("image", title=long), 2000, id="x12-image-title"),
        pytest.param(lambda long: {**long, "type": "markdown"}, 12_000, id="x12-markdown"),
    ],
)
def test_a_block_text_is_cut_to_the_limit_of_its_place(make, limit):
    cut = "x" * (limit - len(CUT_MARK)) + CUT_MARK
    assert fit_blocks([make(text("x" * (limit + 1)))], mrkdwn=False) == [make(text(cut))]
    assert fit_blocks([make(text("x" * limit))], mrkdwn=False) == [make(text("x" * limit))]


@pytest.mark.parametrize(
    ("mrkdwn", "sent"),
    [
        pytest.param("false", "&lt;!channel&gt; &amp; *b* &lt;https://evil|click&gt; &lt;@U1&gt;", id="escaped"),
        pytest.param("true", "<!channel> & *b* <https://evil|click> <@U1>", id="mrkdwn"),
    ],
)
def test_i14_mentions_and_links_work_only_with_mrkdwn(tmp_path, mrkdwn, sent):
    content = "<!channel> & *b* <https://evil|click> <@U1>"
    message = outbox_message(tmp_path, text=content, blocks=[section(content)], mrkdwn=Plain(mrkdwn))
    assert message == {"text": sent, "blocks": [section(sent)]}


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        pytest.param(
            {"text": Rendered("x" * (TEXT_LIMIT + 1))},
            {"text": "x" * (TEXT_LIMIT - len(CUT_MARK)) + CUT_MARK},
            id="text",
        ),
        pytest.param({"text": Rendered("")}, {"text": EMPTY_MARK}, id="empty-text"),
        pytest.param(
            {"text": Rendered(""), "blocks": [section("b")]},
            {"blocks": [section("b")]},
            id="empty-text-beside-blocks",
        ),
        pytest.param(
            {"blocks": [section(Rendered("x" * 3001)), section(Rendered(""))]},
            {"text": "hello", "blocks": [section("x" * 2993 + CUT_MARK), section(EMPTY_MARK)]},
            id="block-texts",
        ),
        pytest.param(
            {"blocks": Rendered(json.dumps([section("<x>"), section("y" * 4000)]))},
            {"text": "hello", "blocks": [section("&lt;x&gt;"), section("y" * 2993 + CUT_MARK)]},
            id="blocks-as-json",
        ),
    ],
)
def test_x12_what_a_run_gave_is_cut_with_a_mark(tmp_path, keys, sent):
    assert outbox_message(tmp_path, **keys) == sent


@pytest.mark.parametrize(
    "computed",
    [
        pytest.param(Rendered(json.dumps([{"type": "divider"}] * 61)), id="json"),
        pytest.param([{"type": Rendered("divider")}] * 61, id="list"),
    ],
)
def test_x12_of_too_many_blocks_from_a_run_the_last_is_a_note(tmp_path, computed):
    blocks = outbox_message(tmp_path, blocks=computed)["blocks"]
    assert len(blocks) == BLOCKS_LIMIT
    assert blocks[48] == {"type": "divider"}
    assert blocks[49]["elements"][0]["text"] == f"{CUT_MARK} 12 more blocks"


def test_half_a_surrogate_pair_does_not_break_the_message(tmp_path):
    assert outbox_message(tmp_path, blocks=[section("a\ud800b")])["blocks"] == [section("a?b")]


@pytest.mark.parametrize(
    ("scalar", "text"),
    [
        pytest.param(Plain("1.10"), "1.10", id="bare"),
        pytest.param(3, "3", id="computed-number"),
        pytest.param(True, "true", id="computed-boolean"),
        pytest.param("true", "true", id="quoted"),
    ],
)
def test_a_scalar_in_a_block_is_sent_as_text(tmp_path, scalar, text):
    assert outbox_message(tmp_path, blocks=[section(scalar)])["blocks"] == [section(text)]


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({**WEBHOOK, "text": "done"}, id="literal"),
        pytest.param({**WEBHOOK, "text": Unrendered("${{ x }}")}, id="unrendered-text"),
        pytest.param({**WEBHOOK, "text": "x" * TEXT_LIMIT}, id="x12-text-at-the-limit"),
        pytest.param({**WEBHOOK, "blocks": Unrendered("${{ x }}")}, id="unrendered-blocks"),
        pytest.param({**WEBHOOK, "blocks": [section(Unrendered("${{ x }}" * 500))]}, id="unrendered-inside"),
        pytest.param({**WEBHOOK, "blocks": [{"type": "divider"}] * BLOCKS_LIMIT}, id="x12-50-blocks"),
        pytest.param({**BOT, "channel": Unrendered("${{ x }} ${{ y }}")}, id="unrendered-channel"),
        pytest.param({**BOT, "request_timeout": Unrendered("${{ x }}")}, id="unrendered-timeout"),
        pytest.param({**BOT, "api_url": Unrendered("${{ x }}")}, id="unrendered-api"),
        pytest.param({**BOT, "api_url": "https://slack-gov.com/api/"}, id="govslack"),
    ],
)
def test_accepted_before_a_run(keys):
    assert set(keys) == Slack.model_validate(keys).model_fields_set


def nested(levels):
    value = "x"
    for _ in range(levels):
        value = [value]
    return {"type": "section", "x": value}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param({}, "exactly one of `webhook` and `token`", id="neither"),
        pytest.param({**BOT, **WEBHOOK}, "exactly one of `webhook` and `token`", id="both"),
        pytest.param({"token": SECRET, "text": "t"}, "needs a `channel`", id="no-channel"),
        pytest.param({**WEBHOOK, "channel": "c", "text": "t"}, "goes with `token`", id="webhook-channel"),
        pytest.param(WEBHOOK, "`text`, `blocks` or both", id="nothing-to-say"),
        pytest.param({"webhook": "https://hooks.slack.com/x"}, "must come from a secret", id="literal-url"),
        pytest.param({**BOT, "channel": ""}, "expected a channel's id", id="empty-channel"),
        pytest.param({**BOT, "channel": "#a #b"}, "expected a channel's id", id="two-channels"),
        pytest.param({**BOT, "channel": "a\nb"}, "must be one line", id="two-line-channel"),
        pytest.param({**WEBHOOK, "text": ""}, "is empty", id="x12-empty"),
        pytest.param({**WEBHOOK, "text": Plain(" ")}, "is empty", id="x12-blank"),
        pytest.param({**WEBHOOK, "text": "x" * 40_001}, "Slack takes 40000", id="x12-text"),
        pytest.param({**WEBHOOK, "text": "<" * 10_001}, "has 40004 characters", id="x12-as-sent"),
        pytest.param({**WEBHOOK, "blocks": []}, "at least one block", id="x12-no-blocks"),
        pytest.param({**WEBHOOK, "blocks": [section("b")] * 51}, "has 51 blocks", id="x12-blocks"),
        pytest.param({**WEBHOOK, "blocks": [section("x" * 3001)]}, "Slack takes 3000", id="x12-section"),
        pytest.param({**WEBHOOK, "blocks": [section("")]}, "is empty", id="x12-empty-section"),
        pytest.param({**WEBHOOK, "blocks": "hello"}, "a list of Block Kit blocks", id="text-as-blocks"),
        pytest.param({**WEBHOOK, "blocks": {"blocks": []}}, "the list alone", id="wrapped-blocks"),
        pytest.param({**WEBHOOK, "blocks": [section(["a"])]}, "must be text", id="list-as-text"),
        pytest.param({**WEBHOOK, "blocks": [nested(30)]}, "nested too deeply", id="nested"),
        pytest.param({**WEBHOOK, "blocks": [section(Redacted("s"))]}, "JSON has no form", id="secret"),
        pytest.param({**WEBHOOK, "blocks": Rendered("oops")}, "a JSON list of blocks", id="no-json"),
        pytest.param({**WEBHOOK, "blocks": Rendered("[" * 99_999)}, "a JSON list", id="endless-json"),
        pytest.param({**WEBHOOK, "blocks": Rendered('[{"x": NaN}]')}, "JSON has no form", id="nan"),
        pytest.param({**WEBHOOK, "text": "t", "request_timeout": Plain("0")}, "or equal to 1", id="no-time"),
        pytest.param({**BOT, "api_url": "http://slack.example/"}, "must use https", id="plain-http-api"),
        pytest.param({**BOT, "api_url": "https://u:p@slack.com/"}, "is no https URL", id="user-in-api-url"),
    ],
)
def test_refused_before_a_run(keys, message):
    with pytest.raises(ValidationError, match=message):
        Slack.model_validate(keys)


def test_in_the_outbox_stands_the_body_that_slack_would_get(tmp_path):
    keys = {"text": "a<b", "blocks": [section("c & d")]}
    with slack_endpoint() as slack:
        run_step(to_webhook(slack.webhook, **keys), step_run(tmp_path))
    step = Slack.model_validate({**WEBHOOK, **keys})
    output = run_step(step, step_run(tmp_path, outbox=tmp_path / "out"))
    (file,) = (tmp_path / "out").iterdir()
    assert output.path == str(file)
    assert file.suffix == ".json"
    assert file.read_bytes() == slack.requests[0].body


def test_the_outbox_needs_no_token_and_tells_the_channel(tmp_path):
    output = run_step(Slack.model_validate(BOT), step_run(tmp_path, outbox=tmp_path / "out"))
    assert json.loads(Path(output.path).read_text()) == {"channel": "#ops", "text": "hello"}


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        pytest.param(
            {"webhook": Redacted(ADDRESS), "text": "a\nb"},
            ["slack: post to the webhook ***", "  a", "  b"],
            id="webhook",
        ),
        pytest.param(
            {**BOT, "blocks": [section("x")]},
            ["slack: post to the channel ***", "  hello", "  blocks: 1"],
            id="channel",
        ),
    ],
)
def test_a_preview_shows_the_text_and_hides_the_destination(tmp_path, keys, lines):
    assert Slack.model_validate(keys).preview(step_run(tmp_path)) == lines
