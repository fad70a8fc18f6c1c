"""`date`: strftime's codes, alike everywhere."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowmill.expressions.date_format import formatted
from flowmill.expressions.refusal import Refusal
from support.waiting import PATIENCE

EARLY = datetime(2026, 3, 8, 3, 5, 9, 42, tzinfo=ZoneInfo("America/Chicago"))
CODES = [*"aAwudbBmyYHIpMSfzZjUWGVcxX%"]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        pytest.param("%-d.%-m.%-y", "8.3.26", id="day, month, year"),
        pytest.param("%-H:%-M:%-S", "3:5:9", id="clock"),
        pytest.param("%-I %p", "3 AM", id="clock of twelve hours"),
        pytest.param("%-j", "67", id="day of the year"),
        pytest.param("%d.%m.%y %H:%M:%S %j", "08.03.26 03:05:09 067", id="padded"),
        pytest.param("%%-d", "%-d", id="a percent sign before -d"),
        pytest.param("%%%-d%%", "%8%", id="percent signs around a code"),
        pytest.param("%z %:z %Z", "-0500 -05:00 CDT", id="offset"),
        pytest.param("%f", "000042", id="microseconds"),
        pytest.param("%A %B", "Sunday March", id="names"),
        pytest.param("at noon", "at noon", id="no code at all"),
        pytest.param("", "", id="empty"),
        pytest.param("%d\n%d", "08\n08", id="a line break"),
    ],
)
def test_formats(pattern: str, text: str) -> None:
    assert formatted(EARLY, pattern) == text


@pytest.mark.parametrize(
    ("moment", "pattern", "text"),
    [
        pytest.param(datetime(987, 6, 5, tzinfo=UTC), "%Y-%m-%d", "0987-06-05", id="an early year has four digits"),
        pytest.param(datetime(2000, 1, 1, tzinfo=UTC), "%-y %-H", "0 0", id="a zero stays"),
        pytest.param(datetime(2000, 1, 1, 12, tzinfo=UTC), "%I %p", "12 PM", id="noon"),
        pytest.param(datetime(2000, 1, 1, 0, tzinfo=UTC), "%I %p", "12 AM", id="midnight"),
        pytest.param(datetime(2000, 1, 1, tzinfo=timezone(-timedelta(hours=3, minutes=30))), "%z", "-0330", id="west"),
        pytest.param(datetime(1880, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), "%:z", "+00:53:28", id="with seconds"),
    ],
)
def test_odd_moments(moment: datetime, pattern: str, text: str) -> None:
    assert formatted(moment, pattern) == text


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        pytest.param("%Q", "no code `%Q`", id="no such code"),
        pytest.param("%F", "no code `%F`; write `%Y-%m-%d`", id="of another platform"),
        pytest.param("%-A", "no code `%-A`", id="a name has no zeros"),
        pytest.param("%-Y", "no code `%-Y`", id="a year has four digits"),
        pytest.param("%", "no code `%`; a percent sign itself is written `%%`", id="a percent sign at the end"),
        pytest.param("100% of it", "no code `% `", id="a percent sign in a text"),
        pytest.param("%_d", "no code `%_`", id="another way of padding"),
        pytest.param("%é", "no code `%é`", id="a letter that is not ASCII"),
    ],
)
def test_refused(pattern: str, message: str) -> None:
    with pytest.raises(Refusal) as refusal:
        formatted(EARLY, pattern)
    assert message in str(refusal.value)


@given(st.datetimes(datetime(1000, 1, 1), timezones=st.timezones()), st.sampled_from(CODES))
def test_every_code_means_what_it_means_to_python(moment: datetime, code: str) -> None:
    assert formatted(moment, f"%{code}") == moment.strftime(f"%{code}")


def test_names_are_english_whatever_the_locale_is() -> None:
    program = (
        "import locale, datetime\n"
        "from flowmill.expressions.date_format import formatted\n"
        "for name in ('de_DE.UTF-8', 'fr_FR.UTF-8', 'C.UTF-8'):\n"
        "    try:\n"
        "        locale.setlocale(locale.LC_ALL, name)\n"
        "    except locale.Error:\n"
        "        continue\n"
        "    print(formatted(datetime.datetime(2026, 3, 8), '%A %a %B %b %p'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=PATIENCE)
    assert set(done.stdout.splitlines()) == {"Sunday Sun March Mar AM"}
