"""What we ask of a database about replies: keeping them, whole or in parts, and showing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from esito.domain.account import Account
from esito.domain.opt_out import StopWords
from esito.domain.reply import Reply, ReplyKind


class RepliesKept(NamedTuple):
    """What keeping replies came to."""

    responses: int = 0
    """Replies that are whole now."""
    stops: int = 0
    """Those of them that put a number on a STOP list, or found it there."""
    pushed: int = 0
    """Callbacks that were written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLine:
    """One whole reply to an account."""

    number: int
    """Later ones are greater."""
    received_at: int
    """When its first part came."""
    source: str
    """E.164 with plus where it is a number."""
    destination: str
    kind: ReplyKind
    text: str
    message_id: int | None
    """What it answers; None for a reply to an own long number that answers nothing."""
    missing: int
    """Parts that never came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAnswer:
    """What a subscriber who sent STOP is to be told."""

    number: int
    account: Account
    msisdn: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """A long reply that was given up: its parts were joined as far as they had come."""

    link: str
    source: str
    destination: str
    missing: int


class ReplyStore(Protocol):
    """What subscribers wrote."""

    async def keep(self, pieces: Sequence[Reply], words: StopWords) -> RepliesKept:
        """Keep pieces of replies and everything that follows from them, in one transaction.

        A piece that makes a reply whole is matched with the newest message its sender was sent; a STOP
        puts the number on that account's list; a message with a `urlResponse` gets its callback row. A
        piece the operator repeats is kept and has no consequence.
        """

    async def give_up(self, words: StopWords, *, at: int, limit: int = 100) -> list[Incomplete]:
        """Join the parts of up to `limit` long replies that have waited for the others long enough."""

    async def page(self, account_id: int, *, after: int, limit: int, source: str | None = None) -> list[ReplyLine]:
        """Return up to `limit` whole replies beyond number `after`, oldest first; `source`: of one number (digits)."""

    async def stop_answers(self, *, limit: int = 100) -> list[StopAnswer]:
        """Return what is still to be sent to those who sent STOP, oldest first."""

    async def stop_answered(self, number: int, message_id: int | None) -> None:
        """Note that an answer was sent as this message, or that it never will be (None)."""

    async def list_recipients(self, *, at: int) -> int:
        """Make some more recipients, accepted since the last call, quick to find by number; return how many.

        Those not listed yet are found too, only slower. Forgets those that no reply can belong to any more.
        """
