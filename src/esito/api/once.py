"""Sends that are answered once, however often they come: the `Idempotency-Key` header (design 6).

What was answered is kept in the transaction that keeps the message, so that a client that
never saw the answer may ask again, also after a crash, and neither sends nor pays twice.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from esito.api.answer import Answer
from esito.api.call import Call
from esito.api.xml import Text, Value
from esito.domain.errors import AnsweredBefore, FieldError, IdempotencyKeyReused, InvalidFields
from esito.domain.message import Once

HEADER = b"idempotency-key"
LONGEST_KEY = 255

NOT_ASKED = frozenset({"apiKey", "_format"})
"""Parameters that do not change what is asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came with an idempotency key."""

    key: str
    request: bytes
    """Digest of what is asked."""

    def once(self, members: Mapping[str, Value]) -> Once:
        """Return the record to be kept with the message."""
        answer = {name: value for name, value in members.items() if name != "message_id"}
        return Once(key=self.key, request=self.request, answer=json.dumps(answer))


Sending = Callable[[Call, Asked | None], Awaitable[Answer]]


async def answer_once(call: Call, name: str, sending: Sending) -> Answer:
    """Let `sending` answer unless it, or another process, did so before. Raises IdempotencyKeyReused."""
    asked = await call.work(lambda: _asked(call, name))
    if asked is None:
        return await sending(call, None)
    before = await _answered(call, asked)
    if before is not None:
        return before
    try:
        return await sending(call, asked)
    except AnsweredBefore:  # the same request came twice at once, and the other was first
        before = await _answered(call, asked)
        if before is None:
            raise
        return before


def _asked(call: Call, name: str) -> Asked | None:
    key = call.header(HEADER).strip()
    if not key:
        return None
    if len(key) > LONGEST_KEY or not key.isprintable():
        error = FieldError(element="children[Idempotency-Key].data", message="La clé d'idempotence n'est pas valide")
        raise InvalidFields([error])
    given = {field: value for field, value in call.inputs.items() if field not in NOT_ASKED and call.inputs.has(field)}
    text = json.dumps([name, given], sort_keys=True, separators=(",", ":"))
    return Asked(key, hashlib.sha256(text.encode()).digest())


async def _answered(call: Call, asked: Asked) -> Answer | None:
    before = await call.services.store.sending.answered_once(call.account.id, asked.key)
    if before is None:
        return None
    if before.request != asked.request:
        raise IdempotencyKeyReused
    return call.answer({"message_id": before.message_id, **_as_it_was(json.loads(before.answer))})


def _as_it_was(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members as they were written; the texts of `errors` stand bare in XML."""
    for entry in members.get("errors", ()):
        entry["message"] = Text(entry["message"])
    return members
