"""When commercial texts may leave (contract 2.5; 5, codes 22 and 23)."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from esito.domain.errors import CommercialDay, CommercialHour
from esito.domain.timing import PARIS
from esito.lifecycle.commercial_hours import FRANCE, check_schedule, localities_of, next_opening


def paris(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()) * 1000


@pytest.mark.parametrize(
    ("due", "leaves"),
    [
        ("2027-01-15 08:00", "2027-01-15 08:00"),
        ("2027-01-15 19:59", "2027-01-15 19:59"),
        ("2027-01-15 07:59", "2027-01-15 08:00"),
        ("2027-01-15 20:00", "2027-01-16 08:00"),
        ("2027-01-16 20:00", "2027-01-18 08:00"),  # a Saturday evening; Monday
        ("2027-01-17 12:00", "2027-01-18 08:00"),  # a Sunday
        ("2027-03-27 21:00", "2027-03-30 08:00"),  # Easter Monday follows, and the clocks change
        ("2027-05-01 10:00", "2027-05-03 08:00"),  # the first of May, a Saturday
        ("2027-12-24 23:30", "2027-12-27 08:00"),
        ("2027-12-31 23:59", "2028-01-03 08:00"),  # a holiday of the next year, then a Sunday
    ],
)
def test_a_text_waits_for_the_next_working_day_at_eight_in_paris(due: str, leaves: str) -> None:
    assert next_opening(paris(due)) == paris(leaves)


@pytest.mark.parametrize("hour", ["07:55", "22:05", "00:00", "03:30"])
def test_a_schedule_at_night_is_refused(hour: str) -> None:
    with pytest.raises(CommercialHour):
        check_schedule(paris(f"2027-01-15 {hour}"))


@pytest.mark.parametrize("day", ["2027-01-17", "2027-07-14", "2027-05-06", "2027-11-11"])  # Ascension Day moves
def test_a_schedule_on_a_sunday_or_holiday_is_refused(day: str) -> None:
    with pytest.raises(CommercialDay):
        check_schedule(paris(f"{day} 12:00"))


@pytest.mark.parametrize("hour", ["08:00", "12:00", "20:30", "22:00"])
def test_a_schedule_by_day_is_taken(hour: str) -> None:
    check_schedule(paris(f"2027-01-15 {hour}"))


# -- overseas ----------------------------------------------------------------------------------

PARISIAN, GUADELOUPE, REUNION, MAYOTTE = "+33612345678", "+590690123456", "+262692123456", "+262639123456"
TAHITI, NOUMEA = "+68987123456", "+687751234"


@pytest.mark.parametrize(
    ("numbers", "due", "leaves"),  # in Paris
    [
        ([GUADELOUPE], "2027-01-15 09:00", "2027-01-15 13:00"),  # four in the morning there
        ([GUADELOUPE], "2027-01-15 23:00", "2027-01-15 23:00"),  # six in the evening
        ([GUADELOUPE], "2027-07-15 09:00", "2027-07-15 14:00"),  # it has no summer time
        ([REUNION], "2027-01-15 05:30", "2027-01-15 05:30"),
        ([REUNION], "2027-01-15 17:30", "2027-01-16 05:00"),
        ([MAYOTTE], "2027-01-15 17:30", "2027-01-15 17:30"),
        ([REUNION], "2027-01-16 17:30", "2027-01-18 05:00"),  # a Saturday evening
        ([NOUMEA], "2027-01-15 09:00", "2027-01-15 09:00"),
        ([NOUMEA], "2027-01-15 10:30", "2027-01-15 22:00"),  # Saturday morning there
        ([GUADELOUPE], "2027-05-27 16:00", "2027-05-28 14:00"),  # the abolition of slavery
        (["+32470123456"], "2027-01-15 21:00", "2027-01-16 08:00"),  # abroad it is Paris that counts
        # One message leaves at one time: when it is day for all.
        ([PARISIAN, GUADELOUPE], "2027-01-15 09:00", "2027-01-15 13:00"),
        ([PARISIAN, GUADELOUPE, REUNION], "2027-01-15 09:00", "2027-01-15 13:00"),
        ([PARISIAN, REUNION], "2027-01-15 18:00", "2027-01-16 08:00"),
        ([PARISIAN, TAHITI], "2027-01-15 09:00", "2027-01-15 19:00"),
    ],
)
def test_day_and_night_are_those_of_the_recipients(numbers: list[str], due: str, leaves: str) -> None:
    assert next_opening(paris(due), localities_of(numbers)) == paris(leaves)


def test_where_it_is_never_day_for_all_nothing_is_sent() -> None:
    with pytest.raises(CommercialHour):
        next_opening(paris("2027-07-15 09:00"), localities_of([PARISIAN, TAHITI]))


@pytest.mark.parametrize(
    ("numbers", "due", "refusal"),
    [
        ([GUADELOUPE], "2027-01-15 09:00", CommercialHour),
        ([GUADELOUPE], "2027-01-16 01:00", None),  # eight in the evening of Friday
        ([GUADELOUPE], "2027-01-17 01:00", None),  # and of Saturday
        ([GUADELOUPE], "2027-01-18 03:00", CommercialDay),  # Sunday evening
        ([REUNION], "2027-01-15 05:00", None),
        ([REUNION], "2027-01-16 22:00", CommercialDay),
        ([PARISIAN, GUADELOUPE], "2027-01-15 09:00", None),  # in Guadeloupe it waits
        ([PARISIAN, GUADELOUPE], "2027-01-15 23:00", None),
        ([PARISIAN, GUADELOUPE], "2027-01-15 06:00", CommercialHour),
        ([], "2027-01-15 23:00", CommercialHour),
    ],
)
def test_a_schedule_is_refused_when_it_is_night_for_every_recipient(
    numbers: list[str], due: str, refusal: type[Exception] | None
) -> None:
    if refusal is None:
        check_schedule(paris(due), localities_of(numbers))
    else:
        with pytest.raises(refusal):
            check_schedule(paris(due), localities_of(numbers))


@given(
    numbers=some.lists(
        some.sampled_from([PARISIAN, GUADELOUPE, REUNION, MAYOTTE, NOUMEA, "+594694123456"]), min_size=1
    ),
    hour=some.integers(0, 24 * 400),
)
def test_nobody_is_disturbed_and_nothing_waits_for_long(numbers: list[str], hour: int) -> None:
    due = paris("2027-01-01 00:00") + hour * 3_600_000
    try:
        leaves = next_opening(due, localities_of(numbers))
    except CommercialHour:
        assert {NOUMEA, GUADELOUPE} <= set(numbers) or {NOUMEA, "+594694123456"} <= set(numbers)
        return
    assert due <= leaves <= due + 6 * 24 * 3_600_000
    for place in localities_of(numbers):
        there = datetime.fromtimestamp(leaves / 1000, place.zone)
        assert 8 <= there.hour < 20
        assert there.weekday() != 6


def test_a_place_stands_once_and_france_first() -> None:
    found = localities_of([GUADELOUPE, PARISIAN, GUADELOUPE, "+393331234567", REUNION])
    assert [place.zone for place in found] == [
        FRANCE.zone, ZoneInfo("America/Guadeloupe"), ZoneInfo("Indian/Reunion"),
    ]  # fmt: skip
    assert localities_of([]) == [FRANCE]
