"""What we conclude when 48 hours have passed without a final word (contract 1.5).

An operator who is asked to try for longer is waited for as long as that.
"""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.message import SegmentRef
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.domain.timing import HOUR_MS, VALIDITY_MS
from esito.store.sql_connection import Connection
from esito.store.transactions.cancelling import give_up_unsent, portion, send_no_more
from esito.store.transactions.known_links import LinkRegistry, Links
from esito.store.transactions.settling import conclude, release

MESSAGES_AT_ONCE = 100

RECIPIENTS_AT_ONCE = 500
"""Recipients of the messages that one transaction looks at; of one message there are no more."""

CONCLUDED_AT_ONCE = 250
"""Segments that one transaction concludes: some tens of milliseconds of the writer's time, and sends go on."""


class Expiry(NamedTuple):
    """Look at messages whose time has come."""

    at: int


class Expiring:
    """The transaction behind `Store.expire`."""

    def __init__(self, registry: LinkRegistry) -> None:
        self._registry = registry

    def __call__(self, connection: Connection, asked: Sequence[Expiry]) -> list[int]:
        """Conclude what can be concluded, and note when to look again."""
        return [_expire(connection, self._registry.now, one.at) for one in asked]


def _expire(connection: Connection, links: Links, at: int) -> int:
    # Receipts that were too many for the transaction in which they could be decided.
    for operator in sorted(links.operators):
        release(connection, links, operator, at=at)
    found = connection.rows("messages_to_check", tuple[int, int, int], at=at, limit=MESSAGES_AT_ONCE)
    few = portion([(message_id, count) for message_id, _, count in found], RECIPIENTS_AT_ONCE)
    messages = {message_id: due_at for message_id, due_at, _ in found if message_id in few}
    if not messages:
        return 0
    over = [message_id for message_id, due_at in messages.items() if at >= due_at + VALIDITY_MS]
    if over:
        give_up_unsent(connection, over, at)
        send_no_more(connection, over)
    silent = [
        (SegmentRef(message_id, seq, part), link, submitted_at + links.waits.get(link, VALIDITY_MS))
        for message_id, seq, part, submitted_at, link in connection.rows(
            "unreported", tuple[int, int, int, int, str], messages=list(messages)
        )
    ]
    ended = [(ref, link) for ref, link, end in silent if end <= at]
    conclude(connection, links, [(ref, _expired(links, link, at)) for ref, link in ended[:CONCLUDED_AT_ONCE]])
    unfinished = {ref.message_id for ref, _ in ended[CONCLUDED_AT_ONCE:]}
    ends: dict[int, int] = {}
    for ref, _, end in silent:
        if end > at:
            ends[ref.message_id] = min(end, ends.get(ref.message_id, end))
    connection.run_rows("set_check", [(one, ends.get(one)) for one in messages if one not in unfinished])
    return len(messages)


def _expired(links: Links, link: str, at: int) -> DeliveryReceipt:
    hours = links.waits.get(link, VALIDITY_MS) // HOUR_MS
    return DeliveryReceipt(
        link=link, smsc_message_id="", state=MessageState.EXPIRED, stat=f"no receipt in {hours} h", received_at=at
    )
