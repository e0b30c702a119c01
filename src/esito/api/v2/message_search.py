"""Finding messages by tag, reference and time, and erasing a number from one's own."""

import re
from datetime import UTC, datetime, timedelta

from esito.api.http.paging import LONGEST_DATE, cursor_like, page_limit
from esito.api.http.request import AccountRequest, as_number_text
from esito.api.http.response import Response
from esito.api.http.xml import Value
from esito.api.v2.message_overview import STATUSES
from esito.domain.errors import IntervalInvalid, NumberInvalid
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.domain.pricing import as_number
from esito.domain.states import public_word
from esito.domain.timing import SECOND_MS
from esito.store.searching import FoundMessage, Spot, Wanted

MOST_FOUND = 100
"""Messages on a page: the recipients of each are counted."""

LAST_MOMENT = 2**53
_CURSOR = re.compile(r"([0-9]{1,16})-([0-9]{1,16})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MILLISECONDS = re.compile(r"[0-9]{1,15}")


async def search(request: AccountRequest) -> Response:
    """GET /v2/messages: newest first, a page at a time."""
    since, until = interval(request)
    wanted = Wanted(tag=_given(request, "tag"), reference=_given(request, "reference"), since=since, until=until)
    limit = page_limit(request, MOST_FOUND)
    searching = request.services.store.searching
    found = await searching.find(request.account.id, wanted, before=_cursor(request), limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    cursor = f"{page[-1].created_at}-{page[-1].message_id}" if more else None
    return request.answer({"messages": [_shown(one, request.services.currency) for one in page], "next_cursor": cursor})


async def erase_number(request: AccountRequest) -> Response:
    """DELETE /v2/numbers/{msisdn}: from this account's messages and replies."""
    try:
        msisdn = normalise(as_number_text(request.inputs.raw("msisdn")))
    except InvalidMsisdn:
        raise NumberInvalid from None
    erased = await request.services.store.retention.erase(
        msisdn,
        account_id=request.account.id,
        forget_stop=request.inputs.flag("forgetStop"),
        actor=f"account:{request.account.name}",
        at=request.services.clock.now(),
    )
    return request.answer({"recipients": erased.recipients, "replies": erased.replies, "stops": erased.stops})


def _shown(one: FoundMessage, currency: str) -> dict[str, Value]:
    statuses = dict.fromkeys(STATUSES.values(), 0)
    for state, count in one.by_state.items():
        statuses[public_word(state)] += count
    return {
        "id": str(one.message_id),
        "sender": one.sender,
        "tag": one.tag,
        "reference": one.reference,
        "sandbox": one.sandbox,
        "created_at": one.created_at,
        "due_at": one.due_at,
        "recipients": sum(one.by_state.values()),
        "segments": one.segments,
        "cost": as_number(one.cost),
        "currency": currency,
        "statuses": dict(statuses),
    }


def _given(request: AccountRequest, name: str) -> str | None:
    return request.inputs.optional(name) or None


def _cursor(request: AccountRequest) -> Spot | None:
    """Return `cursor` as an earlier answer gave it. Raises InvalidFields."""
    found = cursor_like(request, _CURSOR)
    return Spot(int(found[1]), int(found[2])) if found else None


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
