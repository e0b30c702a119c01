"""Dates as SMPP writes them: sixteen characters (7.1.1), and ten in the text of a receipt."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from esito.domain.timing import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

MONTH_MS = 30 * DAY_MS
YEAR_MS = 365 * DAY_MS


def validity_ms(text: str, now: int) -> int:
    """Return how long after `now` a validity_period ends (SMPP 3.4, 7.1.1); zero if it is over.

    In a relative period months have 30 days and years 365. Raises ValueError if it is no validity_period.
    """
    if len(text) != 16 or not text[:15].isdecimal() or text[15] not in "R+-":
        raise ValueError(f"not a validity period: {text!r}")
    year, month, day, hour, minute, second = (int(text[i : i + 2]) for i in range(0, 12, 2))
    if text[15] == "R":
        days = year * YEAR_MS + month * MONTH_MS + day * DAY_MS
        return days + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS
    quarters = int(text[13:15])
    offset = timedelta(minutes=15 * quarters) * (-1 if text[15] == "-" else 1)
    ends = datetime(2000 + year, month, day, hour, minute, second, tzinfo=timezone(offset))
    return max(0, int(ends.timestamp() * 1000) - now)


def absolute(instant: int) -> str:
    """Return the instant as an absolute time (7.1.1), UTC."""
    moment = datetime.fromtimestamp(instant / 1000, UTC)
    return f"{moment:%y%m%d%H%M%S}{moment.microsecond // 100_000}00+"


def to_the_minute(instant: int, zone: tzinfo) -> str:
    """Return the instant as receipts write it: YYMMDDhhmm, in the operator's zone."""
    return _minute(instant // MINUTE_MS, zone)


@lru_cache(maxsize=10_000)
def _minute(minutes: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(minutes * 60, zone).strftime("%y%m%d%H%M")
