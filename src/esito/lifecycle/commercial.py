"""When a commercial text may leave: not at night, not on a Sunday, not on a French holiday (contract 2.5, 5).

A text that is due at another time waits for the next working day, 08:00 in Paris. A text
that was scheduled, on purpose, for the dead of night or for such a day is refused.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache

from esito.domain.account import Account
from esito.domain.errors import CommercialDay, CommercialHour
from esito.domain.months import PARIS
from esito.domain.profile import CommercialTexts
from esito.domain.timing import SECOND_MS

OPENS, CLOSES = time(8), time(20)
"""Commercial texts leave between these."""

LATEST_ASKED = time(22)
"""Until then a schedule is taken, and moved to the next opening; beyond it is refused (code 22)."""

SUNDAY = 6


def is_commercial(account: Account, *, stop_mention: bool) -> bool:
    """Tell whether a text of this account keeps commercial hours."""
    wanted = account.profile.commercial
    return wanted is CommercialTexts.ALL or (wanted is CommercialTexts.STOP and stop_mention)


def check_schedule(due_at: int) -> None:
    """Refuse a schedule at which nobody may be disturbed. Raises CommercialDay, CommercialHour."""
    local = _local(due_at)
    if _is_closed(local.date()):
        raise CommercialDay
    if not OPENS <= local.time() <= LATEST_ASKED:
        raise CommercialHour


def next_opening(instant: int) -> int:
    """Return the instant itself where commercial texts may leave then, else when they may next."""
    local = _local(instant)
    day = local.date()
    if not _is_closed(day) and OPENS <= local.time() < CLOSES:
        return instant
    if local.time() >= OPENS:
        day += timedelta(days=1)
    while _is_closed(day):
        day += timedelta(days=1)
    return int(datetime.combine(day, OPENS, PARIS).timestamp()) * SECOND_MS


def _local(instant: int) -> datetime:
    return datetime.fromtimestamp(instant / SECOND_MS, PARIS)


def _is_closed(day: date) -> bool:
    return day.weekday() == SUNDAY or day in _holidays(day.year)


@lru_cache(maxsize=8)
def _holidays(year: int) -> frozenset[date]:
    """Return the holidays of metropolitan France."""
    import holidays  # noqa: PLC0415  7 MB and 0.17 s of calendars, for which most accounts never ask

    return frozenset(holidays.country_holidays("FR", years=year))
