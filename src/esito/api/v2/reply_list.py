"""What subscribers wrote to an account (design 6)."""

from esito.api.http.paging import page_cursor, page_limit
from esito.api.http.request import AccountRequest, as_number_text
from esito.api.http.response import Response
from esito.api.http.xml import Value
from esito.domain.msisdn import InvalidMsisdn, normalise
from esito.store.replies import ReplyShown


async def replies(request: AccountRequest) -> Response:
    """GET /v2/replies: whole replies, oldest first, a page at a time; `from` asks for those of one number."""
    limit = page_limit(request)
    after = page_cursor(request, first=0)
    source = None
    if request.inputs.has("from"):
        try:
            source = normalise(as_number_text(request.inputs.raw("from")))[1:]
        except InvalidMsisdn:
            return request.answer({"replies": [], "next_cursor": None})
    found = await request.services.store.replies.page(request.account.id, after=after, limit=limit + 1, source=source)
    page, more = found[:limit], len(found) > limit
    return request.answer(
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
