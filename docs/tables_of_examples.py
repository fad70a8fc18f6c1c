"""Tables of examples, each with what flowmill makes of it: cron expressions, fire times, `${{ … }}`."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from markdown_table import table

from flowmill.expressions.render import as_text, render
from flowmill.local.select import plan_of
from flowmill.planning.plan import CatchupPlan, SchedulePlan
from flowmill.running.lateness import reason_to_skip
from flowmill.times.cron import Cron, parse
from flowmill.times.fire_times import fire_times
from flowmill_tasks.fields import Unrendered

ROOT = Path(__file__).resolve().parent.parent

ACCEPTED = (
    "15 * * * *",
    "*/20 8-17 * * MON-FRI",
    "30 6 1,16 * *",
    "0 8 * JAN-MAR 1-5",
    "5-55/10 * * * *",
    "0 0 * * 7",
    "@daily",
)
REFUSED = (
    "0 8 * *",
    "0 30 6 * * *",
    "0 24 * * *",
    "59/15 * * * *",
    "0 9-9 * * *",
    "0 0 * * FRI-MON",
    "0 0 31 2 *",
    "0 0 1 * MON",
    "0 0 L * *",
    "0 0 * * 5#2",
    "0 0 15W * *",
    "H 3 * * *",
    "0 0 1,31 * *",
    "@dayly",
    "０ 0 * * *",
)

# A cron expression, its zone, the moment from which on to look, and what is special about it.
AROUND_A_CHANGE = (
    ("30 2 * * *", "America/New_York", "2027-03-13T12:00", "02:30 does not exist on the 14th"),
    ("0 0 * * *", "Africa/Cairo", "2027-04-29T12:00", "midnight does not exist on the 30th"),
    ("30 1 * * *", "America/New_York", "2027-11-06T12:00", "01:30 comes twice on the 7th"),
    ("0 * * * *", "America/New_York", "2027-11-07T00:30", "01:00 comes twice on the 7th"),
)

EXPRESSIONS = (
    "environment",
    "flow.name",
    "vars.tables | length",
    "vars.tables | join(', ')",
    "vars.tables[0] | upper",
    "parameters.hours_back * 2",
    "run.start",
    "run.start | date",
    "run.start | date('%d.%m.%Y %H:%M')",
    "run.start | date('%-d/%-m/%Y')",
    "run.start - hours(parameters.hours_back)",
    "(run.start - weeks(1) - days(1)) | date('%A')",
    "run.start + minutes(30) + seconds(5)",
    "run.start | in_zone('UTC')",
    "run.start - months(1)",
    "run.start | floor('week')",
    "run.start | floor('quarter') - years(1)",
    "(run.start - ('2026-11-22T12:00' | time('America/Chicago'))) / hours(1)",
    "run.start - ('2026-11-22' | time)",
    "'2026-01-31T10:00' | time('Europe/Berlin')",
    "run.start.month",
    "run.start.weekday",
    "'month end' if run.start.day > 27 else 'any day'",
    "steps.count.stdout | lines | length",
    "steps.count.stdout | lines | first | trim",
    "steps.count.stdout | lines | last | replace('kettle', 'pot')",
    "steps.count.stdout | last_line | split(' ')",
    "vars.files | split(',') | starting_with('old-') | removeprefix('old-')",
    "vars.files | split(',') | ending_with('.csv') | removesuffix('.csv')",
    "vars.files | split(',') | containing('new') | first | default('none')",
    "(steps.ask.stdout | parse_json).rows",
    "steps.ask.stdout | parse_json | keys",
    "steps.ask.stdout | parse_json | values",
    "(steps.ask.stdout | parse_json).owner | default('nobody')",
    "vars | json",
    "'15' | int + 1",
    "'0.5' | float * 3",
    "3 | string ~ ' rows'",
    "vars.label | lower ~ '!'",
    "vars.label | escape",
    "[vars.label, 'Pans'] | html_lines",
    "vars.label | slack_escape",
    "'*new* cups' | markdown_escape",
    "[{'size': 3}, {'size': 1}, {'size': 3}] | map(attribute='size')",
    "[3, 1, 3] | unique | sort",
    "[3, 1, 2] | reverse",
    "[3, 1, 2] | sum",
    "[3, 1, 2] | min",
    "[3, 1, 2] | max",
    "2.675 | round(2)",
    "'cups' in vars.tables",
    "steps.count.exit_code is number",
)


POLICIES = {
    "`catchup: none`": CatchupPlan("none", None),
    "`catchup: last`": CatchupPlan("last", None),
    "`catchup: all`": CatchupPlan("all", None),
    "`catchup: all`, `skip_if_late: 2h`": CatchupPlan("all", 7200),
}


def example_table(what: str) -> str:
    """The table of that name."""
    return {
        "accepted cron": _accepted,
        "refused cron": _refused,
        "fire times": _fire_times,
        "late runs": _late_runs,
        "expressions": _expressions,
    }[what]()


def _accepted() -> str:
    rows = []
    for text in ACCEPTED:
        cron = parse(text)
        if not isinstance(cron, Cron):
            raise ValueError(f"`{text}` is not accepted: {cron}")
        rows.append((f"`{text}`", f"`{cron.explicit}`"))
    return table(("written", "what the scheduler gets"), rows)


def _refused() -> str:
    rows = []
    for text in REFUSED:
        problems = parse(text)
        if isinstance(problems, Cron):
            raise ValueError(f"`{text}` is accepted")
        rows.append((f"`{text}`", problems[0].message, problems[0].hint))
    return table(("written", "problem", "hint"), rows)


def _fire_times() -> str:
    rows = []
    for text, zone, after, special in AROUND_A_CHANGE:
        cron = parse(text)
        if not isinstance(cron, Cron):
            raise ValueError(f"`{text}` is not accepted: {cron}")
        moment = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone))
        times = ", ".join(f"{time:%d %b %H:%M %Z}" for time in fire_times(cron, zone, moment, 3))
        rows.append((f"`{text}`", zone, special, times))
    return table(("cron", "time zone", "what is special", "fires"), rows)


def _late_runs() -> str:
    """What becomes of three missed runs, under each policy, when a worker is back."""
    orders = plan_of(ROOT / "docs/examples/specs/shop/orders.yaml", "staging")
    hourly = replace(orders, schedules=(SchedulePlan("hourly", "0 * * * *", "UTC", {}, paused=False),))
    back = datetime(2026, 11, 25, 9, 20, tzinfo=ZoneInfo("UTC"))
    rows = []
    for hour in (7, 8, 9):
        due = back.replace(hour=hour, minute=0)
        reasons = [reason_to_skip(replace(hourly, catchup=policy), due, back, {}) for policy in POLICIES.values()]
        rows.append((f"{due:%H:%M}", *("skipped" if reason else "**runs**" for reason in reasons)))
    return table(("due", *POLICIES), rows)


def _expressions() -> str:
    start = datetime(2026, 11, 23, 9, 15, tzinfo=ZoneInfo("America/Chicago"))
    scope = {
        "environment": "staging",
        "flow": {"name": "shop.orders"},
        "vars": {"tables": ["cups", "kettles"], "label": "Cups & <Kettles>", "files": "a.csv, old-b.csv"},
        "parameters": {"hours_back": 24},
        "run": {"start": start},
        "steps": {
            "count": {"stdout": "  3 cup\n  2 kettle\n", "exit_code": 0},
            "ask": {"stdout": '{"rows": 17}'},
        },
    }
    rows = [
        (f"`{source}`", f"`{as_text(render(Unrendered('${{ ' + source + ' }}'), scope))}`") for source in EXPRESSIONS
    ]
    return table(("expression", "result"), rows)
