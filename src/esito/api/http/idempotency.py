"""Sends that take effect once, however often they come: the `Idempotency-Key` header (design 6).

The answer is stored in the transaction that stores the message, so that a client that never saw it can repeat the
request, even after a crash, and neither sends nor pays twice.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from esito.api.http.error_answers import with_bare_texts
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response, success
from esito.api.http.xml import Value
from esito.domain.errors import AnsweredBefore, FieldError, IdempotencyKeyReused, InvalidFields
from esito.domain.message import Once

HEADER = b"idempotency-key"
LONGEST_KEY = 255

NOT_ASKED = frozenset({"apiKey", "_format"})
"""Parameters that do not change what is asked for."""


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that came with an idempotency key."""

    key: str
    request: bytes
    """Digest of what is asked."""

    def once(self, members: Mapping[str, Value]) -> Once:
        """Return the record to be kept with the message."""
        answer = {name: value for name, value in members.items() if name != "message_id"}
        return Once(key=self.key, request=self.request, answer=json.dumps(answer))


Sending = Callable[[AccountRequest, IdempotentRequest | None], Awaitable[Response]]


async def answer_once(request: AccountRequest, name: str, sending: Sending) -> Response:
    """Return the stored answer to the same request, else the answer of `sending`. Raises IdempotencyKeyReused."""
    asked = await request.work(lambda: _asked(request, name))
    if asked is None:
        return await sending(request, None)
    before = await _answered(request, asked)
    if before is not None:
        return before
    try:
        return await sending(request, asked)
    except AnsweredBefore:  # the same request came twice at once, and the other was first
        before = await _answered(request, asked)
        if before is None:
            raise
        return before


def _asked(request: AccountRequest, name: str) -> IdempotentRequest | None:
    key = request.header(HEADER).strip()
    if not key:
        return None
    if len(key) > LONGEST_KEY or not key.isprintable():
        error = FieldError(element="children[Idempotency-Key].data", message="La clé d'idempotence n'est pas valide")
        raise InvalidFields([error])
    given = {field: value for field, value in request.inputs.given().items() if field not in NOT_ASKED}
    text = json.dumps([name, given], sort_keys=True, separators=(",", ":"))
    return IdempotentRequest(key, hashlib.sha256(text.encode()).digest())


async def _answered(request: AccountRequest, asked: IdempotentRequest) -> Response | None:
    before = await request.services.store.sending.answered_once(request.account.id, asked.key)
    if before is None:
        return None
    if before.request != asked.request:
        raise IdempotencyKeyReused
    members = {"message_id": before.message_id, **json.loads(before.answer)}
    return success(with_bare_texts(members), xml=request.xml)
