"""Replies in SQLite: kept, joined, matched and told of within the writer's transaction."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from esito.domain.opt_out import StopWords
from esito.domain.reply import INCOMPLETE_AFTER_MS, Reply, ReplyKind
from esito.store.replies import Incomplete, Kept, ReplyShown, StopAnswer
from esito.store.tables.accounts import read_account
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection
from esito.store.tables.engine import Engine
from esito.store.tables.links import Links
from esito.store.tables.reply_desk import ReplyDesk
from esito.store.tables.sent_to import list_recipients


class _Pieces(NamedTuple):
    """What one caller of `keep` brought."""

    replies: Sequence[Reply]
    words: StopWords


class Replies(Area):
    """The handlers behind `Store.replies`."""

    def __init__(self, engine: Engine, links: Links) -> None:
        super().__init__(engine)
        self._links = links
        # Bound once: the writer compares handlers by identity when it groups neighbours.
        self._keep = self._keep_all

    async def keep(self, replies: Sequence[Reply], words: StopWords) -> Kept:
        """Keep pieces of replies and everything that follows from them."""
        return cast("Kept", await self._engine.do(self._keep, _Pieces(replies, words), alone=True))

    def _keep_all(self, connection: Connection, batches: Sequence[_Pieces]) -> list[Kept]:
        results = []
        for batch in batches:
            desk = ReplyDesk(connection, self._links, batch.words)
            desk.look_up(batch.replies)
            for reply in batch.replies:
                desk.take(reply)
            results.append(desk.kept)
        return results

    async def give_up(self, words: StopWords, *, at: int, limit: int = 100) -> list[Incomplete]:
        """Join the parts of long replies that have waited for the others long enough."""
        return cast("list[Incomplete]", await self._act(lambda open_: self._give_up(open_, words, at, limit)))

    def _give_up(self, connection: Connection, words: StopWords, at: int, limit: int) -> list[Incomplete]:
        desk = ReplyDesk(connection, self._links, words)
        given_up: list[Incomplete] = []
        due = connection.rows("waiting_since", at - INCOMPLETE_AFTER_MS, limit)
        seen: set[tuple[object, ...]] = set()
        for name, *key in due:
            if tuple(key) in seen:
                continue
            seen.add(tuple(key))
            _, source, destination, reference, total = cast("tuple[int, str, str, int, int]", tuple(key))
            missing = desk.give_up(name, source, destination, reference, total)
            given_up.append(Incomplete(link=name, source=source, destination=destination, missing=missing))
        return given_up

    async def page(self, account_id: int, *, after: int, limit: int, source: str | None = None) -> list[ReplyShown]:
        """Return whole replies, oldest first."""
        rows = await self._ask(lambda read: read.rows("replies_page", account_id, after, source, limit))
        return [_shown(cast("tuple[int, int, str, str, str, str, int | None, int]", row)) for row in rows]

    async def stop_answers(self, *, limit: int = 100) -> list[StopAnswer]:
        """Return what is still to be sent to those who sent STOP."""
        rows = await self._ask(lambda read: read.rows("stop_answers_due", limit))
        return [
            StopAnswer(
                number=int(str(number)),
                msisdn=str(msisdn),
                sender=str(sender),
                text=str(text),
                account=read_account(account),
            )
            for number, msisdn, sender, text, *account in rows
        ]

    async def stop_answered(self, number: int, message_id: int | None) -> None:
        """Note that an answer was sent, or that it never will be."""
        await self._act(lambda open_: open_.run("stop_answer_done", number, message_id))

    async def list_recipients(self, *, at: int) -> int:
        """Make some more recipients quick to find by number; return how many."""
        return cast("int", await self._act_patiently(lambda open_: list_recipients(open_, at)))


def _shown(row: tuple[int, int, str, str, str, str, int | None, int]) -> ReplyShown:
    number, received_at, source, destination, kind, text, message_id, missing = row
    return ReplyShown(
        number=number,
        received_at=received_at,
        source=source,
        destination=destination,
        kind=ReplyKind(kind),
        text=text,
        message_id=message_id,
        missing=missing,
    )
