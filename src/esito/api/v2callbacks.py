"""The outbox of callbacks as its owner sees it: what was tried, what is given up, and once more (design 6)."""

import re
from datetime import UTC, datetime
from typing import Any

from esito.api.answer import Answer
from esito.api.call import Call, as_message_id, as_text
from esito.api.paging import LONGEST_DATE, cursor_like, page_limit, status_among, unusable
from esito.api.v2messages import STATE_NAMES
from esito.api.xml import Value
from esito.domain.callback import AttemptLine, CallbackKind, CallbackLine, CallbackPhase, Destination
from esito.domain.errors import NoSuchCallback
from esito.domain.states import MessageState, public_word
from esito.domain.timing import SECOND_MS

PHASE_WORDS = {
    CallbackPhase.NEW: "waiting",
    CallbackPhase.DUE: "waiting",
    CallbackPhase.LEASED: "in flight",
    CallbackPhase.BEHIND: "waiting",
    CallbackPhase.DONE: "done",
    CallbackPhase.DEAD: "dead",
}
STATUSES = ("waiting", "done", "dead")
"""What a list can be narrowed to; what is in flight is waiting still."""

KINDS = {CallbackKind.REPORT: "report", CallbackKind.REPLY: "reply"}

CURSOR = re.compile(r"([0-9]{1,16})\.([0-9]{1,16})")
_ORIGIN = re.compile(r"https?://[^\s/?#]{1,260}")


async def callbacks(call: Call) -> Answer:
    """GET /v2/callbacks: the callbacks, newest first, a page at a time."""
    limit = page_limit(call)
    status = status_among(call, STATUSES)
    message_id = None
    if call.inputs.has("message"):
        message_id = as_message_id(call.inputs.raw("message")) or 0  # no message has it: an empty list
    found = await call.services.store.callbacks.page(
        call.account.id, status=status, message_id=message_id, before=_cursor(call), limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    cursor = f"{page[-1].at}.{page[-1].id}" if more else None
    return await call.work(
        lambda: call.answer({"callbacks": [_line(one) for one in page], "next_cursor": cursor}), items=len(page)
    )


async def callback(call: Call) -> Answer:
    """GET /v2/callbacks/{id}: one callback with every attempt."""
    number = as_message_id(call.inputs.raw("id"))
    found = None if number is None else await call.services.store.callbacks.one(call.account.id, number)
    if found is None:
        raise NoSuchCallback
    return call.answer({**_line(found), "url": found.url, "log": [_attempt(one) for one in found.log]})


async def destinations(call: Call) -> Answer:
    """GET /v2/callbacks/destinations: where the callbacks go, and how that goes, a page at a time."""
    limit, spot = page_limit(call), cursor_like(call, _ORIGIN)
    after = "" if spot is None else spot[0]
    found = await call.services.store.callbacks.destinations(call.account.id, after=after, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    cursor = page[-1].origin if more else None
    return await call.work(
        lambda: call.answer({"destinations": [_destination(one) for one in page], "next_cursor": cursor}),
        items=len(page),
    )


async def replay(call: Call) -> Answer:
    """POST /v2/callbacks/replay: make one callback again, or all since a moment; answer how many."""
    outbox, now = call.services.store.callbacks, call.services.clock.now()
    if call.inputs.has("id") == call.inputs.has("since"):
        raise unusable("id", "Indiquez soit id, soit since")
    if call.inputs.has("id"):
        number = as_message_id(call.inputs.raw("id"))
        if number is None:
            raise NoSuchCallback
        return call.answer({"replayed": await outbox.replay(call.account.id, number, now)})
    status = status_among(call, {"dead"})
    since = _instant(call.inputs.raw("since"))
    count = await outbox.replay_since(call.account.id, since, now, dead_only=status == "dead")
    return call.answer({"replayed": count})


# -- what is shown -----------------------------------------------------------------------------


def _line(one: CallbackLine) -> dict[str, Value]:
    return {
        "id": one.id,
        "webhook_id": one.webhook_id,
        "kind": KINDS[one.kind],
        "message_id": str(one.message_id),
        "msisdn": one.msisdn,
        "told": public_word(one.state) if one.kind is CallbackKind.REPORT else "",
        "state": STATE_NAMES[MessageState(one.state)] if one.kind is CallbackKind.REPORT else "",
        "at": one.at,
        "status": PHASE_WORDS[one.phase],
        "origin": one.origin,
        "attempts": one.attempts,
        "last_status": one.last_status,
        "last_error": one.last_error,
        "next_attempt_at": one.next_at,
        "finished_at": one.done_at,
        "reason": one.reason,
    }


def _attempt(one: AttemptLine) -> dict[str, Value]:
    return {
        "number": one.number,
        "at": one.at,
        "milliseconds": one.milliseconds,
        "status": one.status,
        "error": one.error,
        "address": one.address,
        "answer": _readable(one.answer),
    }


def _readable(answer: bytes) -> str:
    """Return an answer as text; octets that are none, and controls that XML cannot hold, are shown as such."""
    return "".join(
        sign if sign in "\n\t" or sign.isprintable() else "\ufffd" for sign in answer.decode("utf-8", "replace")
    )


def _destination(one: Destination) -> dict[str, Value]:
    state = "disabled" if one.disabled_at is not None else "failing" if one.failing_since is not None else "good"
    return {
        "origin": one.origin,
        "state": state,
        "reason": one.reason,
        "last_success_at": one.last_success,
        "failing_since": one.failing_since,
        "disabled_at": one.disabled_at,
        "waiting": one.due,
        "dead": one.dead,
        "gone_paths": list(one.gone),
    }


# -- what is asked -----------------------------------------------------------------------------


def _cursor(call: Call) -> tuple[int, int] | None:
    """Return `cursor` as an earlier answer gave it. Raises InvalidFields."""
    found = cursor_like(call, CURSOR)
    return None if found is None else (int(found[1]), int(found[2]))


def _instant(value: Any) -> int:
    """Return `since` in milliseconds: a date of ISO 8601, UTC unless it says otherwise, or milliseconds.

    Raises InvalidFields.
    """
    text = as_text(value).strip()
    if text.isascii() and text.isdecimal() and len(text) <= 15:
        return int(text)
    try:
        moment = datetime.fromisoformat(text[: LONGEST_DATE + 1])
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(aware.timestamp() * SECOND_MS)
    except (ValueError, OverflowError):
        raise unusable("since", "La date n'est pas valide") from None
