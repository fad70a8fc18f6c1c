"""Keep one comment on a pull request up to date, and show the same on the page of the workflow's run.

    python sticky_comment.py TITLE FILE

The file's text stands in a block of code, where nothing in it means anything to GitHub. Of the variables, NUMBER is
that of the pull request, empty for one from a fork, which may not comment; the rest is what GitHub gives to jobs.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

import httpx

MARK = "<!-- flowmill: kept up to date -->"
"""By which our comment is found again; people do not see it."""
AUTHOR = "github-actions[bot]"
LONGEST = 60_000
"""Characters; GitHub takes 65,536."""
PAGE = 100


def body_of(title: str, text: str) -> str:
    """The comment: a title, and the text in a fence that is longer than any in it."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n… cut off here: the whole is in the log of the job\n"
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in re.findall("`+", text))])
    return f"{MARK}\n**{title}**\n\n{fence}text\n{text.rstrip()}\n{fence}\n"


def keep(client: httpx.Client, number: str, body: str) -> None:
    """Change our comment, or make it where there is none."""
    ours = _ours(client, number)
    if ours is None:
        client.post(f"issues/{number}/comments", json={"body": body}).raise_for_status()
    else:
        client.patch(f"issues/comments/{ours}", json={"body": body}).raise_for_status()


def _ours(client: httpx.Client, number: str) -> int | None:
    """The id of our comment; None where there is none yet."""
    page = 1
    while comments := _page(client, number, page):
        for comment in comments:
            if comment["user"]["login"] == AUTHOR and comment["body"].startswith(MARK):
                return int(comment["id"])
        page += 1
    return None


def _page(client: httpx.Client, number: str, page: int) -> list[dict[str, Any]]:
    answer = client.get(f"issues/{number}/comments", params={"per_page": PAGE, "page": page})
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


def main(title: str, file: Path) -> None:
    body = body_of(title, file.read_text(encoding="utf-8", errors="replace"))
    with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
        summary.write(body)
    if number := os.environ.get("NUMBER"):
        address = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/"
        login = {"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
        with httpx.Client(base_url=address, headers=login, timeout=30) as client:
            keep(client, number, body)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
