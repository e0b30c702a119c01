"""The store over tables: the promises of `store.base`, kept with whatever engine it is given."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from esito.domain.errors import StoreError
from esito.domain.evidence import RecipientEvidence
from esito.domain.message import NewMessage, Submission, SubmitAnswer
from esito.domain.operator_habits import Learned
from esito.domain.pricing import from_micros
from esito.domain.receipt import DeliveryReceipt
from esito.domain.routing import Route
from esito.domain.status_query import Query, QueryAnswer
from esito.domain.timing import LONGEST_RETRY_MS
from esito.store.base import Counts, LinkRecord, PairStatus, RecipientDetail, Settled, StatusRow, TagPage
from esito.store.leases import Lease
from esito.store.records import Event, MessageOverview, Orphan, RecipientLine
from esito.store.tables import explaining
from esito.store.tables.accepting import Accepting
from esito.store.tables.accounts import AccountKeeping
from esito.store.tables.administrators import Administrators
from esito.store.tables.books import read_books
from esito.store.tables.callbacks import CallbackOutbox
from esito.store.tables.claiming import Claim, Claiming
from esito.store.tables.connection import Connection
from esito.store.tables.counting import read_counts
from esito.store.tables.engine import Engine, Haste, perform
from esito.store.tables.expiry import Expiring, Expiry
from esito.store.tables.forms import forms_by_operator
from esito.store.tables.intake import Intake
from esito.store.tables.knowing import known_ids
from esito.store.tables.leases import Leases
from esito.store.tables.ledger import Ledger
from esito.store.tables.link_keeper import Keeper
from esito.store.tables.links import LinkRegistry, register, register_routes
from esito.store.tables.querying import QueryAnswers, QueryClaim, Querying
from esito.store.tables.replies import Replies
from esito.store.tables.retention import Retention
from esito.store.tables.searching import Searching
from esito.store.tables.sending import Sending
from esito.store.tables.settling import Settling
from esito.store.tables.shares import Shares
from esito.store.tables.stops import Stops
from esito.store.tables.submitting import Answers, Recovery, Submitting
from esito.store.tables.tag_pages import End, TagPages

FEW_PAIRS = 20
"""Pairs of message and number that are looked up at once: a message has up to 500 numbers."""

_Answer = TypeVar("_Answer")


class Tagged(NamedTuple):
    """A recipient of one of the messages with a tag."""

    msisdn: str
    state: int
    stopped: int
    changed_at: str
    created_at: int
    message_id: int
    seq: int

    @property
    def end(self) -> End:
        """Where a page ends whose last it is."""
        return End(self.created_at, self.message_id, self.seq)


class TableStore(AccountKeeping):
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
        self.administrators = Administrators(engine)
        self.ledger = Ledger(engine)
        self.links = Keeper(engine)
        self.sending = Sending(engine)
        self.callbacks = CallbackOutbox(engine)
        self.stops = Stops(engine)
        self.replies = Replies(engine, self._registry)
        self.retention = Retention(engine)
        self.searching = Searching(engine)
        self.leases = Leases(engine)
        self.intake = Intake(engine, self._registry)
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

    async def _ask_much(self, account_id: int, much: bool, question: Callable[[Connection], _Answer]) -> _Answer:
        """Ask at once what is short, and aside what is not: who asks for little need not wait for a thread."""
        return await (self._engine.ask_long(account_id, question) if much else self._engine.ask(question))

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
            lambda: self._engine.do(self._accepting, message, haste=Haste.SEND),
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
        number = self._registry.now.named(link).id
        return bool(await self._ask(lambda read: read.number("queries_due", link=number, at=at)))

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
        rows = await self._engine.rows(
            "recipients_of", tuple[str, int, int, str], message_id=message_id, account=account_id
        )
        return rows or None

    async def recipient_of(self, account_id: int, message_id: int, msisdn: str) -> RecipientDetail | None:
        """Return one recipient."""
        row = await self._ask(lambda read: explaining.find(read, account_id, message_id, msisdn))
        if row is None:
            return None
        state, changed_at, cost, stopped = row
        return RecipientDetail(
            message_id=message_id,
            msisdn=msisdn,
            state=state,
            changed_at=changed_at,
            stopped=bool(stopped),
            cost=from_micros(cost),
        )

    async def statuses_of(self, account_id: int, pairs: Sequence[tuple[int, str]]) -> list[PairStatus | None]:
        """Answer (message id, MSISDN) pairs in their order."""
        found = await self._ask_much(
            account_id,
            len(pairs) > FEW_PAIRS,
            lambda read: [explaining.find(read, account_id, *pair) for pair in pairs],
        )
        return [None if row is None else PairStatus(row[0], row[1], bool(row[3])) for row in found]

    async def recipients_by_tag(self, account_id: int, tag: str, *, page: int, size: int) -> TagPage | None:
        """Return a page of the recipients of all messages with this tag, oldest first."""
        pages, end = self._tag_pages.before(account_id, tag, page)

        def read_page(read: Connection) -> tuple[int, list[Tagged]]:
            total = read.number("tag_total", account=account_id, tag=tag)
            if (page - 1) * size >= total:
                return total, []
            return total, read.rows(
                "recipients_by_tag",
                Tagged,
                account=account_id,
                tag=tag,
                limit=size,
                offset=pages * size,
                from_at=end.created_at,
                from_id=end.message_id,
                from_seq=end.seq,
            )

        total, rows = await self._engine.ask_long(account_id, read_page)
        if not total:
            return None
        if len(rows) == size:
            self._tag_pages.ended(account_id, tag, page, rows[-1].end)
        return TagPage(total=total, rows=[row[:4] for row in rows])

    async def to_send(self, account_id: int) -> int:
        """Count the recipients of this account that are accepted and not yet submitted."""
        return await self._engine.ask_long(account_id, lambda read: read.number("to_send", account=account_id))

    async def stopped_among(self, account_id: int, msisdns: Sequence[int]) -> set[int]:
        """Return those of the numbers that are on the account's STOP list."""
        return set(
            await self._ask(lambda read: read.numbers("stopped_among", account=account_id, msisdns=list(msisdns)))
        )

    async def due(self, link: str, at: int, passed_over: frozenset[str] = frozenset()) -> bool:
        """Tell whether this link has anything to submit now."""
        routes = self._registry.now.routes_of(link, passed_over)
        links = [self._registry.now.named(link).id, *routes.elsewhere]
        return bool(
            await self._ask(
                lambda read: read.number(
                    "due", routes=routes.numbers, at=at, links=links, too_far=at + LONGEST_RETRY_MS
                )
            )
        )

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
        return await self._ask(lambda read: read.text("setting", name=name))

    async def keep_setting(self, name: str, value: str) -> None:
        """Keep a value."""
        await self._engine.do(perform, lambda open_: open_.run("keep_setting", name=name, value=value))

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
