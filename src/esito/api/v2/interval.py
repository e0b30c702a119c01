"""From when until when: the parameters `from` and `to` of searches and exports."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from esito.api.http.paging import LONGEST_DATE
from esito.api.http.request import AccountRequest
from esito.api.http.schema import Parameters
from esito.domain.errors import IntervalInvalid
from esito.domain.timing import SECOND_MS

LAST_MOMENT = 2**53
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MILLISECONDS = re.compile(r"[0-9]{1,15}")


class IntervalQuery(Parameters):
    """From when until when."""

    from_: (
        Annotated[
            str,
            Meta(description="A day or moment of ISO 8601, UTC unless it says otherwise, or milliseconds."),
        ]
        | UnsetType
    ) = field(name="from", default=UNSET)
    to: Annotated[str, Meta(description="The same; a day is meant whole.")] | UnsetType = UNSET


def interval(request: AccountRequest) -> tuple[int, int]:
    """Return from when until before when, in milliseconds. Raises IntervalInvalid.

    A day of `to` is meant whole, and so is a second.
    """
    since = _moment(request.inputs.text("from").strip(), end=False, absent=0)
    until = _moment(request.inputs.text("to").strip(), end=True, absent=LAST_MOMENT)
    if since > until:
        raise IntervalInvalid
    return since, until


def _moment(text: str, *, end: bool, absent: int) -> int:
    """Return an instant of an ISO 8601 day or moment (UTC unless it says otherwise), or of milliseconds."""
    if not text:
        return absent
    if len(text) > LONGEST_DATE:
        raise IntervalInvalid
    if _MILLISECONDS.fullmatch(text):
        return int(text) + end
    try:
        # A plus that form-decoding turned into a blank.
        moment = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", text) if "T" in text else text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        step = timedelta(days=1) if _DAY.fullmatch(text) else timedelta(seconds=1)
        instant = int(moment.timestamp() * SECOND_MS)
        return max(instant + int(step.total_seconds()) * SECOND_MS * end, 0)
    except (ValueError, OverflowError):
        raise IntervalInvalid from None
