"""Days and months as they are billed: the calendar's, in Paris (contract 0, 4.5)."""

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from esito.domain.timing import HOUR_MS, SECOND_MS

PARIS = ZoneInfo("Europe/Paris")


def day_of(instant: int) -> str:
    """Return the day of an instant as `2026-11-30`."""
    return _day_of_hour(instant // HOUR_MS)


@lru_cache(maxsize=64)
def _day_of_hour(hour: int) -> str:
    """Paris is whole hours from UTC, so the answer is the same for a whole hour."""
    return datetime.fromtimestamp(hour * (HOUR_MS // SECOND_MS), PARIS).strftime("%Y-%m-%d")


def begins(month: str) -> int:
    """Return when a month begins, in Unix seconds: midnight in Paris."""
    return int(datetime(int(month[:4]), int(month[5:]), 1, tzinfo=PARIS).timestamp())


def months_between(first: date, last: date) -> list[str]:
    """Return the months that two days lie in, and those between, in order."""
    count = (last.year - first.year) * 12 + last.month - first.month
    numbers = (first.year * 12 + first.month - 1 + ahead for ahead in range(count + 1))
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]
