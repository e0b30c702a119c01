"""When commercial texts may leave (contract 2.5; 5, codes 22 and 23)."""

from datetime import datetime

import pytest

from esito.domain.errors import CommercialDay, CommercialHour
from esito.domain.months import PARIS
from esito.lifecycle.commercial import check_schedule, next_opening


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
