"""What subscribers wrote to an account (design 6)."""

from esito.api.answer import Answer
from esito.api.call import Call, as_number_text
from esito.api.paging import page_cursor, page_limit
from esito.api.xml import Value
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.store.replies import ReplyShown


async def replies(call: Call) -> Answer:
    """GET /v2/replies: whole replies, oldest first, a page at a time; `from` asks for those of one number."""
    limit = page_limit(call)
    after = page_cursor(call, first=0)
    source = None
    if call.inputs.has("from"):
        try:
            source = normalise(as_number_text(call.inputs.raw("from")))[1:]
        except InvalidMsisdn:
            return call.answer({"replies": [], "next_cursor": None})
    found = await call.services.store.replies.page(call.account.id, after=after, limit=limit + 1, source=source)
    page, more = found[:limit], len(found) > limit
    return call.answer(
        {"replies": [_reply(one) for one in page], "next_cursor": str(page[-1].number) if more else None}
    )


def _reply(one: ReplyShown) -> dict[str, Value]:
    return {
        "id": str(one.number),
        "received_at": one.received_at,
        "type": one.kind.value,
        "from": one.source,
        "to": one.destination,
        "text": one.text,
        "message_id": None if one.message_id is None else str(one.message_id),
        "missing_parts": one.missing,
    }
