"""Escaping and cutting text for Slack."""

import pytest

from flowmill_tasks._slack_text import BLOCKS_LIMIT, CUT_MARK, EMPTY_MARK, fit, fit_blocks, read_blocks
from flowmill_tasks.fields import Rendered


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
        pytest.param(
            lambda long: block("actions", elements=[block("button", text=long)]), 75, id="x12-button"
        ),
        pytest.param(lambda long: block("image", title=long), 2000, id="x12-image-title"),
        pytest.param(lambda long: {**long, "type": "markdown"}, 12_000, id="x12-markdown"),
    ],
)
def test_a_block_text_is_cut_to_the_limit_of_its_place(make, limit):
    cut = "x" * (limit - len(CUT_MARK)) + CUT_MARK
    assert fit_blocks([make(text("x" * (limit + 1)))], mrkdwn=False) == [make(text(cut))]
    assert fit_blocks([make(text("x" * limit))], mrkdwn=False) == [make(text("x" * limit))]


def test_x12_of_too_many_blocks_from_a_run_the_last_is_a_note():
    blocks = read_blocks(Rendered('[{"type": "divider"}' + ', {"type": "divider"}' * 60 + "]"))
    assert len(blocks) == BLOCKS_LIMIT
    assert blocks[48] == {"type": "divider"}
    assert blocks[49]["elements"][0]["text"] == f"{CUT_MARK} 12 more blocks"
