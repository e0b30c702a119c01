"""What we ask of a database, in the language of the field; the docstrings are the promises.

Every write is one transaction that would survive `kill -9` and a power cut when the
call returns. Reads see everything that was committed before they began and never wait
for a writer. Instants are milliseconds since the epoch, UTC; money is micro-euros.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from esito.domain.account import Account, AccountState
from esito.domain.credentials import ApiKey
from esito.domain.evidence import RecipientEvidence
from esito.domain.message import NewMessage, Submission, SubmitAnswer
from esito.domain.operator_habits import Learned
from esito.domain.receipt import DeliveryReceipt
from esito.domain.routing import Route
from esito.domain.status_query import Query, QueryAnswer
from esito.store.interface.account_store import AdministratorStore, LedgerStore, StopStore
from esito.store.interface.callback_store import CallbackStore
from esito.store.interface.frame_store import FrameStore
from esito.store.interface.link_store import Lease, LeaseStore, LinkRecord, LinkSettingStore
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
from esito.store.interface.message_store import SearchStore, SendingStore
from esito.store.interface.reply_store import ReplyStore
from esito.store.interface.retention_store import RetentionStore

CLOCK_OFFSET = "clock_offset_ms"
"""The setting that keeps how far a pushable clock was pushed, so that a restart does not turn it back."""


class Store(Protocol):
    """Everything we ask of a database."""

    @property
    def callbacks(self) -> CallbackStore:
        """The outbox of callbacks."""

    @property
    def stops(self) -> StopStore:
        """The STOP lists."""

    @property
    def replies(self) -> ReplyStore:
        """What subscribers wrote."""

    @property
    def sending(self) -> SendingStore:
        """Cancelling, and what was answered once."""

    @property
    def administrators(self) -> AdministratorStore:
        """Who may look at what belongs to the installation."""

    @property
    def ledger(self) -> LedgerStore:
        """Sub-accounts, credit, spending and the audit log."""

    @property
    def retention(self) -> RetentionStore:
        """Removing what is too old, and erasing."""

    @property
    def searching(self) -> SearchStore:
        """Finding messages, and taking them along."""

    @property
    def leases(self) -> LeaseStore:
        """Who may do what only one process may do."""

    @property
    def links(self) -> LinkSettingStore:
        """Links that commands have added or changed."""

    @property
    def frames(self) -> FrameStore:
        """Receipts that come through a log."""

    @property
    def shared(self) -> bool:
        """Whether several processes may work with it at the same time."""

    @property
    def put_off(self) -> Sequence[str]:
        """A sentence for every migration that must wait until processes of older releases have ended."""

    async def open(self) -> None:
        """Open the database and apply the migrations it lacks, but for those that must wait.

        Raises NewerSchema, UnsafeEngine, StoreUnavailable.
        """

    async def close(self) -> None:
        """Finish what was begun and close; idempotent."""

    # -- accounts ---------------------------------------------------------------------------

    async def create_account(self, name: str, *, credit: Decimal, key_digest: bytes, at: int) -> Account:
        """Keep a new account with its first key. Raises NameTaken."""

    async def add_key(
        self, account: str, *, key_digest: bytes, label: str, at: int, networks: Sequence[str] = ()
    ) -> ApiKey:
        """Keep another key of an account, usable from these networks; none: from everywhere. Raises NoSuchAccount."""

    async def disable_key(self, account: str, key_id: int) -> None:
        """Let one key open nothing any more. Raises NoSuchAccount."""

    async def set_account_state(self, account: str, state: AccountState) -> Account:
        """Open, disable or block an account. Raises NoSuchAccount."""

    async def change_profile(self, account: str, changes: Mapping[str, object], *, at: int | None = None) -> Account:
        """Set some settings of an account, by the names of `Profile`. Raises NoSuchAccount.

        `at` says of which day a ceiling that is set holds first; None: of today.
        """

    async def accounts(self) -> list[tuple[Account, list[ApiKey]]]:
        """Return every account with its keys, by name."""

    async def account_by_key(self, key_digest: bytes) -> Account | None:
        """Return whose key this is; None for an unknown or disabled key."""

    # -- the life of a message --------------------------------------------------------------

    async def register_links(self, links: Sequence[LinkRecord]) -> dict[str, int]:
        """Keep links that are configured; return the number of each, stable over restarts."""

    async def retire_links(self, names: Sequence[str]) -> None:
        """Have no such links any more: others take what waits for them where they may (`domain/routing`).

        Receipts for what they submitted are settled as ever.
        """

    async def register_routes(self, routes: Sequence[Route]) -> dict[Route, int]:
        """Keep routes over registered links; return the number of each, stable over restarts."""

    async def accept(self, message: NewMessage) -> int:
        """Keep message, recipients, texts and price, take the price off the credit; return the id.

        Raises NotEnoughCredit, and then keeps nothing. Ids are increasing integers below 2**53.
        A sandbox message costs nothing and is never submitted; the numbers choose its statuses (domain/message).
        Raises AnsweredBefore where its idempotency key was used, and then keeps nothing.
        """

    async def recover(self, at: int, *, link: str = "", lease: Lease | None = None) -> int:
        """Settle what a dead process left between submit_sm and its response; return how many segments.

        They are uncertain: not submitted twice, unless their link is set to `resubmit_uncertain`.
        Called before any link is started; for one link by whoever has taken it over.
        Raises Fenced, and settles nothing, once the lease under which it is asked has changed hands.
        """

    async def claim(
        self,
        link: str,
        *,
        limit: int,
        at: int,
        lease: Lease | None = None,
        passed_over: frozenset[str] = frozenset(),
    ) -> list[Submission]:
        """Return up to `limit` segments to submit by this link now, their intent kept.

        A segment is handed out once, until `record_answers` says LATER. Accounts take turns (`domain/turns`), and
        what was put off by LATER keeps half of the limit, as does what is fresh. Of `passed_over` links whose place
        this one may take (`domain/routing`), it is given what waits for them.
        Raises Fenced, and hands out nothing, once the lease under which it is asked has changed hands.
        """

    def record_answers(self, link: str, answers: Sequence[SubmitAnswer]) -> Awaitable[int]:
        """Keep what became of submissions, in one transaction; return how many recipients moved.

        A receipt that was parked for an id is settled in the same transaction. The order is that of the calls,
        not of the awaits: receipts that are handed over after this call are settled after these answers.
        """

    async def apply_receipts(self, receipts: Sequence[DeliveryReceipt]) -> Settled:
        """Move each recipient up the ladder, in one transaction; tell what it came to.

        Every receipt gets its row in the trail. One whose submit_sm_resp is not stored yet is
        parked, not dropped. A recipient whose public status changes also gets its callback row,
        if its message has a `urlDlr`.
        """

    async def queries_due(self, link: str, at: int) -> bool:
        """Tell whether this link has anything to ask by query_sm now."""

    async def claim_queries(self, link: str, *, limit: int, at: int, lease: Lease | None = None) -> list[Query]:
        """Return up to `limit` segments to ask about by this link now: answered ones that lack their last word.

        What is handed out is handed out again after a while (`domain/status_query`), unless its answer is kept before.
        Looks at a bounded number of segments; what needs no question any more comes up once.
        Raises Fenced, and hands out nothing, once the lease under which it is asked has changed hands.
        """

    async def record_query_answers(self, link: str, answers: Sequence[QueryAnswer]) -> int:
        """Keep what query_sm were answered, in one transaction; return how many recipients moved.

        Each answer is a row in the trail, and moves its segment if it is believed and says more than is known.
        When to ask next is kept with it.
        """

    async def expire(self, at: int) -> int:
        """Infer EXPIRED for recipients without a final word 48 h, or what their link waits, after their submission.

        Those never submitted 48 h after they were due become KO. One call is one transaction of some hundred
        recipients; it returns how many messages it looked at, 0 when nothing is due any more.
        """

    # -- questions --------------------------------------------------------------------------

    async def recipients_of(self, account_id: int, message_id: int) -> list[StatusRow] | None:
        """Return every recipient of a message in order of submission; None when the account has no such message."""

    async def recipient_of(self, account_id: int, message_id: int, msisdn: str) -> RecipientDetail | None:
        """Return one recipient; None when the account has no such message or the message no such recipient."""

    async def statuses_of(self, account_id: int, pairs: Sequence[tuple[int, str]]) -> list[PairState | None]:
        """Answer (message id, MSISDN) pairs in their order; None where nothing is found."""

    async def recipients_by_tag(self, account_id: int, tag: str, *, page: int, size: int) -> TaggedRecipients | None:
        """Return a page of the recipients of all messages with this tag, oldest first; None for an unknown tag."""

    async def to_send(self, account_id: int) -> int:
        """Count the recipients of this account that are accepted and not yet submitted."""

    async def stopped_among(self, account_id: int, msisdns: Sequence[int]) -> set[int]:
        """Return those of the numbers (digits) that are on the account's STOP list."""

    async def knows_ids(self, link: str, ids: Sequence[str], *, at: int) -> set[str]:
        """Return those of the ids that a segment of the link's operator carries, in whatever spelling, or may yet.

        While the operator owes the answer to a submit_sm, any id may be the one it brings; so for 48 h before `at`
        after an answer was lost. Raises UnknownLink, StoreUnavailable.
        """

    async def id_forms(self) -> dict[str, Learned]:
        """Return what is known of the ids in receipts, by operator, for the links that are registered."""

    async def counts(self) -> Counts:
        """Count what the store holds."""

    async def due(self, link: str, at: int, passed_over: frozenset[str] = frozenset()) -> bool:
        """Tell whether this link has anything to submit now, its own or that of links that are passed over."""

    async def writable(self) -> bool:
        """Tell whether a commit succeeds right now."""

    # -- the books --------------------------------------------------------------------------

    def check(self) -> AsyncIterator[str]:
        """Yield a sentence for everything that does not add up; nothing when all does.

        See architecture.md#books-that-balance.
        """

    # -- settings that outlive a process ----------------------------------------------------

    async def setting(self, name: str) -> str | None:
        """Return a kept value."""

    async def keep_setting(self, name: str, value: str) -> None:
        """Keep a value."""

    # -- explanations -----------------------------------------------------------------------

    async def message_of(self, account_id: int, message_id: int) -> MessageOverview | None:
        """Return one message and how its recipients stand; None when the account has no such message."""

    async def recipients_page(
        self, account_id: int, message_id: int, *, states: Sequence[int], after: int, limit: int
    ) -> list[RecipientLine] | None:
        """Return up to `limit` recipients beyond seq `after` that are in one of the states, in order of submission.

        None when the account has no such message.
        """

    async def evidence_of(self, account_id: int, message_id: int, msisdn: str) -> RecipientEvidence | None:
        """Return everything that bears on one recipient; None when the account has no such message or recipient."""

    async def events(self, account_id: int, *, after: int | None, limit: int) -> tuple[list[Event], int]:
        """Return up to `limit` events of the account's messages beyond a cursor, oldest first, and the next cursor.

        Without a cursor there are none, and the next cursor is that of what comes next. A call looks at a
        bounded number of rows, so a page may be short, or empty, though more follow: then the cursor has moved.
        """

    async def orphans(self, *, after: int, limit: int) -> list[Orphan]:
        """Return up to `limit` receipts that match no segment, oldest first, beyond number `after`."""
