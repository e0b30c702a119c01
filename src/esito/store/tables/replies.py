"""Replies in SQLite: kept, joined, matched and told of within the writer's transaction."""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.opt_out import StopWords
from esito.domain.reply import INCOMPLETE_AFTER_MS, Reply, ReplyKind
from esito.store.replies import Incomplete, Kept, ReplyShown, StopAnswer
from esito.store.tables.accounts import read_account
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection
from esito.store.tables.engine import Engine
from esito.store.tables.links import LinkRegistry
from esito.store.tables.reply_desk import ReplyDesk
from esito.store.tables.sent_to import list_recipients


class _Pieces(NamedTuple):
    """What one caller of `keep` brought."""

    replies: Sequence[Reply]
    words: StopWords


class _Reply(NamedTuple):
    """A whole reply as it is kept."""

    id: int
    received_at: int
    source: str
    destination: str
    kind: str
    text: str
    message_id: int | None
    missing: int


class _OverduePart(NamedTuple):
    """A part of a long reply that has waited for the others long enough."""

    link: str
    operator: int
    source: str
    destination: str
    reference: int
    total: int


class _StopAnswerDue(NamedTuple):
    """An answer to a STOP that is still to be sent, and at the end the account it is of."""

    response: int
    msisdn: str
    sender: str
    text: str
    account: int
    name: str
    state: str
    credit: int
    profile: str
    networks: str


class Replies(Area):
    """The handlers behind `Store.replies`."""

    def __init__(self, engine: Engine, registry: LinkRegistry) -> None:
        super().__init__(engine)
        self._registry = registry

    async def keep(self, replies: Sequence[Reply], words: StopWords) -> Kept:
        """Keep pieces of replies and everything that follows from them."""
        return await self._engine.do(self._keep_all, _Pieces(replies, words), alone=True)

    def _keep_all(self, connection: Connection, batches: Sequence[_Pieces]) -> list[Kept]:
        results = []
        for batch in batches:
            desk = ReplyDesk(connection, self._registry.now, batch.words)
            desk.look_up(batch.replies)
            for reply in batch.replies:
                desk.take(reply)
            results.append(desk.kept)
        return results

    async def give_up(self, words: StopWords, *, at: int, limit: int = 100) -> list[Incomplete]:
        """Join the parts of long replies that have waited for the others long enough."""
        return await self._act(lambda open_: self._give_up(open_, words, at, limit))

    def _give_up(self, connection: Connection, words: StopWords, at: int, limit: int) -> list[Incomplete]:
        desk = ReplyDesk(connection, self._registry.now, words)
        given_up: list[Incomplete] = []
        seen: set[tuple[int, str, str, int, int]] = set()
        for part in connection.rows("waiting_since", _OverduePart, before=at - INCOMPLETE_AFTER_MS, limit=limit):
            reply = part[1:]  # by whichever link of the operator its parts came
            if reply in seen:
                continue
            seen.add(reply)
            missing = desk.give_up(part.link, part.source, part.destination, part.reference, part.total)
            given_up.append(
                Incomplete(link=part.link, source=part.source, destination=part.destination, missing=missing)
            )
        return given_up

    async def page(self, account_id: int, *, after: int, limit: int, source: str | None = None) -> list[ReplyShown]:
        """Return whole replies, oldest first."""
        rows = await self._ask(
            lambda read: read.rows("replies_page", _Reply, account=account_id, after=after, source=source, limit=limit)
        )
        return [_shown(row) for row in rows]

    async def stop_answers(self, *, limit: int = 100) -> list[StopAnswer]:
        """Return what is still to be sent to those who sent STOP."""
        rows = await self._ask(lambda read: read.rows("stop_answers_due", _StopAnswerDue, limit=limit))
        return [
            StopAnswer(
                number=row.response,
                msisdn=row.msisdn,
                sender=row.sender,
                text=row.text,
                account=read_account(row[4:]),
            )
            for row in rows
        ]

    async def stop_answered(self, number: int, message_id: int | None) -> None:
        """Note that an answer was sent, or that it never will be."""
        await self._act(lambda open_: open_.run("stop_answer_done", response=number, message_id=message_id))

    async def list_recipients(self, *, at: int) -> int:
        """Make some more recipients quick to find by number; return how many."""
        return await self._act_patiently(lambda open_: list_recipients(open_, at))


def _shown(row: _Reply) -> ReplyShown:
    return ReplyShown(
        number=row.id,
        received_at=row.received_at,
        source=row.source,
        destination=row.destination,
        kind=ReplyKind(row.kind),
        text=row.text,
        message_id=row.message_id,
        missing=row.missing,
    )
