"""What we conclude when 48 hours have passed without a final word (contract 1.5).

An operator who is asked to try for longer is waited for as long as that.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from esito.domain.message import SegmentRef
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.domain.timing import HOUR_MS, VALIDITY_MS
from esito.store.tables.connection import Connection
from esito.store.tables.giving_up import give_up_unsent, send_no_more
from esito.store.tables.links import Links
from esito.store.tables.settling import conclude


class Expiry(NamedTuple):
    """Look at up to `limit` messages whose time has come."""

    at: int
    limit: int


class Expiring:
    """The handler behind `Store.expire`."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def __call__(self, connection: Connection, asked: Sequence[Expiry]) -> list[int]:
        """Conclude what can be concluded, and note when to look again."""
        return [self._expire(connection, *one) for one in asked]

    def _expire(self, connection: Connection, at: int, limit: int) -> int:
        messages: list[Any] = connection.rows("messages_to_check", at, limit)
        for message_id, due_at in messages:
            again = self._expire_message(connection, message_id, due_at, at)
            connection.run("set_check", message_id, again)
        return len(messages)

    def _expire_message(self, connection: Connection, message_id: int, due_at: int, at: int) -> int | None:
        """Return when to look again; None when nothing is left to wait for."""
        if at >= due_at + VALIDITY_MS:
            give_up_unsent(connection, message_id, at)
            send_no_more(connection, message_id, due_at)
        silent: list[Any] = connection.rows("unreported", message_id)
        ends = [
            (SegmentRef(message_id, seq, part), link, submitted_at + self._links.waits.get(link, VALIDITY_MS))
            for seq, part, submitted_at, link in silent
        ]
        conclusions = [(ref, self._expired(link, at)) for ref, link, end in ends if end <= at]
        conclude(connection, self._links, conclusions)
        return min((end for _, _, end in ends if end > at), default=None)

    def _expired(self, link: str, at: int) -> DeliveryReceipt:
        hours = self._links.waits.get(link, VALIDITY_MS) // HOUR_MS
        return DeliveryReceipt(
            link=link, smsc_message_id="", state=MessageState.EXPIRED, stat=f"no receipt in {hours} h", received_at=at
        )
