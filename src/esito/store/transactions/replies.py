"""Replies: kept, joined, listed, and the answers to a STOP."""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.opt_out import StopWords
from esito.domain.reply import INCOMPLETE_AFTER_MS, Reply, ReplyKind
from esito.store.interface.reply_store import Incomplete, RepliesKept, ReplyLine, StopAnswer
from esito.store.sql_connection import Connection
from esito.store.transactions.accounts import read_account
from esito.store.transactions.known_links import LinkRegistry
from esito.store.transactions.reply_matching import ReplyMatching


class ReplyParts(NamedTuple):
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


class Replying:
    """The transactions behind `Store.replies`."""

    def __init__(self, registry: LinkRegistry) -> None:
        self._registry = registry

    def keep(self, connection: Connection, batches: Sequence[ReplyParts]) -> list[RepliesKept]:
        """Keep pieces of replies and everything that follows from them."""
        results = []
        for batch in batches:
            matching = ReplyMatching(connection, self._registry.now, batch.words)
            matching.look_up(batch.replies)
            for reply in batch.replies:
                matching.take(reply)
            results.append(matching.kept)
        return results

    def give_up(self, connection: Connection, words: StopWords, at: int, limit: int) -> list[Incomplete]:
        """Join the parts of long replies that have waited for the others long enough."""
        matching = ReplyMatching(connection, self._registry.now, words)
        given_up: list[Incomplete] = []
        seen: set[tuple[int, str, str, int, int]] = set()
        for part in connection.rows("waiting_since", _OverduePart, before=at - INCOMPLETE_AFTER_MS, limit=limit):
            reply = part[1:]  # by whichever link of the operator its parts came
            if reply in seen:
                continue
            seen.add(reply)
            missing = matching.give_up(part.link, part.source, part.destination, part.reference, part.total)
            given_up.append(
                Incomplete(link=part.link, source=part.source, destination=part.destination, missing=missing)
            )
        return given_up


def read_replies(read: Connection, account_id: int, *, after: int, limit: int, source: str | None) -> list[ReplyLine]:
    """Return whole replies, oldest first."""
    rows = read.rows("replies_page", _Reply, account=account_id, after=after, source=source, limit=limit)
    return [_shown(row) for row in rows]


def read_stop_answers(read: Connection, limit: int) -> list[StopAnswer]:
    """Return what is still to be sent to those who sent STOP."""
    return [
        StopAnswer(
            number=row.response,
            msisdn=row.msisdn,
            sender=row.sender,
            text=row.text,
            account=read_account(row[4:]),
        )
        for row in read.rows("stop_answers_due", _StopAnswerDue, limit=limit)
    ]


def stop_answered(connection: Connection, number: int, message_id: int | None) -> None:
    """Note that an answer was sent, or that it never will be."""
    connection.run("stop_answer_done", response=number, message_id=message_id)


def _shown(row: _Reply) -> ReplyLine:
    return ReplyLine(
        number=row.id,
        received_at=row.received_at,
        source=row.source,
        destination=row.destination,
        kind=ReplyKind(row.kind),
        text=row.text,
        message_id=row.message_id,
        missing=row.missing,
    )
