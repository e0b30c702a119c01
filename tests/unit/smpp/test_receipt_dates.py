"""Dates without a zone, in the hours that a clock change repeats or leaves out."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from esito.smpp.receipts import instants, read_dates

MINUTE_MS = 60_000
ZONES: list[tzinfo] = [ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), UTC]
CHANGE = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
"""When clocks in Paris go from 03:00 back to 02:00."""


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def written(instant: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(instant / 1000, zone).strftime("%y%m%d%H%M")


@pytest.mark.parametrize("minutes", range(-90, 91, 7))
def test_in_the_repeated_hour_a_date_is_the_one_that_fits(minutes: int) -> None:
    done = ms(CHANGE + timedelta(minutes=minutes))
    text = written(done, ZONES[0])
    found = read_dates(written(done - MINUTE_MS, ZONES[0]), text, at=done + 5_000, zone=ZONES[0])
    assert found == (done - MINUTE_MS, done, "")


YEAR = ms(datetime(2026, 1, 1, tzinfo=UTC)) // MINUTE_MS


@given(st.sampled_from(ZONES), st.integers(0, 60 * 24 * 730), st.integers(0, 14), st.integers(0, 14 * MINUTE_MS))
@example(ZONES[0], ms(CHANGE) // MINUTE_MS - YEAR, 1, 0)
@example(ZONES[0], ms(CHANGE) // MINUTE_MS - YEAR - 1, 1, 0)
def test_whenever_it_was_a_receipt_soon_after_tells_when(zone: tzinfo, minute: int, taken: int, delay: int) -> None:
    done = (YEAR + minute) * MINUTE_MS
    submitted = done - taken * MINUTE_MS
    found = read_dates(written(submitted, zone), written(done, zone), at=done + delay, zone=zone)
    assert found == (submitted, done, "")


def test_a_message_is_done_after_it_was_submitted() -> None:
    """The receipt is hours late; its submit date, which has one meaning only, tells which 02:10 it was."""
    at = ms(CHANGE + timedelta(minutes=-12))
    submitted, done = ms(CHANGE - timedelta(minutes=15)), "2610250235"
    assert read_dates("", done, at=at, zone=ZONES[0])[1] == ms(CHANGE - timedelta(minutes=25))
    assert read_dates("2610250245", done, at=at, zone=ZONES[0])[:2] == (submitted, ms(CHANGE - timedelta(minutes=25)))
    late, after = ms(CHANGE + timedelta(minutes=35)), ms(CHANGE + timedelta(hours=6))
    assert read_dates("2610250245", done, at=after, zone=ZONES[0])[:2] == (submitted, late)


def test_what_both_meanings_put_into_the_future_is_not_believed() -> None:
    at = ms(CHANGE - timedelta(hours=2))
    assert read_dates("", "2610250230", at=at, zone=ZONES[0]) == (None, None, "skewed_date")


def test_a_date_that_no_clock_showed_may_be_either_side_of_the_gap() -> None:
    spring = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert instants("2603290230", ZONES[0]) == (ms(spring - timedelta(minutes=30)), ms(spring + timedelta(minutes=30)))
    assert instants("2603290330", ZONES[0]) == (ms(spring + timedelta(minutes=30)),)


@pytest.mark.parametrize("text", ["2613451130", "yesterday", "26112311", "²⁶11231130", "26112311301"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert instants(text, UTC) == ()
    assert read_dates(text, text, at=0, zone=UTC) == (None, None, "bad_date")
