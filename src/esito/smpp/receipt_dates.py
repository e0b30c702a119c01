"""Reads the dates of a receipt, which carry no zone: where a clock change leaves two answers, the likelier one."""

from datetime import datetime, tzinfo
from functools import lru_cache

from esito.domain.receipt import SKEW_MS
from esito.domain.timing import SECOND_MS

_WITHIN_MINUTE_MS = 60 * SECOND_MS
"""Dates may count minutes only: of two in one minute, either may seem to be the earlier."""


def read_dates(submitted: str, done: str, *, at: int, zone: tzinfo) -> tuple[int | None, int | None, str]:
    """Return submit date and done date in milliseconds UTC, and a flag when the done date cannot be the truth.

    `at` is when the receipt came. In the hour that a clock change repeats, and the one it leaves out, a date may
    mean two instants: the message is done after it was submitted, and as near to the receipt as it can be.
    """
    submits, dones = _pair(submitted, done, zone)
    if len(dones) == 1 and len(submits) == 1 and dones[0] <= at + SKEW_MS:  # nearly always
        return submits[0], dones[0], ""
    if done and not dones:
        return _latest(submits, at + SKEW_MS), None, "bad_date"
    possible = [one for one in dones if one <= at + SKEW_MS]
    if dones and not possible:
        return _latest(submits, at + SKEW_MS), None, "skewed_date"
    if len(possible) > 1 and submits:
        possible = [one for one in possible if one >= submits[0] - _WITHIN_MINUTE_MS] or possible
    done_at = min(possible, key=lambda one: abs(at - one), default=None)
    return _latest(submits, at + SKEW_MS if done_at is None else done_at + _WITHIN_MINUTE_MS), done_at, ""


def _latest(candidates: tuple[int, ...], limit: int) -> int | None:
    """Return the latest that is not beyond the limit; the earliest where all are."""
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    return max((one for one in candidates if one <= limit), default=candidates[0])


@lru_cache(maxsize=4096)
def _pair(submitted: str, done: str, zone: tzinfo) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what both dates may mean. Receipts of one minute share the work."""
    return instants(submitted, zone), instants(done, zone)


def instants(written: str, zone: tzinfo) -> tuple[int, ...]:
    """Return what a date may mean, earliest first; nothing when it is none."""
    moment = _read_date(written)
    if moment is None:
        return ()
    both = {int(moment.replace(tzinfo=zone, fold=fold).timestamp() * SECOND_MS) for fold in (0, 1)}
    return tuple(sorted(both))


def _read_date(written: str) -> datetime | None:
    """Read YYMMDDhhmm, with seconds, or with a four-digit year; None when it is no date."""
    if not (written.isascii() and written.isdecimal()):
        return None
    if len(written) in {12, 14} and written.startswith("20") and (full := _date(written[:14], 4)):
        return full
    return _date(written, 2) if len(written) in {10, 12} else None


def _date(written: str, year: int) -> datetime | None:
    month, day, hour, minute, *rest = (int(written[place : place + 2]) for place in range(year, len(written), 2))
    century = 2000 if year == 2 else 0
    try:
        return datetime(int(written[:year]) + century, month, day, hour, minute, rest[0] if rest else 0)  # noqa: DTZ001  caller's zone
    except ValueError:
        return None
