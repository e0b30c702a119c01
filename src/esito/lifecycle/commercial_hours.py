"""When a commercial text may leave: not at night, not on a Sunday, not on a French holiday (contract 2.5, 5).

The recipient's own time counts: in Guadeloupe it is six in the morning when it is noon in Paris. Foreign numbers keep
the hours of Paris. A text that is due at another time waits for the next working day, 08:00. A message leaves at one
time, when all of its recipients have opening hours. A text that is scheduled for late night, or for a Sunday or holiday
of every recipient, is refused.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from esito.domain.account import Account, CommercialTexts
from esito.domain.errors import CommercialDay, CommercialHour
from esito.domain.msisdn import country_of
from esito.domain.timing import PARIS, SECOND_MS

OPENS, CLOSES = time(8), time(20)
"""Commercial texts leave between these."""

LATEST_ASKED = time(22)
"""A schedule until then is moved to the next opening; a later one is refused (code 22)."""

TELLING = 9
"""Characters of a number that tell its country: the plus and eight digits (`domain/dialling`)."""

WAITS = 100
"""Tries to find an opening that all localities share before there is none, as for Paris and Tahiti in summer. Each try
skips hours, and holidays are few."""


class Locality(NamedTuple):
    """Where a recipient is: its time zone and holidays."""

    zone: ZoneInfo
    holidays: str | None
    """Whose holidays it has besides those of all of France, by the library's names."""


FRANCE = Locality(PARIS, None)

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


def localities_of(msisdns: Iterable[str]) -> list[Locality]:
    """Return where recipients (E.164 with plus) are, each locality once, France first; France if none."""
    countries = {country_of(beginning) for beginning in {msisdn[:TELLING] for msisdn in msisdns}}
    overseas = [_locality_of(country) for country in _OVERSEAS if country in countries]
    return overseas if overseas and countries <= _OVERSEAS.keys() else [FRANCE, *overseas]


def check_schedule(due_at: int, localities: Iterable[Locality] = (FRANCE,)) -> None:
    """Refuse a schedule at which no locality is open. Raises CommercialDay, CommercialHour."""
    refusals = [_refusal(_local(due_at, locality), locality) for locality in localities]
    if refusals and None not in refusals:
        raise next(refusal for refusal in refusals if refusal is not None)


def next_opening(instant: int, localities: Iterable[Locality] = (FRANCE,)) -> int:
    """Return the first instant, from this one on, at which all localities are open.

    Raises CommercialHour if they never are at the same time.
    """
    everywhere = list(localities)
    for _ in range(WAITS):
        opening = max((_next_opening(instant, locality) for locality in everywhere), default=instant)
        if opening == instant:
            return instant
        instant = opening
    raise CommercialHour


def _next_opening(instant: int, locality: Locality) -> int:
    local = _local(instant, locality)
    day = local.date()
    if not _is_closed(day, locality) and OPENS <= local.time() < CLOSES:
        return instant
    if local.time() >= OPENS:
        day += timedelta(days=1)
    while _is_closed(day, locality):
        day += timedelta(days=1)
    return int(datetime.combine(day, OPENS, locality.zone).timestamp()) * SECOND_MS


def _refusal(local: datetime, locality: Locality) -> CommercialDay | CommercialHour | None:
    if _is_closed(local.date(), locality):
        return CommercialDay()
    return None if OPENS <= local.time() <= LATEST_ASKED else CommercialHour()


def _local(instant: int, locality: Locality) -> datetime:
    return datetime.fromtimestamp(instant / SECOND_MS, locality.zone)


def _is_closed(day: date, locality: Locality) -> bool:
    return day.weekday() == SUNDAY or day in _holidays(day.year, locality.holidays)


@lru_cache(maxsize=len(_OVERSEAS))
def _locality_of(country: str) -> Locality:
    zone, holidays = _OVERSEAS[country]
    return Locality(ZoneInfo(zone), holidays)


@lru_cache(maxsize=64)
def _holidays(year: int, where: str | None) -> frozenset[date]:
    """Return the holidays of France, and those of one of its departments or territories."""
    import holidays  # noqa: PLC0415  7 MB and 0.17 s of calendars that most accounts never need

    return frozenset(holidays.country_holidays("FR", subdiv=where, years=year))
