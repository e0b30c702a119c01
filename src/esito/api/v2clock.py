"""Pushing the clock ahead, for demonstrations and tests (design 6, 8)."""

from typing import Any

from esito.api.answer import Answer
from esito.api.call import AdminCall
from esito.domain.errors import FieldError, InvalidFields
from esito.domain.timing import HOUR_MS, SECOND_MS, PushableClock
from esito.lifecycle.clocks import catch_up
from esito.store.base import CLOCK_OFFSET

LONGEST = 10 * 366 * 24 * HOUR_MS
"""A push of more than ten years is a slip."""

UNITS = {"seconds": SECOND_MS, "hours": HOUR_MS}


async def advance(call: AdminCall) -> Answer:
    """POST /v2/clock/advance: push the clock by `seconds` or `hours`; answer what time it is then."""
    clock = call.services.clock
    if not isinstance(clock, PushableClock):
        raise TypeError("only a PushableClock can be pushed")
    given = [_milliseconds(call.inputs.raw(unit), ms) for unit, ms in UNITS.items() if call.inputs.has(unit)]
    by = sum(given)
    if not given or min(given) < 0 or by > LONGEST:
        message = "Le nombre de secondes ou d'heures n'est pas valide"
        raise InvalidFields([FieldError(element="children[seconds].data", message=message)])
    if call.services.store.shared:
        await catch_up(call.services.store, clock)
    now = clock.advance(by)
    # Kept before it is told, so that not even a crash turns it back.
    await call.services.store.keep_setting(CLOCK_OFFSET, str(clock.offset_ms))
    return call.answer({"now": now})


def _milliseconds(value: Any, unit: int) -> int:
    """Return a number of seconds or hours in milliseconds; -1 when it is no such number."""
    try:
        amount = float(value)
        return int(amount * unit) if 0 <= amount * unit <= LONGEST else -1
    except (TypeError, ValueError, OverflowError):
        return -1
