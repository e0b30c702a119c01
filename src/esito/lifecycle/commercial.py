"""When a commercial text may leave: not at night, not on a Sunday, not on a French holiday (contract 2.5, 5).

Day and night are the recipient's own: in Guadeloupe it is six in the morning when it is noon in Paris. Foreign numbers
keep the hours of Paris. A text that is due at another time waits for the next working day, 08:00, and one message
leaves at one time: when it is day for all of its recipients. A text that was scheduled, on purpose, for the dead of
night or for a Sunday or holiday of every one of them is refused.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from esito.domain.account import Account
from esito.domain.errors import CommercialDay, CommercialHour
from esito.domain.months import PARIS
from esito.domain.msisdn import country_of
from esito.domain.profile import CommercialTexts
from esito.domain.timing import SECOND_MS

OPENS, CLOSES = time(8), time(20)
"""Commercial texts leave between these."""

LATEST_ASKED = time(22)
"""Until then a schedule is taken, and moved to the next opening; beyond it is refused (code 22)."""

TELLING = 9
"""Characters of a number that tell its country: the plus and eight digits (`domain/dialling`)."""

WAITS = 100
"""How often the next opening of one place is closed in another before there is none for both, as for Paris and Tahiti
in summer; each time hours go by, and holidays are never many."""


class Place(NamedTuple):
    """Where a recipient is."""

    zone: ZoneInfo
    holidays: str | None
    """Whose holidays there are beside those of all of France, by the names of the library."""


FRANCE = Place(PARIS, None)

_OVERSEAS = {
    "GP": ("America/Guadeloupe", "971"), "MQ": ("America/Martinique", "972"), "GF": ("America/Cayenne", "973"),
    "RE": ("Indian/Reunion", "974"), "YT": ("Indian/Mayotte", "976"), "PM": ("America/Miquelon", "PM"),
    "NC": ("Pacific/Noumea", "NC"), "PF": ("Pacific/Tahiti", "PF"), "WF": ("Pacific/Wallis", "WF"),
}  # fmt: skip


SUNDAY = 6


def is_commercial(account: Account, *, stop_mention: bool) -> bool:
    """Tell whether a text of this account keeps commercial hours."""
    wanted = account.profile.commercial
    return wanted is CommercialTexts.ALL or (wanted is CommercialTexts.STOP and stop_mention)


def places_of(msisdns: Iterable[str]) -> list[Place]:
    """Return where recipients are (E.164 with plus), each place once, France first; France where there is none."""
    countries = {country_of(beginning) for beginning in {msisdn[:TELLING] for msisdn in msisdns}}
    overseas = [_place(country) for country in _OVERSEAS if country in countries]
    return overseas if overseas and countries <= _OVERSEAS.keys() else [FRANCE, *overseas]


def check_schedule(due_at: int, places: Iterable[Place] = (FRANCE,)) -> None:
    """Refuse a schedule at which nobody of these places may be disturbed. Raises CommercialDay, CommercialHour."""
    refusals = [_refusal(_local(due_at, place), place) for place in places]
    if refusals and None not in refusals:
        raise next(refusal for refusal in refusals if refusal is not None)


def next_opening(instant: int, places: Iterable[Place] = (FRANCE,)) -> int:
    """Return the instant itself where commercial texts may leave then to all of these places, else when they next may.

    Raises CommercialHour where they never may at one time.
    """
    everywhere = list(places)
    for _ in range(WAITS):
        opening = max((_next_opening(instant, place) for place in everywhere), default=instant)
        if opening == instant:
            return instant
        instant = opening
    raise CommercialHour


def _next_opening(instant: int, place: Place) -> int:
    local = _local(instant, place)
    day = local.date()
    if not _is_closed(day, place) and OPENS <= local.time() < CLOSES:
        return instant
    if local.time() >= OPENS:
        day += timedelta(days=1)
    while _is_closed(day, place):
        day += timedelta(days=1)
    return int(datetime.combine(day, OPENS, place.zone).timestamp()) * SECOND_MS


def _refusal(local: datetime, place: Place) -> CommercialDay | CommercialHour | None:
    if _is_closed(local.date(), place):
        return CommercialDay()
    return None if OPENS <= local.time() <= LATEST_ASKED else CommercialHour()


def _local(instant: int, place: Place) -> datetime:
    return datetime.fromtimestamp(instant / SECOND_MS, place.zone)


def _is_closed(day: date, place: Place) -> bool:
    return day.weekday() == SUNDAY or day in _holidays(day.year, place.holidays)


@lru_cache(maxsize=len(_OVERSEAS))
def _place(country: str) -> Place:
    zone, holidays = _OVERSEAS[country]
    return Place(ZoneInfo(zone), holidays)


@lru_cache(maxsize=64)
def _holidays(year: int, where: str | None) -> frozenset[date]:
    """Return the holidays of France, and those of one of its departments or territories."""
    import holidays  # noqa: PLC0415  7 MB and 0.17 s of calendars, for which most accounts never ask

    return frozenset(holidays.country_holidays("FR", subdiv=where, years=year))
