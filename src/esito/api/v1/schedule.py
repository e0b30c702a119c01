"""When a scheduled message is due: `scheduledDeliveryDate`, `time` and `minute`, Paris time (contract 2.1, 2.6)."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

from esito.api.http.request import Inputs
from esito.domain.timing import PARIS, SECOND_MS

FIELDS = ("scheduledDeliveryDate", "time", "minute")

_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_SMALL = re.compile(r"[0-9]{1,2}")

LAST_HOUR, LAST_MINUTE, STEP = 24, 55, 5

Complain = Callable[[str, str], None]
"""Adds an error: the field, and the text."""


def read_due(inputs: Inputs, complain: Complain, *, now: int) -> int | None:
    """Return when the message is due, in milliseconds UTC; None when it is not scheduled, or invalidly.

    An hour without a date is an error: what was meant for later must not leave now.
    """
    if not any(inputs.has(name) for name in FIELDS):
        return None
    day = _day(inputs.text("scheduledDeliveryDate"))
    hour = _small(inputs.text("time"), LAST_HOUR)
    minute = _small(inputs.text("minute"), LAST_MINUTE)
    if minute is not None and minute % STEP:
        minute = None
    due_at = None if day is None or hour is None or minute is None else _instant(day, hour, minute)
    _complain_of_day(inputs, day, due_at, complain, now=now)
    if minute is None:
        given = inputs.has("minute")
        complain("minute", "Le chiffre des minutes est invalide" if given else "La minute est requise")
    if hour is None:
        complain("time", "L'heure est invalide" if inputs.has("time") else "L'heure est requise")
    return due_at


def shown(due_at: int) -> str:
    """Return an instant as the answer shows it: `YYYY-mm-dd HH:MM:SS` in Paris."""
    return datetime.fromtimestamp(due_at / SECOND_MS, PARIS).strftime("%Y-%m-%d %H:%M:%S")


def _complain_of_day(inputs: Inputs, day: date | None, due_at: int | None, complain: Complain, *, now: int) -> None:
    field = "scheduledDeliveryDate"
    if not inputs.has(field):
        complain(field, "La date est requise")
    elif day is None:
        complain(field, "La date est invalide")
    elif due_at < now if due_at is not None else day < datetime.fromtimestamp(now / SECOND_MS, PARIS).date():
        given, hour, minute = (inputs.text(name).strip() for name in FIELDS)
        complain(field, f"La date ({given} à {hour}:{minute}) est anterieure a la date actuelle.")


def _day(text: str) -> date | None:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    try:
        # Two days of room at the end of the calendar, for the hour 24 and for time zones.
        return date(int(found[3]), int(found[2]), int(found[1])) + timedelta(days=2) - timedelta(days=2)
    except (ValueError, OverflowError):
        return None


def _small(text: str, most: int) -> int | None:
    text = text.strip()
    return int(text) if _SMALL.fullmatch(text) and int(text) <= most else None


def _instant(day: date, hour: int, minute: int) -> int:
    """Return the instant; the hour 24 is the next midnight. Of a repeated hour (DST), the first counts."""
    local = datetime(day.year, day.month, day.day, tzinfo=PARIS) + timedelta(hours=hour, minutes=minute)
    return int(local.timestamp()) * SECOND_MS
