"""The store over tables: the promises of `store.base`, kept with whatever engine it is given."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, cast

from esito.domain.account import Account, AccountState
from esito.domain.credentials import ApiKey
from esito.domain.errors import StoreError
from esito.domain.evidence import RecipientEvidence
from esito.domain.message import NewMessage, Submission, SubmitAnswer
from esito.domain.operator_habits import Learned
from esito.domain.pricing import from_micros, to_micros
from esito.domain.receipt import DeliveryReceipt
from esito.domain.routing import Route
from esito.domain.status_query import Query, QueryAnswer
from esito.domain.timing import LONGEST_RETRY_MS, RealClock
from esito.store.base import Counts, LinkRecord, PairStatus, RecipientDetail, Settled, StatusRow, TagPage
from esito.store.leases import Lease
from esito.store.records import Event, MessageOverview, Orphan, RecipientLine
from esito.store.tables import accounts, explaining
from esito.store.tables.accepting import Accepting
from esito.store.tables.administrators import Administrators
from esito.store.tables.auditing import note
from esito.store.tables.books import read_books
from esito.store.tables.callbacks import CallbackOutbox
from esito.store.tables.claiming import Claim, Claiming
from esito.store.tables.connection import Connection
from esito.store.tables.counting import read_counts
from esito.store.tables.engine import Engine, Haste
from esito.store.tables.expiry import Expiring, Expiry
from esito.store.tables.intake import Intake
from esito.store.tables.knowing import known_ids
from esito.store.tables.leases import Leases
from esito.store.tables.ledger import Ledger
from esito.store.tables.link_keeper import Keeper
from esito.store.tables.links import Links
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

KEYS_KEPT = 1_000
"""Accounts by key that are remembered while nothing is committed."""

_Answer = TypeVar("_Answer")


class TableStore:
    """A `Store` in whatever engine it is given."""

    def __init__(self, engine: Engine, *, actor: str = "server") -> None:
        """`actor` is who administers, as the audit log names it."""
        self._engine = engine
        self._actor = actor
        self._links = Links()
        self._accepting = Accepting()
        self._shares = Shares()
        self._submitting = Submitting(self._links)
        self._claim = Claiming(self._links)
        self._settling = Settling(self._links)
        self._expiring = Expiring(self._links)
        querying = Querying(self._links)
        self._claim_queries, self._keep_query_answers = querying.claim, querying.keep
        # The handler is compared by identity when neighbours are grouped, so it is bound once.
        self._answer, self._recover = self._submitting.answer, self._submitting.recover
        self._register, self._register_routes = self._links.register, self._links.register_routes
        self._retire = self._links.retire
        self.administrators = Administrators(engine)
        self.ledger = Ledger(engine)
        self.links = Keeper(engine)
        self.sending = Sending(engine)
        self.callbacks = CallbackOutbox(engine)
        self.stops = Stops(engine)
        self.replies = Replies(engine, self._links)
        self.retention = Retention(engine)
        self.searching = Searching(engine)
        self.leases = Leases(engine)
        self.intake = Intake(engine, self._links)
        # Good until anybody, another process too, commits anything.
        self._accounts: dict[bytes, Account] = {}
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

    async def _ask(self, question: Callable[[Connection], _Answer]) -> _Answer:
        return await self._engine.ask(question)

    # -- accounts ---------------------------------------------------------------------------

    async def _administer(self, act: accounts.Act, did: str = "", subject: str = "", details: str = "") -> Any:
        """Perform an act; with a word for what was `did`, it is noted in the audit log in the same transaction."""
        if not did:
            return await self._engine.do(accounts.perform, act)

        def noted(connection: Connection) -> Any:
            result = act(connection)
            at = RealClock().now()
            note(connection, at=at, actor=self._actor, act=did, subject=subject, details=details)
            return result

        return await self._engine.do(accounts.perform, noted, alone=True)

    async def create_account(self, name: str, *, credit: Decimal, key_digest: bytes, at: int) -> Account:
        """Keep a new account with its first key. Raises NameTaken."""
        micros = to_micros(credit)
        made = await self._administer(
            lambda open_: accounts.create_account(open_, name, micros, key_digest, at),
            "account created",
            name,
            f"{credit:+f}",
        )
        return cast("Account", made)

    async def add_key(
        self, account: str, *, key_digest: bytes, label: str, at: int, networks: Sequence[str] = ()
    ) -> ApiKey:
        """Keep another key of an account. Raises NoSuchAccount."""
        made = await self._administer(
            lambda open_: accounts.add_key(open_, account, key_digest, label, at, networks=tuple(networks)),
            "key made",
            account,
            label,
        )
        return cast("ApiKey", made)

    async def disable_key(self, account: str, key_id: int) -> None:
        """Let one key open nothing any more. Raises NoSuchAccount."""
        await self._administer(
            lambda open_: accounts.disable_key(open_, account, key_id), "key disabled", account, str(key_id)
        )

    async def set_account_state(self, account: str, state: AccountState) -> Account:
        """Open, disable or block an account. Raises NoSuchAccount."""
        changed = await self._administer(
            lambda open_: accounts.set_state(open_, account, state), "account set", account, state.value
        )
        return cast("Account", changed)

    async def change_profile(self, account: str, changes: Mapping[str, object], *, at: int | None = None) -> Account:
        """Set some settings of an account. Raises NoSuchAccount."""
        changed = await self._administer(
            lambda open_: accounts.change_profile(open_, account, changes, RealClock().now() if at is None else at),
            "profile changed",
            account,
            ", ".join(changes),  # not what they are set to: a secret may be among them
        )
        return cast("Account", changed)

    async def accounts(self) -> list[tuple[Account, list[ApiKey]]]:
        """Return every account with its keys, by name."""
        return await self._ask(accounts.read_all)

    async def account_by_key(self, key_digest: bytes) -> Account | None:
        """Return whose key this is; None for an unknown or disabled key."""
        if self._engine.stale() or len(self._accounts) > KEYS_KEPT:
            self._accounts = {}
        elif key_digest in self._accounts:
            return self._accounts[key_digest]
        rows = await self._engine.rows("account_by_key", key_digest)
        if not rows:
            return None
        *told, has_stops, parent = rows[0]
        account = accounts.read_account(told, may_have_stops=bool(has_stops))
        if parent is not None:
            account = account.below(await self._ask(lambda read: accounts.account_above(read, parent)))
        self._accounts[key_digest] = account
        return account

    # -- the life of a message --------------------------------------------------------------

    async def register_links(self, links: Sequence[LinkRecord]) -> dict[str, int]:
        """Keep links that are configured; return the number of each, stable over restarts."""
        return cast("dict[str, int]", await self._engine.do(self._register, links, alone=True))

    async def retire_links(self, names: Sequence[str]) -> None:
        """Have no such links any more."""
        await self._engine.do(self._retire, names, alone=True)

    async def register_routes(self, routes: Sequence[Route]) -> dict[Route, int]:
        """Keep routes over registered links; return the number of each."""
        return cast("dict[Route, int]", await self._engine.do(self._register_routes, routes, alone=True))

    async def accept(self, message: NewMessage) -> int:
        """Keep message, recipients, texts and price; return the id. Raises NotEnoughCredit."""
        handed_over = partial(self._engine.do, self._accepting, message, haste=Haste.SEND)
        top = await self._engine.top_of(message.account_id)
        return cast("int", await self._shares.do(top, len(message.recipients), handed_over))

    async def recover(self, at: int, *, link: str = "", lease: Lease | None = None) -> int:
        """Settle what a dead process left between submit_sm and its response."""
        return cast("int", await self._engine.do(self._recover, Recovery(link, at, lease), alone=True))

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
        return cast("list[Submission]", await self._engine.do(self._claim, claim))

    def record_answers(self, link: str, answers: Sequence[SubmitAnswer]) -> Awaitable[int]:
        """Keep what became of submissions, before anything that is handed over after this call."""
        return cast("Awaitable[int]", self._engine.do(self._answer, Answers(link, answers)))

    async def apply_receipts(self, receipts: Sequence[DeliveryReceipt]) -> Settled:
        """Move each recipient up the ladder, in one transaction; tell what it came to."""
        return cast("Settled", await self._engine.do(self._settling, receipts))

    async def queries_due(self, link: str, at: int) -> bool:
        """Tell whether this link has anything to ask by query_sm now."""
        number = self._links.named(link).id
        return bool(await self._ask(lambda read: read.number("queries_due", number, at)))

    async def claim_queries(self, link: str, *, limit: int, at: int, lease: Lease | None = None) -> list[Query]:
        """Return up to `limit` segments to ask about by this link now."""
        claim = QueryClaim(link, limit, at, lease)
        return cast("list[Query]", await self._engine.do(self._claim_queries, claim))

    async def record_query_answers(self, link: str, answers: Sequence[QueryAnswer]) -> int:
        """Keep what query_sm were answered; return how many recipients moved."""
        return cast("int", await self._engine.do(self._keep_query_answers, QueryAnswers(link, answers)))

    async def expire(self, at: int) -> int:
        """Infer EXPIRED for recipients without a final word 48 h after their submission."""
        return cast("int", await self._engine.do(self._expiring, Expiry(at), alone=True))

    # -- questions --------------------------------------------------------------------------

    async def recipients_of(self, account_id: int, message_id: int) -> list[StatusRow] | None:
        """Return every recipient of a message in order of submission."""
        rows = await self._engine.rows("recipients_of", message_id, account_id)
        return cast("list[StatusRow]", rows) or None

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

        def read_page(read: Connection) -> tuple[int, list[Any]]:
            total = read.number("tag_total", account_id, tag)
            if (page - 1) * size >= total:
                return total, []
            return total, read.rows("recipients_by_tag", account_id, tag, size, pages * size, *end)

        total, rows = await self._engine.ask_long(account_id, read_page)
        if not total:
            return None
        if len(rows) == size:
            self._tag_pages.ended(account_id, tag, page, End(*rows[-1][4:]))
        return TagPage(total=total, rows=[row[:4] for row in rows])

    async def to_send(self, account_id: int) -> int:
        """Count the recipients of this account that are accepted and not yet submitted."""
        return await self._engine.ask_long(account_id, lambda read: read.number("to_send", account_id))

    async def stopped_among(self, account_id: int, msisdns: Sequence[int]) -> set[int]:
        """Return those of the numbers that are on the account's STOP list."""
        rows = await self._ask(lambda read: read.rows("stopped_among", account_id, list(msisdns)))
        return {int(msisdn) for (msisdn,) in rows}

    async def due(self, link: str, at: int, passed_over: frozenset[str] = frozenset()) -> bool:
        """Tell whether this link has anything to submit now."""
        routes = self._links.routes_of(link, passed_over)
        links = [self._links.named(link).id, *routes.elsewhere]
        return bool(await self._ask(lambda read: read.number("due", routes.numbers, at, links, at + LONGEST_RETRY_MS)))

    async def knows_ids(self, link: str, ids: Sequence[str], *, at: int) -> set[str]:
        """Return those of the ids that may be those of segments of the link's operator."""
        operator = self._links.named(link).operator
        return await self._ask(lambda read: known_ids(read, operator, ids, at=at))

    async def id_forms(self) -> dict[str, Learned]:
        """Return what is known of the ids in receipts, by operator."""
        return await self._ask(self._links.by_operator)

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
        found = await self._ask(lambda read: read.value("setting", name))
        return None if found is None else str(found)

    async def keep_setting(self, name: str, value_: str) -> None:
        """Keep a value."""
        await self._administer(lambda open_: open_.run("keep_setting", name, value_))

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
            account_id, lambda read: explaining.read_evidence(read, account_id, message_id, msisdn, links=self._links)
        )

    async def events(self, account_id: int, *, after: int | None, limit: int) -> tuple[list[Event], int]:
        """Return events of the account's messages, and the next cursor."""
        return await self._engine.ask_long(
            account_id, lambda read: explaining.read_events(read, account_id, after=after, limit=limit)
        )

    async def orphans(self, *, after: int, limit: int) -> list[Orphan]:
        """Return receipts that match no segment."""
        return await self._ask(lambda read: explaining.read_orphans(read, after=after, limit=limit))
