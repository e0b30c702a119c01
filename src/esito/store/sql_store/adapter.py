"""The store on SQL: the promises of `store.interface`, kept with whatever engine it is given."""

from collections.abc import AsyncIterator, Awaitable, Sequence

from esito.domain.errors import StoreError
from esito.domain.evidence import RecipientEvidence
from esito.domain.message import NewMessage, Submission, SubmitAnswer
from esito.domain.operator_habits import Learned
from esito.domain.receipt import DeliveryReceipt
from esito.domain.routing import Route
from esito.domain.status_query import Query, QueryAnswer
from esito.store.engine import Engine, WritePriority
from esito.store.interface.link_store import Lease, LinkRecord
from esito.store.interface.message_records import (
    Counts,
    Event,
    MessageOverview,
    Orphan,
    PairState,
    RecipientDetail,
    RecipientLine,
    Settled,
    StatusRow,
    TaggedRecipients,
)
from esito.store.sql_connection import Connection
from esito.store.sql_store.account_parts import AccountPart, AdministratorPart, LedgerPart, StopPart
from esito.store.sql_store.callback_part import CallbackPart
from esito.store.sql_store.link_parts import LeasePart, LinkSettingPart
from esito.store.sql_store.message_parts import RetentionPart, SearchPart, SendingPart
from esito.store.sql_store.receipt_parts import FramePart, ReplyPart
from esito.store.sql_store.shares import Shares
from esito.store.sql_store.tag_pages import TagPages
from esito.store.transactions import auditing, explaining, message_reading
from esito.store.transactions.accepting import Accepting
from esito.store.transactions.books import read_books, read_counts
from esito.store.transactions.claiming import Claim, Claiming, is_anything_due
from esito.store.transactions.expiring import Expiring, Expiry
from esito.store.transactions.id_forms import forms_by_operator, known_ids
from esito.store.transactions.known_links import LinkRegistry
from esito.store.transactions.link_rows import register, register_routes
from esito.store.transactions.querying import QueryAnswers, QueryClaim, Querying, is_query_due
from esito.store.transactions.settling import Settling
from esito.store.transactions.submitting import Answers, Recovery, Submitting

FEW_PAIRS = 20
"""Pairs of message and number that are looked up at once: a message has up to 500 numbers."""


class SqlStore(AccountPart):
    """A `Store` in whatever engine it is given."""

    def __init__(self, engine: Engine, *, actor: str = "server") -> None:
        """`actor` is who administers, as the audit log names it."""
        super().__init__(engine, actor=actor)
        self._registry = LinkRegistry()
        self._accepting = Accepting()
        self._shares = Shares()
        self._submitting = Submitting(self._registry)
        self._claim = Claiming(self._registry)
        self._settling = Settling(self._registry)
        self._expiring = Expiring(self._registry)
        self._querying = Querying(self._registry)
        self.administrators = AdministratorPart(engine)
        self.ledger = LedgerPart(engine)
        self.links = LinkSettingPart(engine)
        self.sending = SendingPart(engine)
        self.callbacks = CallbackPart(engine)
        self.stops = StopPart(engine)
        self.replies = ReplyPart(engine, self._registry)
        self.retention = RetentionPart(engine)
        self.searching = SearchPart(engine)
        self.leases = LeasePart(engine)
        self.frames = FramePart(engine, self._registry)
        self._tag_pages = TagPages()

    @property
    def shared(self) -> bool:
        """Whether several processes may work with it."""
        return self._engine.shared

    @property
    def put_off(self) -> Sequence[str]:
        """A sentence for every migration that must wait."""
        return self._engine.put_off

    async def open(self) -> None:
        """Open the database and apply the migrations it lacks."""
        await self._engine.open()

    async def close(self) -> None:
        """Finish what was begun and close; idempotent."""
        await self._engine.close()

    @property
    def depth(self) -> int:
        """How many writes wait for the next commit."""
        return self._engine.depth

    # -- the life of a message --------------------------------------------------------------

    async def register_links(self, links: Sequence[LinkRecord]) -> dict[str, int]:
        """Keep links that are configured; return the number of each, stable over restarts."""
        numbers, kept = await self._engine.do(register, links, alone=True)
        self._registry.now = self._registry.now.with_registered(links, kept)
        return numbers

    async def retire_links(self, names: Sequence[str]) -> None:
        """Have no such links any more."""
        self._registry.now = self._registry.now.without(names)

    async def register_routes(self, routes: Sequence[Route]) -> dict[Route, int]:
        """Keep routes over registered links; return the number of each."""
        numbers, kept = await self._engine.do(register_routes, routes, alone=True)
        self._registry.now = self._registry.now.with_routes(kept)
        return numbers

    async def accept(self, message: NewMessage) -> int:
        """Keep message, recipients, texts and price; return the id. Raises NotEnoughCredit."""
        top = await self._engine.top_of(message.account_id)
        return await self._shares.do(
            top,
            len(message.recipients),
            lambda: self._engine.do(self._accepting, message, priority=WritePriority.SEND),
        )

    async def recover(self, at: int, *, link: str = "", lease: Lease | None = None) -> int:
        """Settle what a dead process left between submit_sm and its response."""
        return await self._engine.do(self._submitting.recover, Recovery(link, at, lease), alone=True)

    async def claim(
        self,
        link: str,
        *,
        limit: int,
        at: int,
        lease: Lease | None = None,
        passed_over: frozenset[str] = frozenset(),
    ) -> list[Submission]:
        """Return up to `limit` segments to submit by this link now, their intent kept."""
        claim = Claim(link, limit, at, lease, passed_over)
        return await self._engine.do(self._claim, claim)

    def record_answers(self, link: str, answers: Sequence[SubmitAnswer]) -> Awaitable[int]:
        """Keep what became of submissions, before anything that is handed over after this call."""
        return self._engine.do(self._submitting.answer, Answers(link, answers))

    async def apply_receipts(self, receipts: Sequence[DeliveryReceipt]) -> Settled:
        """Move each recipient up the ladder, in one transaction; tell what it came to."""
        return await self._engine.do(self._settling, receipts)

    async def queries_due(self, link: str, at: int) -> bool:
        """Tell whether this link has anything to ask by query_sm now."""
        links = self._registry.now
        return await self._ask(lambda read: is_query_due(read, links, link, at))

    async def claim_queries(self, link: str, *, limit: int, at: int, lease: Lease | None = None) -> list[Query]:
        """Return up to `limit` segments to ask about by this link now."""
        claim = QueryClaim(link, limit, at, lease)
        return await self._engine.do(self._querying.claim, claim)

    async def record_query_answers(self, link: str, answers: Sequence[QueryAnswer]) -> int:
        """Keep what query_sm were answered; return how many recipients moved."""
        return await self._engine.do(self._querying.keep, QueryAnswers(link, answers))

    async def expire(self, at: int) -> int:
        """Infer EXPIRED for recipients without a final word 48 h after their submission."""
        return await self._engine.do(self._expiring, Expiry(at), alone=True)

    # -- questions --------------------------------------------------------------------------

    async def recipients_of(self, account_id: int, message_id: int) -> list[StatusRow] | None:
        """Return every recipient of a message in order of submission."""
        return await self._engine.rows(message_reading.recipients_of(account_id, message_id)) or None

    async def recipient_of(self, account_id: int, message_id: int, msisdn: str) -> RecipientDetail | None:
        """Return one recipient."""
        return await self._ask(lambda read: message_reading.read_recipient(read, account_id, message_id, msisdn))

    async def statuses_of(self, account_id: int, pairs: Sequence[tuple[int, str]]) -> list[PairState | None]:
        """Answer (message id, MSISDN) pairs in their order."""

        def question(read: Connection) -> list[PairState | None]:
            return message_reading.read_pairs(read, account_id, pairs)

        # Who asks for little need not wait for a thread.
        return await (
            self._engine.ask_long(account_id, question) if len(pairs) > FEW_PAIRS else self._engine.ask(question)
        )

    async def recipients_by_tag(self, account_id: int, tag: str, *, page: int, size: int) -> TaggedRecipients | None:
        """Return a page of the recipients of all messages with this tag, oldest first."""
        pages, after = self._tag_pages.before(account_id, tag, page)
        total, rows = await self._engine.ask_long(
            account_id,
            lambda read: message_reading.read_tagged(
                read, account_id, tag, size=size, after=after, skipped=pages * size, before=(page - 1) * size
            ),
        )
        if not total:
            return None
        if len(rows) == size:
            self._tag_pages.ended(account_id, tag, page, rows[-1].end)
        return TaggedRecipients(total=total, rows=[row[:4] for row in rows])

    async def to_send(self, account_id: int) -> int:
        """Count the recipients of this account that are accepted and not yet submitted."""
        return await self._engine.ask_long(account_id, lambda read: message_reading.count_to_send(read, account_id))

    async def stopped_among(self, account_id: int, msisdns: Sequence[int]) -> set[int]:
        """Return those of the numbers that are on the account's STOP list."""
        return await self._ask(lambda read: message_reading.read_stopped(read, account_id, msisdns))

    async def due(self, link: str, at: int, passed_over: frozenset[str] = frozenset()) -> bool:
        """Tell whether this link has anything to submit now."""
        links = self._registry.now
        return await self._ask(lambda read: is_anything_due(read, links, link, at, passed_over))

    async def knows_ids(self, link: str, ids: Sequence[str], *, at: int) -> set[str]:
        """Return those of the ids that may be those of segments of the link's operator."""
        operator = self._registry.now.named(link).operator
        return await self._ask(lambda read: known_ids(read, operator, ids, at=at))

    async def id_forms(self) -> dict[str, Learned]:
        """Return what is known of the ids in receipts, by operator."""
        return await self._ask(lambda read: forms_by_operator(read, self._registry.now))

    async def counts(self) -> Counts:
        """Count what the store holds; it scans, so it is asked aside."""
        return await self._engine.ask_aside(read_counts)

    async def writable(self) -> bool:
        """Tell whether a commit succeeds right now, and more than a few would."""
        try:
            if not await self._engine.room_to_write():
                return False
            await self.keep_setting("written_at", "now")
        except StoreError:
            return False
        return True

    async def check(self) -> AsyncIterator[str]:
        """Yield a sentence for everything that does not add up."""
        for sentence in await self._engine.ask_aside(lambda aside: list(read_books(aside))):
            yield sentence

    # -- settings that outlive a process ----------------------------------------------------

    async def setting(self, name: str) -> str | None:
        """Return a kept value."""
        return await self._ask(lambda read: auditing.read_setting(read, name))

    async def keep_setting(self, name: str, value: str) -> None:
        """Keep a value."""
        await self._act_beside(lambda open_: auditing.keep_setting(open_, name, value))

    # -- explanations -----------------------------------------------------------------------

    async def message_of(self, account_id: int, message_id: int) -> MessageOverview | None:
        """Return one message and how its recipients stand."""
        return await self._ask(lambda read: explaining.read_message(read, account_id, message_id))

    async def recipients_page(
        self, account_id: int, message_id: int, *, states: Sequence[int], after: int, limit: int
    ) -> list[RecipientLine] | None:
        """Return a page of a message's recipients."""
        return await self._ask(
            lambda read: explaining.read_page(read, account_id, message_id, states=states, after=after, limit=limit)
        )

    async def evidence_of(self, account_id: int, message_id: int, msisdn: str) -> RecipientEvidence | None:
        """Return everything that bears on one recipient."""
        return await self._engine.ask_long(
            account_id,
            lambda read: explaining.read_evidence(read, account_id, message_id, msisdn, links=self._registry.now),
        )

    async def events(self, account_id: int, *, after: int | None, limit: int) -> tuple[list[Event], int]:
        """Return events of the account's messages, and the next cursor."""
        return await self._engine.ask_long(
            account_id, lambda read: explaining.read_events(read, account_id, after=after, limit=limit)
        )

    async def orphans(self, *, after: int, limit: int) -> list[Orphan]:
        """Return receipts that match no segment."""
        return await self._ask(lambda read: explaining.read_orphans(read, after=after, limit=limit))
