"""The SQLite store: the promises of `store.base`, kept by one writer and one reader."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import apsw
import msgspec
import structlog

from esito.domain.account import Account, AccountState, ApiKey
from esito.domain.errors import StoreError, StoreUnavailable
from esito.domain.evidence import RecipientEvidence
from esito.domain.id_forms import Learned
from esito.domain.message import NewMessage, Submission, SubmitAnswer
from esito.domain.pricing import from_micros, to_micros
from esito.domain.receipt import DeliveryReceipt
from esito.domain.timing import RealClock
from esito.store.base import Counts, LinkRecord, PairStatus, RecipientDetail, Settled, StatusRow, TagPage
from esito.store.records import Event, MessageOverview, Orphan, RecipientLine
from esito.store.sqlite import accounts, explaining
from esito.store.sqlite.accepting import Accepting
from esito.store.sqlite.auditing import note
from esito.store.sqlite.books import read_books
from esito.store.sqlite.callbacks import SqliteCallbacks
from esito.store.sqlite.connection import QUERIES, connect, migrate, require_safe_engine, value
from esito.store.sqlite.counting import read_counts
from esito.store.sqlite.expiry import Expiring, Expiry
from esito.store.sqlite.ledger import Ledger
from esito.store.sqlite.links import Links
from esito.store.sqlite.replies import Replies
from esito.store.sqlite.retention import Retention
from esito.store.sqlite.searching import Searching
from esito.store.sqlite.sending import Sending
from esito.store.sqlite.settling import Settling
from esito.store.sqlite.stops import Stops
from esito.store.sqlite.submitting import Answers, Claim, Submitting
from esito.store.sqlite.writer import Writer

log = structlog.get_logger()


KEYS_KEPT = 1_000
"""Accounts by key that are remembered while nothing is committed."""

LEAST_FREE = 1_000_000
"""Octets of free disk below which we say that nothing can be written: a small commit may succeed, the next not."""


def _stop_at_once(error: Exception) -> None:
    """End the process: after a failed commit nothing we could still say would be sure (design 5)."""
    log.critical("commit_failed", error=str(error), consequence="the process stops and must be started again")
    os._exit(70)


class SqliteStore:
    """A `Store` in one SQLite file."""

    def __init__(
        self, path: Path, *, failed: Callable[[Exception], None] = _stop_at_once, actor: str = "server"
    ) -> None:
        """`failed` is told, from the writer thread, of a commit whose end is unknown; `actor` is who administers."""
        self._actor = actor
        self._path = path
        self._links = Links()
        self._writer = Writer(self._open_for_writing, failed=failed)
        self._reader: apsw.Connection | None = None
        self._accepting = Accepting()
        self._submitting = Submitting(self._links)
        self._settling = Settling(self._links)
        self._expiring = Expiring(self._links)
        # The handler is compared by identity when neighbours are grouped, so it is bound once.
        self._claim, self._answer, self._recover = (
            self._submitting.claim,
            self._submitting.answer,
            self._submitting.recover,
        )
        self._register = self._links.register
        self.ledger = Ledger(self._writer, lambda: self._read)
        self.sending = Sending(self._writer, lambda: self._read)
        self.callbacks = SqliteCallbacks(self._writer, lambda: self._read)
        self.stops = Stops(self._writer, lambda: self._read)
        self.replies = Replies(self._writer, lambda: self._read, self._links)
        self.retention = Retention(self._writer, lambda: self._read)
        self.searching = Searching(self._writer, lambda: self._read)
        # Good until anybody, another process too, commits anything: `data_version` tells.
        self._accounts: dict[bytes, Account] = {}
        self._accounts_of = -1

    async def open(self) -> None:
        """Open the database and apply the migrations it lacks."""
        require_safe_engine(apsw.sqlite_lib_version())
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"cannot make {self._path.parent}: {error.strerror}") from error
        await self._writer.start()
        self._reader = connect(self._path, read_only=True)

    def _open_for_writing(self) -> apsw.Connection:
        connection = connect(self._path)
        migrate(connection)
        return connection

    async def close(self) -> None:
        """Finish what was begun and close; idempotent."""
        await self._writer.stop()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @property
    def depth(self) -> int:
        """How many writes wait for the next commit."""
        return self._writer.depth

    @property
    def _read(self) -> apsw.Connection:
        if self._reader is None:
            raise StoreUnavailable("the store is not open")
        return self._reader

    # -- accounts ---------------------------------------------------------------------------

    async def _administer(self, act: accounts.Act, did: str = "", subject: str = "", details: str = "") -> Any:
        """Perform an act; with a word for what was `did`, it is noted in the audit log in the same transaction."""
        if not did:
            return await self._writer.do(accounts.perform, act)

        def noted(connection: apsw.Connection) -> Any:
            result = act(connection)
            at = RealClock().now()
            note(connection, at=at, actor=self._actor, act=did, subject=subject, details=details)
            return result

        return await self._writer.do(accounts.perform, noted)

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

    async def change_profile(self, account: str, changes: Mapping[str, object]) -> Account:
        """Set some settings of an account. Raises NoSuchAccount."""
        changed = await self._administer(
            lambda open_: accounts.change_profile(open_, account, changes),
            "profile changed",
            account,
            ", ".join(changes),  # not what they are set to: a secret may be among them
        )
        return cast("Account", changed)

    async def accounts(self) -> list[tuple[Account, list[ApiKey]]]:
        """Return every account with its keys, by name."""
        found = [accounts.read_account(row) for row in self._read.execute(QUERIES["all_accounts"])]
        return [
            (one, [accounts.read_key(row) for row in self._read.execute(QUERIES["keys_of"], (one.id,))])
            for one in found
        ]

    async def account_by_key(self, key_digest: bytes) -> Account | None:
        """Return whose key this is; None for an unknown or disabled key."""
        read = self._read
        version = read.execute("PRAGMA data_version").get
        if version != self._accounts_of or len(self._accounts) > KEYS_KEPT:
            self._accounts = {}
            self._accounts_of = version
        elif key_digest in self._accounts:
            return self._accounts[key_digest]
        row = read.execute(QUERIES["account_by_key"], (key_digest,)).fetchone()
        if row is None:
            return None
        account = accounts.read_account(row)
        self._accounts[key_digest] = account
        return account

    # -- the life of a message --------------------------------------------------------------

    async def register_links(self, links: Sequence[LinkRecord]) -> dict[str, int]:
        """Keep the links that are configured; return the number of each, stable over restarts."""
        return cast("dict[str, int]", await self._writer.do(self._register, links))

    async def accept(self, message: NewMessage) -> int:
        """Keep message, recipients, texts and price; return the id. Raises NotEnoughCredit."""
        return cast("int", await self._writer.do(self._accepting, message))

    async def recover(self, at: int) -> int:
        """Settle what a dead process left between submit_sm and its response."""
        return cast("int", await self._writer.do(self._recover, at))

    async def claim(self, link: str, *, limit: int, at: int) -> list[Submission]:
        """Return up to `limit` segments to submit by this link now, their intent kept."""
        return cast("list[Submission]", await self._writer.do(self._claim, Claim(link, limit, at)))

    async def record_answers(self, link: str, answers: Sequence[SubmitAnswer]) -> int:
        """Keep what became of submissions; return how many recipients moved."""
        return cast("int", await self._writer.do(self._answer, Answers(link, answers)))

    async def apply_receipts(self, receipts: Sequence[DeliveryReceipt]) -> Settled:
        """Move each recipient up the ladder, in one transaction; tell what it came to."""
        return cast("Settled", await self._writer.do(self._settling, receipts))

    async def expire(self, at: int, *, limit: int = 1000) -> int:
        """Infer EXPIRED for recipients without a final word 48 h after their submission."""
        return cast("int", await self._writer.do(self._expiring, Expiry(at, limit)))

    # -- questions --------------------------------------------------------------------------

    async def recipients_of(self, account_id: int, message_id: int) -> list[StatusRow] | None:
        """Return every recipient of a message in order of submission."""
        rows = self._read.execute(QUERIES["recipients_of"], (message_id, account_id)).fetchall()
        return cast("list[StatusRow]", rows) or None

    async def recipient_of(self, account_id: int, message_id: int, msisdn: str) -> RecipientDetail | None:
        """Return one recipient."""
        row = self._find(account_id, message_id, msisdn)
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
            currency="EUR",
        )

    def _find(self, account_id: int, message_id: int, msisdn: str) -> tuple[int, int, int, int] | None:
        digits = msisdn.removeprefix("+")
        if not digits.isdecimal():
            return None
        found = self._read.execute(QUERIES["recipient_of"], (message_id, account_id, int(digits))).fetchone()
        return cast("tuple[int, int, int, int] | None", found)

    async def statuses_of(self, account_id: int, pairs: Sequence[tuple[int, str]]) -> list[PairStatus | None]:
        """Answer (message id, MSISDN) pairs in their order."""
        found = [self._find(account_id, message_id, msisdn) for message_id, msisdn in pairs]
        return [None if row is None else PairStatus(row[0], row[1], bool(row[3])) for row in found]

    async def recipients_by_tag(self, account_id: int, tag: str, *, page: int, size: int) -> TagPage | None:
        """Return a page of the recipients of all messages with this tag, oldest first."""
        total = value(self._read, QUERIES["tag_total"], (account_id, tag))
        if not total:
            return None
        offset = min((page - 1) * size, total)
        rows = self._read.execute(QUERIES["recipients_by_tag"], (account_id, tag, size, offset)).fetchall()
        return TagPage(total=total, rows=cast("list[StatusRow]", rows))

    async def to_send(self, account_id: int) -> int:
        """Count the recipients of this account that are accepted and not yet submitted."""
        return value(self._read, QUERIES["to_send"], (account_id,))

    async def stopped_among(self, account_id: int, msisdns: Sequence[int]) -> set[int]:
        """Return those of the numbers that are on the account's STOP list."""
        wanted = msgspec.json.encode(msisdns).decode()
        return {int(str(row[0])) for row in self._read.execute(QUERIES["stopped_among"], (account_id, wanted))}

    async def has_stops(self, account_id: int) -> bool:
        """Tell whether the account's STOP list has anything on it."""
        return bool(value(self._read, "SELECT EXISTS (SELECT 1 FROM stop WHERE account = ?)", (account_id,)))

    async def due(self, link: str, at: int) -> bool:
        """Tell whether this link has anything to submit now."""
        return bool(value(self._read, QUERIES["due"], (self._links.named(link).id, at)))

    def id_forms(self) -> dict[str, Learned]:
        """Return what is known of the ids in receipts, by operator."""
        return self._links.by_operator()

    async def counts(self) -> Counts:
        """Count what the store holds; it scans, so it has a thread and a connection of its own."""
        return await asyncio.to_thread(read_counts, self._path)

    async def writable(self) -> bool:
        """Tell whether a commit succeeds right now, and more than a few would."""
        free = os.statvfs(self._path.parent)
        if free.f_bavail * free.f_frsize < LEAST_FREE:
            return False
        try:
            await self.keep_setting("written_at", "now")
        except StoreError:
            return False
        return True

    async def check(self) -> AsyncIterator[str]:
        """Yield a sentence for everything that does not add up, on a connection of its own."""
        connection = connect(self._path, read_only=True)
        try:
            for sentence in read_books(connection):
                yield sentence
                await asyncio.sleep(0)
        finally:
            connection.close()

    # -- settings that outlive a process ----------------------------------------------------

    async def setting(self, name: str) -> str | None:
        """Return a kept value."""
        found = self._read.execute(QUERIES["setting"], (name,)).get
        return None if found is None else str(found)

    async def keep_setting(self, name: str, value_: str) -> None:
        """Keep a value."""
        await self._administer(lambda open_: open_.execute(QUERIES["keep_setting"], (name, value_)).fetchall())

    # -- explanations -----------------------------------------------------------------------

    async def message_of(self, account_id: int, message_id: int) -> MessageOverview | None:
        """Return one message and how its recipients stand."""
        return explaining.read_message(self._read, account_id, message_id)

    async def recipients_page(
        self, account_id: int, message_id: int, *, states: Sequence[int], after: int, limit: int
    ) -> list[RecipientLine] | None:
        """Return a page of a message's recipients."""
        return explaining.read_page(self._read, account_id, message_id, states=states, after=after, limit=limit)

    async def evidence_of(self, account_id: int, message_id: int, msisdn: str) -> RecipientEvidence | None:
        """Return everything that bears on one recipient."""
        return explaining.read_evidence(self._read, account_id, message_id, msisdn)

    async def events(self, account_id: int, *, after: int | None, limit: int) -> tuple[list[Event], int]:
        """Return events of the account's messages, and the next cursor."""
        return explaining.read_events(self._read, account_id, after=after, limit=limit)

    async def orphans(self, *, after: int, limit: int) -> list[Orphan]:
        """Return receipts that match no segment."""
        return explaining.read_orphans(self._read, after=after, limit=limit)
