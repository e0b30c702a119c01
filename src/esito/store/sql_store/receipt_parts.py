"""What operators bring beside plain receipts, frames that come through a log and replies: the event loop's side."""

from collections.abc import Sequence

from esito.domain.opt_out import StopWords
from esito.domain.reply import Reply
from esito.store.engine import Engine
from esito.store.interface.frame_store import AppliedFrames, Mark, NumberedFrame, Poison
from esito.store.interface.reply_store import Incomplete, RepliesKept, ReplyLine, StopAnswer
from esito.store.sql_store.store_part import StorePart
from esito.store.transactions import applied_frames, replies
from esito.store.transactions.known_links import LinkRegistry
from esito.store.transactions.sent_to import list_recipients


class FramePart(StorePart):
    """What is behind `Store.frames`."""

    def __init__(self, engine: Engine, registry: LinkRegistry) -> None:
        super().__init__(engine)
        self._apply = applied_frames.Applying(registry)

    async def apply(self, frames: Sequence[NumberedFrame]) -> AppliedFrames:
        """Apply the frames that are new."""
        return await self._do(self._apply, frames)

    async def marks(self, gateway: str | None = None) -> list[Mark]:
        """Return how far every gateway is."""
        return await self._ask(lambda read: applied_frames.read_marks(read, gateway))

    async def set_aside(self, place: int, content: bytes, *, reason: str, at: int) -> None:
        """Keep what is no good frame."""
        await self._act_beside(lambda open_: applied_frames.set_aside(open_, place, content, reason=reason, at=at))

    async def poison(self, *, limit: int = 100) -> list[Poison]:
        """Return what was set aside."""
        return await self._ask(lambda read: applied_frames.read_poison(read, limit))


class ReplyPart(StorePart):
    """What is behind `Store.replies`."""

    def __init__(self, engine: Engine, registry: LinkRegistry) -> None:
        super().__init__(engine)
        self._replying = replies.Replying(registry)

    async def keep(self, pieces: Sequence[Reply], words: StopWords) -> RepliesKept:
        """Keep pieces of replies and everything that follows from them."""
        return await self._engine.do(self._replying.keep, replies.ReplyParts(pieces, words), alone=True)

    async def give_up(self, words: StopWords, *, at: int, limit: int = 100) -> list[Incomplete]:
        """Join the parts of long replies that have waited for the others long enough."""
        return await self._act(lambda open_: self._replying.give_up(open_, words, at, limit))

    async def page(self, account_id: int, *, after: int, limit: int, source: str | None = None) -> list[ReplyLine]:
        """Return whole replies, oldest first."""
        return await self._ask(
            lambda read: replies.read_replies(read, account_id, after=after, limit=limit, source=source)
        )

    async def stop_answers(self, *, limit: int = 100) -> list[StopAnswer]:
        """Return what is still to be sent to those who sent STOP."""
        return await self._ask(lambda read: replies.read_stop_answers(read, limit))

    async def stop_answered(self, number: int, message_id: int | None) -> None:
        """Note that an answer was sent, or that it never will be."""
        await self._act(lambda open_: replies.stop_answered(open_, number, message_id))

    async def list_recipients(self, *, at: int) -> int:
        """Make some more recipients quick to find by number; return how many."""
        return await self._act_patiently(lambda open_: list_recipients(open_, at))
