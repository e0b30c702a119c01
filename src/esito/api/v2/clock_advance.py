"""Pushing the clock ahead, for demonstrations and tests (api.md#clock)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType

from esito.api.http.endpoint import AdminEndpoint
from esito.api.http.request import AdminRequest
from esito.api.http.response import Response
from esito.api.http.schema import GoodAnswer, Parameters
from esito.domain.errors import FieldError, InvalidFields
from esito.domain.timing import HOUR_MS, SECOND_MS, PushableClock
from esito.lifecycle.clocks import catch_up
from esito.store.interface.store import CLOCK_OFFSET

LONGEST = 10 * 366 * 24 * HOUR_MS
"""Ten years; more is taken for a mistake."""

UNITS = {"seconds": SECOND_MS, "hours": HOUR_MS}


class ClockAdvanceRequest(Parameters):
    """How far; one of them at least."""

    more_schema: ClassVar[Mapping[str, object]] = {"minProperties": 1}
    seconds: Annotated[float, Meta(ge=0, le=300_000_000)] | UnsetType = UNSET
    hours: Annotated[float, Meta(ge=0, le=80_000)] | UnsetType = UNSET


class ClockAdvanced(GoodAnswer):
    """What time it is then."""

    now: Annotated[int, Meta(description="Milliseconds since the epoch, UTC.")]


async def advance(request: AdminRequest) -> Response:
    """Push the clock ahead; for demonstrations and tests."""
    clock = request.services.clock
    if not isinstance(clock, PushableClock):
        raise TypeError("only a PushableClock can be pushed")
    given = [_milliseconds(request.inputs.raw(unit), ms) for unit, ms in UNITS.items() if request.inputs.has(unit)]
    by = sum(given)
    if not given or min(given) < 0 or by > LONGEST:
        message = "Le nombre de secondes ou d'heures n'est pas valide"
        raise InvalidFields([FieldError(element="children[seconds].data", message=message)])
    if request.services.store.shared:
        await catch_up(request.services.store, clock)
    now = clock.advance(by)
    # Kept before it is told, so that not even a crash turns it back.
    await request.services.store.keep_setting(CLOCK_OFFSET, str(clock.offset_ms))
    return request.answer(ClockAdvanced(now=now))


def _milliseconds(value: Any, unit: int) -> int:
    """Return a number of seconds or hours in milliseconds; -1 when it is no such number."""
    try:
        amount = float(value)
        return int(amount * unit) if 0 <= amount * unit <= LONGEST else -1
    except (TypeError, ValueError, OverflowError):
        return -1


ADVANCE = AdminEndpoint(
    "POST",
    "/v2/clock/advance",
    advance,
    body=ClockAdvanceRequest(hours=1),
    answer=ClockAdvanced(now=1_600_000_010_000),
    refusals=(InvalidFields,),
)
