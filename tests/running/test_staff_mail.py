"""A worked case: each morning a container updates the staff records, and a mail tells what it has logged.

The flow is the one that ships, specs/people/sync.yaml, on a real engine, with a mail server and a Slack of the test.
Only its program is another: a few lines of shell, by which each test says what they log and how they end.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import support.engine
from flowmill.local.select import plan_of
from flowmill.running.runtime import Runtime
from flowmill.times.cron import Cron, parse
from flowmill.times.fire_times import fire_times
from flowmill_tasks.registry import discover
from support.engine import IMAGE, Engine
from support.flows import DictSecrets, Finished, Ran, flowmill, read_run, run_id, run_plan, write_workspace
from support.prefect_server import PrefectServer
from support.slack import SlackEndpoint, slack_endpoint
from support.smtp import MailServer, mail_server

engine = support.engine.engine

SPECS = Path(__file__).parents[2] / "specs"
SPEC = SPECS / "people/sync.yaml"
READERS = ["roster@example.org", "payroll@example.org"]
BOSS = "manager@example.org"
KEY = "turnstone-of-the-directory"

FAILS_ONCE = """
echo "INFO:root:attempt $(grep -c . trail/attempts)" >&2
echo "DEBUG:root:asking with $DIRECTORY_KEY"
echo "INFO:root:mail <b>Zoë</b>, $MAIL_TO" >&2
[ "$(grep -c . trail/attempts)" = 2 ]
"""
LOGS_FIVE_MEGABYTES = """
yes "INFO:root:one more record was looked at and left as it is" | head -c 5000000
echo
echo "INFO:root:the end"
"""
LOGS_NOTHING_OF_INTEREST = "echo 'WARNING:root:nobody has moved'"


@dataclass(frozen=True)
class Services:
    """What a run of the flow uses, and the copy of the flow that uses it."""

    server: PrefectServer
    folder: Path
    mails: MailServer
    slack: SlackEndpoint
    spec: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spec", self.folder / "people/sync.yaml")

    def secrets(self) -> dict[str, Any]:
        return {
            "staff_sync": {"DIRECTORY_KEY": KEY, "MAIL_TO": ", ".join(READERS), "MAIL_CC": BOSS},
            "smtp": {"host": "127.0.0.1", "port": self.mails.port, "sender": "flows@example.org"},
            "smtp_user": "postmistress",
            "smtp_password": self.mails.password,
            "slack": {"url": self.slack.webhook},
        }

    def run(self, program: str) -> Ran:
        """Run the flow in this process."""
        write_copy(self.folder, program)
        runtime = Runtime(self.spec.parent, discover(), DictSecrets(self.secrets()))
        return run_plan(self.server, plan_of(self.spec, "production"), runtime)

    def command(self, *options: str) -> Finished:
        """`flowmill run` of the copy that was written last."""
        given = {name: text if isinstance(text, str) else json.dumps(text) for name, text in self.secrets().items()}
        environ = {f"FLOWMILL_SECRET_{name.upper()}": text for name, text in given.items()}
        return flowmill("run", self.spec, "--deliver", *options, cwd=self.folder, **environ)

    def read(self, finished: Finished) -> Ran:
        return read_run(self.server, run_id(finished.stdout), plan_of(self.spec, "production"))

    def attempts(self) -> int:
        """How many containers there were."""
        return len((self.spec.parent / "trail/attempts").read_text().splitlines())

    def notes(self) -> list[str]:
        return [request.json()["text"] for request in self.slack.requests]

    def html(self) -> str:
        """The body of the only mail."""
        (mail,) = self.mails.received
        body = mail.message.get_body(("html",))
        assert body
        return str(body.get_content())


def replaced(text: str, changes: dict[str, str]) -> str:
    """The text with every change made, each of which must find its place."""
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def write_copy(folder: Path, program: str) -> None:
    """The flow and its workspace; another image and program, no waits, and a mail server without TLS."""
    changes = {
        "registry.example.org/people/sync:stable": f"{IMAGE}\n    pull: never\n    volumes: ['./trail:/trail']",
        "python sync.py": "sh trail/sync.sh",
        "retry_delay: 300s": "retry_delay: 0s",
        "    smtp:\n": "    smtp:\n      security: none\n",
    }
    text = replaced(SPEC.read_text(), changes)
    files = {"people/project.yaml": (SPECS / "people/project.yaml").read_text(), "people/sync.yaml": text}
    write_workspace(folder, files, (SPECS / "flowmill.yaml").read_text())
    (folder / "people/trail").mkdir(exist_ok=True)
    (folder / "people/trail/sync.sh").write_text(f"echo once >> trail/attempts\n{program}")


@pytest.fixture
def world(engine: Engine, prefect_server: PrefectServer, tmp_path: Path) -> Iterator[Services]:
    with mail_server(password="dunlin-at-dusk") as mails, slack_endpoint() as slack:
        yield Services(prefect_server, tmp_path, mails, slack)


@pytest.mark.prefect
@pytest.mark.docker
def test_one_failure_is_one_note_and_the_mail_is_made_of_the_last_attempt(world: Services) -> None:
    ran = world.run(FAILS_ONCE)
    assert (ran.state.name, ran.states()["sync"], world.attempts()) == ("Completed", "Completed", 2)
    (note,) = world.notes()
    assert note.startswith("people.sync: sync failed for the 1. time of at most 3.\nIt is tried again in 0 s: ")
    lines = world.html().splitlines()
    assert lines[1] == "<p>attempt 2<br>mail &lt;b&gt;Zoë&lt;/b&gt;, ***</p>"
    (mail,) = world.mails.received
    assert sorted(mail.recipients) == sorted([*READERS, BOSS])
    assert (mail.message["To"], mail.message["Cc"]) == (", ".join(READERS), BOSS)
    assert mail.message["Subject"].startswith("Staff records of ")
    assert world.mails.logins == [("postmistress", "dunlin-at-dusk")]
    written = ran.text() + note
    assert not [word for word in (KEY, BOSS, *READERS, "dunlin-at-dusk") if word in written]


@pytest.mark.prefect
@pytest.mark.docker
def test_of_five_megabytes_the_mail_has_the_end_and_says_so(world: Services) -> None:
    write_copy(world.folder, LOGS_FIVE_MEGABYTES)
    finished = world.command()
    assert (finished.returncode, world.notes()) == (0, [])
    html = world.html()
    assert "<br>the end</p>" in html
    assert 200_000 < len(html) < 300_000
    not_kept = 5_000_000 + len("\nINFO:root:the end\n") - 256 * 1024
    assert f"<p>… {not_kept} bytes not kept</p>" in html
    assert "… stdout is longer than 256 KiB: later steps get the end of it" in finished.stdout


@pytest.mark.prefect
@pytest.mark.docker
def test_without_such_lines_the_mail_says_so(world: Services) -> None:
    assert world.run(LOGS_NOTHING_OF_INTEREST).state.name == "Completed"
    assert "<p>nothing to report</p>" in world.html()


@pytest.mark.prefect
@pytest.mark.docker
def test_a_refused_mail_is_sent_later_without_another_container(world: Services) -> None:
    write_copy(world.folder, "echo 'INFO:root:17 records changed'")
    world.mails.answers.append("554 not today")
    refused = world.command()
    states = world.read(refused).states()
    assert (refused.returncode, states["sync"], states["mail"]) == (1, "Completed", "Failed")
    assert world.read(refused).state.name == "Failed"
    assert world.mails.received == []
    (note,) = world.notes()
    assert note.startswith("people.sync failed at mail: ")
    assert "554" in note
    taken_up = world.command("--from", "mail")
    assert taken_up.returncode == 0, taken_up.stdout
    assert world.attempts() == 1
    assert "<p>17 records changed</p>" in world.html()
    assert not [word for word in (BOSS, *READERS) if word in refused.stdout + taken_up.stdout]


def of_the_flow(after: datetime, count: int) -> list[str]:
    """When the schedule fires next, in UTC."""
    (schedule,) = plan_of(SPEC, "production").schedules
    cron = parse(schedule.cron)
    assert isinstance(cron, Cron)
    times = fire_times(cron, schedule.timezone, after, count)
    return [f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" for moment in times]


SEASONS = {
    "winter": (datetime(2027, 1, 15, tzinfo=UTC), ["2027-01-15 13:45", "2027-01-16 13:45"]),
    "summer": (datetime(2027, 7, 15, tzinfo=UTC), ["2027-07-15 12:45", "2027-07-16 12:45"]),
    "spring forward": (
        datetime(2027, 3, 13, tzinfo=UTC),
        ["2027-03-13 13:45", "2027-03-14 12:45", "2027-03-15 12:45"],
    ),
    "fall back": (
        datetime(2027, 11, 6, tzinfo=UTC),
        ["2027-11-06 12:45", "2027-11-07 13:45", "2027-11-08 13:45"],
    ),
}


@pytest.mark.parametrize(("after", "times"), SEASONS.values(), ids=list(SEASONS))
def test_it_fires_at_a_quarter_to_eight_all_year_and_once_a_day(after: datetime, times: list[str]) -> None:
    assert of_the_flow(after, len(times)) == times


TO = "to: ${{ secrets.staff_sync.MAIL_TO }}"
CC = "cc: ${{ secrets.staff_sync.MAIL_CC }}"
SUBJECT = "subject: Staff records of ${{ run.start | date('%-d %B %Y') }}"
BREAKERS = {
    "a later step": (
        {"env_from:": 'env: {A: "${{ steps.mail.path }}"}\n    env_from:'},
        "env: {A",
        "has not certainly ended",
    ),
    "no recipient": ({TO: "to: []", CC: "cc: []"}, "- id: mail", "expected at least one recipient"),
    "zone": ({"America/Chicago": "America/Chicgo"}, "timezone:", "did you mean `America/Chicago`?"),
    "two lines": ({SUBJECT: 'subject: "Staff\\nBcc: eve@example.org"'}, "subject:", "must be one line"),
}


@pytest.mark.parametrize(("changes", "place", "message"), BREAKERS.values(), ids=list(BREAKERS))
def test_one_wrong_line_is_refused_with_its_place(
    tmp_path: Path, changes: dict[str, str], place: str, message: str
) -> None:
    write_copy(tmp_path, "")
    text = replaced(SPEC.read_text(), changes)
    (tmp_path / "people/sync.yaml").write_text(text)
    line = text[: text.index(place)].count("\n") + 1
    validated = flowmill("validate", cwd=tmp_path)
    assert validated.returncode == 1
    assert message in validated.stdout
    assert validated.stdout.startswith(f"people/sync.yaml:{line}:")
