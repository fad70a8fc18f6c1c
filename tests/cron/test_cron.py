"""What is accepted as a cron expression, what it is rewritten to, and what is said about the rest."""

import os
import subprocess
import sys
import time

import pytest

from flowmill.times.cron import ALIASES, Cron, CronProblem, parse
from support.cron_oracle import fields

ACCEPTED = {
    "whole-fields": ("* * * * *", "* * * * *"),
    "values": ("15 8 1 6 *", "15 8 1 6 *"),
    "leading-zeros": ("00 08 01 06 *", "0 8 1 6 *"),
    "range": ("0 9-12 * * *", "0 9,10,11,12 * * *"),
    "step": ("*/20 * * * *", "0,20,40 * * * *"),
    "step-counts-from-1": ("0 0 1 */4 *", "0 0 1 1,5,9 *"),
    "step-that-does-not-divide-the-hour": ("*/45 * * * *", "0,45 * * * *"),
    "largest-step": ("*/59 */23 * * *", "0,59 0,23 * * *"),
    "step-over-range": ("10-30/10 * * * *", "10,20,30 * * * *"),
    "list": ("5,0,30-32,*/30 * * * *", "0,5,30,31,32 * * * *"),
    "value-said-twice": ("5,5 1-3,2 * * *", "5 1,2,3 * * *"),
    "ranges-of-whole-fields": ("0-59 0-23 1-31 1-12 *", "* * * * *"),
    "month-names": ("0 0 * JAN,Jul-sep *", "0 0 * 1,7,8,9 *"),
    "weekday-names": ("0 8 * * mon-FRI", "0 8 * * 1,2,3,4,5"),
    "7-is-sunday": ("0 8 * * 7", "0 8 * * 0"),
    "range-to-7": ("0 8 * * 5-7", "0 8 * * 0,5,6"),
    "step-to-7": ("0 8 * * 1-7/3", "0 8 * * 0,1,4"),
    "0-to-7-is-every-day": ("0 8 * * 0-7", "0 8 * * *"),
    "spaces-and-tabs": (" 0\t8  * * * ", "0 8 * * *"),
    "alias-between-spaces": (" @daily ", "0 0 * * *"),
    "day-31-of-some-months": ("0 0 31 1,2 *", "0 0 31 1,2 *"),
    "29-february": ("0 0 29 2 *", "0 0 29 2 *"),
    "C03-with-29": ("0 0 1,29,31 * *", "0 0 1,29,31 * *"),
    "C03-without-march": ("0 0 1,31 1,2 *", "0 0 1,31 1,2 *"),
    "C03-without-february": ("0 0 1,31 3,5 *", "0 0 1,31 3,5 *"),
}

COUNT = "expected five: minute, hour, day of month, month, day of week"
NO_STEP = "has a step but no range to step over"
REFUSED = {
    # id: (text, what is pointed at, message, hint)
    "C03-step": (
        "0 0 */15 * *",
        "*/15",
        "Prefect's server would skip 1 March",
        "`0 0 1 * *` and `0 0 16,31 * *`",
    ),
    "C03-list": ("0 0 1,30 * *", "1,30", "would skip 1 March", "`0 0 1 * *` and `0 0 30 * *`"),
    "C03-2-march": ("0 0 2,31 * *", "2,31", "would skip 2 March", "`0 0 2 * *` and `0 0 31 * *`"),
    "C03-months": ("5 6 1,31 2,3 *", "1,31", "would skip 1 March", "`5 6 1 2,3 *` and `5 6 31 2,3 *`"),
    "C04-hour": ("0 9-9 * * *", "9-9", "`9-9` is a range of one value", "write `9`"),
    "C04-name": ("0 9 * * MON-MON", "MON-MON", "is a range of one value", "write `MON`"),
    "C04-sunday": ("0 9 * * 7-7", "7-7", "is a range of one value", "write `7`"),
    "C05-minute": (
        "59/15 * * * *",
        "59/15",
        NO_STEP,
        "write `59` for that value alone, or a range such as `15-59/15`",
    ),
    "C05-from-0": ("0/15 * * * *", "0/15", NO_STEP, "or a range such as `0-59/15`"),
    "C05-hour": ("0 23/6 * * *", "23/6", NO_STEP, "or a range such as `6-23/6`"),
    "C05-day": ("0 0 31/5 * *", "31/5", NO_STEP, "write `31`"),
    "C05-month-name": ("0 0 1 DEC/3 *", "DEC/3", NO_STEP, "write `DEC`"),
    "C05-weekday-name": ("0 0 * * SAT/2", "SAT/2", NO_STEP, "write `SAT`"),
    "C05-step-1": ("0 0 * * 6/1", "6/1", NO_STEP, "write `6`"),
    "C06-31-february": (
        "0 0 31 2 *",
        "31 2",
        "the day never comes: month `2` has no day `31`",
        "only in leap years",
    ),
    "C06-30-february": ("0 0 30 FEB *", "30 FEB", "the day never comes: month `FEB` has no day `30`", "29"),
    "C06-31-april": (
        "0 0 31 4,6 *",
        "31 4,6",
        "the day never comes: month `4,6` has no day `31`",
        "the last day there is 30",
    ),
    "C06-a-year": (
        "0 0 1 1 * 1999",
        "1999",
        "`1999` is a year, which cron does not have",
        "write `0 0 1 1 *`",
    ),
    "C07": (
        "0 0 31 2 1",
        "31 2",
        "the day never comes: month `2` has no day `31`",
        "the last day there is 29",
    ),
    "C08": ("0 8 1 * MON", "1 * MON", "are both limited", "two schedules, `0 8 1 * *` and `0 8 * * MON`"),
    "C08-step": ("0 0 */2 * 1", "*/2 * 1", "cron would run on either", "for both, keep one"),
    "C08-all-days": ("0 0 1-31 * 1", "1-31 * 1", "are both limited", "`0 0 * * 1`"),
    "C09-seconds": (
        "30 0 8 * * *",
        "30",
        f"found 6 fields, {COUNT}; `30` would be seconds",
        "write `0 8 * * *`",
    ),
    "C09-every-second": ("* * * * * *", "*", "found 6 fields", "write `* * * * *`"),
    "C09-quartz": ("0 0 8 ? * MON 2027", "0", "found 7 fields", "write `0 8 * * MON`"),
    "C09-quartz-weekday": ("0 0 8 ? * MON", "0", "found 6 fields", "write `0 8 * * MON`"),
    "C09-a-line-of-a-crontab": ("0 8 * * * root /bin/x", "root", "`root` is not a time", "write `0 8 * * *`"),
    "C09-a-command": ("0 8 * * * /bin/x -a -b c", "/bin/x", "found 9 fields", "write `0 8 * * *`"),
    "C09-a-zone": (
        "TZ=Asia/Tokyo 0 8 * * *",
        "TZ=Asia/Tokyo",
        "belongs under `timezone`",
        "write `0 8 * * *`",
    ),
    "too-few": ("0 8 *", "0 8 *", f"found 3 fields, {COUNT}", "`0 8 * * *`, if the missing fields may"),
    "one-word": ("daily", "daily", "found 1 field,", "did you mean `@daily`?"),
    "empty": ("", "", f"found no fields, {COUNT}", "for example"),
    "only-spaces": ("  ", "  ", "found no fields", "for example"),
    "C10-hash": ("H 8 * * *", "H", "`H` leaves the value to the program", "write the value"),
    "C10-hash-range": (
        "H(0-29)/10 8 * * *",
        "H(0-29)/10",
        "leaves the value to the program",
        "write the value",
    ),
    "C10-random": ("0 R * * *", "R", "`R` leaves the value to the program", "write the value"),
    "C10-random-range": ("R(0-10) 8 * * *", "R(0-10)", "leaves the value to the program", "write the value"),
    "C10-last-day": ("0 0 L * *", "L", "`L` means the last day", "run on day 1"),
    "C10-last-friday": ("0 0 * * 5L", "5L", "picks one week of the month", "let the script"),
    "C10-working-day": ("0 0 15W * *", "15W", "means the nearest working day", "`MON-FRI`"),
    "C10-nth-weekday": ("0 0 * * 5#3", "5#3", "picks one week of the month", "let the script"),
    "C10-question-mark": ("0 0 ? * *", "?", "is Quartz's word for any value", "write `*`"),
    "C11-fullwidth-digits": ("０５ 0 * * *", "０５", "(fullwidth digit zero) is not allowed", "write `05`"),
    "C11-arabic-digit": ("\u0665 0 * * *", "\u0665", "(arabic-indic digit five)", "write `5`"),
    "C11-no-break-space": (
        "0\xa00 * * *",
        "\xa0",
        "`\\u00a0` (no-break space) is not allowed",
        "plain spaces",
    ),
    "C11-newline": ("0 0 * *\n*", "\n", "`\\u000a` (a control character)", "write one line"),
    "C11-newline-at-the-end": ("@daily\n", "\n", "is not allowed", "write one line"),
    "C11-null": ("0 0 * * *\0", "\0", "`\\u0000` (a control character)", "write one line"),
    "C11-zero-width-space": (
        "\u200b0 0 * * *",
        "\u200b",
        "`\\u200b` (zero width space)",
        "write one line of ASCII",
    ),
    "C11-en-dash": ("0 9–17 * * *", "–", "(en dash) is not allowed", "ASCII"),
    "backwards": ("0 22-2 * * *", "22-2", "`22-2` runs backwards", "write `22-23,0-2`"),
    "backwards-to-0": ("0 23-0 * * *", "23-0", "runs backwards", "write `23,0`"),
    "backwards-with-a-step": ("0 22-2/2 * * *", "22-2/2", "runs backwards", "write `22,0,2`"),
    "backwards-names": ("0 0 * * FRI-MON", "FRI-MON", "runs backwards", "write `FRI-SAT,SUN-MON`"),
    "backwards-to-sunday": ("0 0 * * SAT-SUN", "SAT-SUN", "runs backwards", "write `SAT,SUN`"),
    "backwards-from-7": ("0 0 * * 7-2", "7-2", "runs backwards", "write `SUN-TUE`"),
    "step-0": ("*/0 * * * *", "0", "`0` is no step: expected a number from 2 on", "write `*`"),
    "step-1": ("0 9-17/1 * * *", "1", "`1` is no step", "write `9-17`"),
    "step-word": ("*/x * * * *", "x", "`x` is no step", "write `*`"),
    "step-too-large": ("*/60 * * * *", "60", "a step of `60` is too large: only `0` is reached", "write `0`"),
    "step-too-large-for-a-range": ("0 9-17/9 * * *", "9", "is too large: only `9` is reached", "write `9`"),
    "minute-60": ("60 * * * *", "60", "`60` is no minute: expected 0 to 59", "did you mean `0`?"),
    "hour-24": ("0 24 * * *", "24", "`24` is no hour: expected 0 to 23", "did you mean `0`?"),
    "day-0": ("0 0 0 * *", "0", "`0` is no day of month: expected 1 to 31", ""),
    "day-32": ("0 0 1,2-32 * *", "32", "`32` is no day of month", ""),
    "month-13": ("0 0 1 13 *", "13", "`13` is no month: expected 1 to 12 or JAN to DEC", ""),
    "weekday-8": ("0 0 * * 8", "8", "`8` is no day of week: expected 0 to 6 or SUN to SAT", ""),
    "huge-number": (f"{'9' * 200} * * * *", "9" * 200, "is no minute", ""),
    "negative": ("-5 * * * *", "-5", "`-5` is no minute", "write values, ranges"),
    "fraction": ("1.5 * * * *", "1.5", "`1.5` is no minute", ""),
    "full-name": ("0 0 * * Wednesday", "Wednesday", "is no day of week", "did you mean `WED`?"),
    "misspelt-name": ("0 0 1 SPE *", "SPE", "is no month", "did you mean `SEP`?"),
    "name-in-a-field-without-names": ("MON 0 * * *", "MON", "is no minute: expected 0 to 59", ""),
    "star-in-a-list": ("*,5 * * * *", "*", "already means every value", "write `*` alone"),
    "comma-at-the-end": ("5, * * * *", "5,", "has a comma with no value beside it", "remove the comma"),
    "comma-twice": ("5,,6 * * * *", "5,,6", "has a comma with no value beside it", "remove the comma"),
    "range-of-three": ("0 * * * 1-3-5", "1-3-5", "is no day of week", ""),
    "reboot": ("@reboot", "@reboot", "`@reboot` is not known here", "expected one of: @annually, @daily"),
    "every": ("@every 5m", "@every", "`@every` is not known here", ""),
    "upper-case-alias": ("@Daily", "@Daily", "`@Daily` is not known here", "did you mean `@daily`?"),
}


def refused(text: str) -> list[CronProblem]:
    problems = parse(text)
    assert isinstance(problems, list), f"accepted as {problems.explicit}"
    return problems


@pytest.mark.parametrize(("text", "explicit"), ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_and_rewritten_to_explicit_lists(text: str, explicit: str) -> None:
    cron = parse(text)
    assert isinstance(cron, Cron), cron
    assert (cron.text, cron.explicit) == (text, explicit)


@pytest.mark.parametrize(("text", "marked", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_refused_with_a_place_and_a_fix(text: str, marked: str, message: str, hint: str) -> None:
    (problem,) = refused(text)
    assert text[problem.part.start : problem.part.end] == marked
    assert message in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_means_its_five_fields(alias: str) -> None:
    cron = parse(alias)
    assert isinstance(cron, Cron)
    assert (cron.text, cron.explicit) == (alias, ALIASES[alias])


def test_the_values_of_each_field_are_sorted_and_agree_with_the_oracle() -> None:
    text = "50,*/25 7-19/4,6 */10,2 FEB-AUG/3,12 *"
    cron = parse(text)
    assert isinstance(cron, Cron)
    values = (cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays)
    assert values == tuple(tuple(sorted(numbers)) for numbers in fields(text))


def test_an_explicit_text_is_accepted_and_stays_as_it_is() -> None:
    for _, explicit in ACCEPTED.values():
        again = parse(explicit)
        assert isinstance(again, Cron)
        assert again.explicit == explicit


def test_all_fields_are_reported_at_once_in_the_order_of_the_text() -> None:
    text = "60,61 9-9 L foo 8,5/2"
    marked = [text[problem.part.start : problem.part.end] for problem in refused(text)]
    assert marked == ["60", "61", "9-9", "L", "foo", "8", "5/2"]


def test_the_day_fields_are_judged_although_another_field_is_wrong() -> None:
    assert [problem.message.split(":")[0] for problem in refused("60 0 31 2 *")] == [
        "`60` is no minute",
        "the day never comes",
    ]


def quickest(text: str) -> float:
    """The seconds that parsing takes at best: a busy machine may slow down one try, not each of five."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        parse(text)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


@pytest.mark.parametrize("length", [257, 15_000, 25_000], ids=lambda length: f"C12-{length}")
def test_a_long_text_is_refused_within_10_ms(length: int) -> None:
    text = ("0," * length)[: length - 9] + "0 * * * *"
    (problem,) = refused(text)
    assert problem.message == f"the expression is {length} characters long: expected at most 256"
    assert (problem.part.start, problem.part.end) == (256, length)
    assert quickest(text) < 0.010


def test_c12_the_longest_text_is_read_within_10_ms() -> None:
    text = ("0," * 256)[:247] + "0 * * * *"
    assert len(text) == 256
    assert isinstance(parse(text), Cron)
    assert quickest(text) < 0.010


def test_parsing_imports_no_cron_library() -> None:
    program = "import sys, flowmill.times.cron as c; c.parse('*/5 0 * * *'); print(*sys.modules)"
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=path)
    assert not {"croniter", "prefect", "dateutil", "pydantic"} & set(run.stdout.split())
