"""The outbox of callbacks: sorting, recording, replaying; claims are in `callback_claims`.

New rows are in no index but the recipient's: the transaction that keeps receipts must stay fast.
`sort` reads what lies beyond the last id it saw, and from then on partial indexes find what is open.
"""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.callback import FAILING_MS, GONE, CallbackLine, CallbackPhase, Destination, Outcome
from esito.domain.errors import NoSuchCallback
from esito.store.callbacks import Claimed, Turn, Wanted
from esito.store.origins import digest_of, origin_of, path_of
from esito.store.tables import callback_lists
from esito.store.tables.area import Area
from esito.store.tables.callback_claims import DISABLED, ORPHANED, CallbackClaims, promote
from esito.store.tables.connection import Connection, SqlValue
from esito.store.tables.engine import Act, Engine
from esito.store.tables.shares import Shares

OUTBOX = "callbacks"
"""What one process at a time sorts, claims and records."""

SORTED = "callbacks_sorted"
"""The setting that keeps the last id that was sorted."""

REPLAYED_AT_ONCE = 100


class CallbackOutbox(Area):
    """The handlers behind `Store.callbacks`."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._claims = CallbackClaims()  # the writer's thread alone uses it
        self._replays = Shares(most=1)

    async def free_leases(self, at: int) -> int:
        """Make due what a dead process was making; return how many."""
        return await self._act(lambda open_: open_.run("free_all_leases", next_at=at))

    async def sort(self, at: int, *, limit: int = 1000) -> int:
        """Find the destination of up to `limit` new callbacks; return how many there were."""
        return await self._act(lambda open_: _sort(open_, at, limit))

    async def claim(self, wanted: Wanted) -> Claimed:
        """Lease callbacks that are due, for every destination in turn up to its free slots."""
        return await self._do(self._claim, wanted)

    async def record(self, outcomes: Sequence[Outcome]) -> int:
        """Keep attempts and what they came to; return how many callbacks were given up."""
        return await self._act(lambda open_: _record(open_, outcomes))

    async def turn(self, outcomes: Sequence[Outcome], wanted: Wanted, *, sort: int = 1000) -> Turn:
        """Record, sort and claim in one transaction."""
        return await self._do_patiently(self._turn, (outcomes, wanted, sort))

    async def replay(self, account_id: int, callback_id: int, at: int) -> int:
        """Make one callback again; return how many that was. Raises NoSuchCallback."""

        def act(open_: Connection) -> int:
            if not open_.number("is_callback_of", callback=callback_id, account=account_id):
                raise NoSuchCallback
            found = open_.numbers("replayable", callback=callback_id, account=account_id)
            _replay(open_, found, at)
            return len(found)

        return await self._act(act)

    async def replay_since(self, account_id: int, since: int, at: int, *, dead_only: bool = False) -> int:
        """Make again every finished callback whose change is not older than `since`; return how many.

        Some hundred to a transaction, so that receipts are kept meanwhile, and one replay of an account at a time.
        """
        top = await self._engine.top_of(account_id)
        return await self._replays.do(top, 1, lambda: self._replay_since(account_id, since, at, dead_only=dead_only))

    async def _replay_since(self, account_id: int, since: int, at: int, *, dead_only: bool) -> int:
        phases = (CallbackPhase.DEAD,) if dead_only else (CallbackPhase.DONE, CallbackPhase.DEAD)
        last = await self._ask(lambda read: read.number("last_callback"))
        count, mark = 0, (since, 0)
        while portion := await self._act_patiently(_portion(account_id, phases, mark, last, at), alone=False):
            mark = portion[-1]
            count += len(portion)
        return count

    async def page(
        self,
        account_id: int,
        *,
        status: str = "",
        message_id: int | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 100,
    ) -> list[CallbackLine]:
        """Return up to `limit` callbacks, newest first."""
        return await self._ask_long(
            account_id,
            lambda read: callback_lists.read_page(
                read, account_id, status=status, message_id=message_id, before=before, limit=limit
            ),
        )

    async def one(self, account_id: int, callback_id: int) -> CallbackLine | None:
        """Return a callback with its log of attempts."""
        return await self._ask_long(account_id, lambda read: callback_lists.read_one(read, account_id, callback_id))

    async def destinations(self, account_id: int, *, after: str = "", limit: int = 100) -> list[Destination]:
        """Return a page of where the account's callbacks go."""
        return await self._ask_long(
            account_id, lambda read: callback_lists.read_destinations(read, account_id, after=after, limit=limit)
        )

    async def waiting(self) -> tuple[int, int]:
        """Return how many callbacks wait to be made, and how many are dead."""
        return await self._ask(callback_lists.read_waiting)

    def _claim(self, connection: Connection, wishes: Sequence[Wanted]) -> list[Claimed]:
        connection.hold(OUTBOX)
        return [self._claims.claim(connection, wanted) for wanted in wishes]

    def _turn(self, connection: Connection, turns: Sequence[tuple[Sequence[Outcome], Wanted, int]]) -> list[Turn]:
        connection.hold(OUTBOX)
        return [
            Turn(
                given_up=_record(connection, outcomes),
                sorted=_sort(connection, wanted.at, sort),
                claimed=self._claims.claim(connection, wanted),
            )
            for outcomes, wanted, sort in turns
        ]


# -- sorting -----------------------------------------------------------------------------------


class _New(NamedTuple):
    """A callback that nobody has looked at; without its message it has no account."""

    id: int
    account: int | None
    sandbox: int | None
    url: str | None
    behind: int


def _sort(connection: Connection, at: int, limit: int) -> int:
    """Give new callbacks their destination, and bury what waits for a disabled one."""
    # Where others write too, a row with a lower number may come later: an index knows what is new.
    kept = 0 if connection.shared else connection.number("setting", name=SORTED)
    new = connection.rows("new_callbacks", _New, after=kept, limit=limit)
    if new:
        destinations = _Destinations(connection)
        connection.run_rows("sort_callbacks", [_place(destinations, one, at) for one in new])
        if not connection.shared:
            connection.run("keep_setting", name=SORTED, value=str(new[-1].id))
    return len(new)


def _place(destinations: "_Destinations", new: _New, at: int) -> tuple[SqlValue, ...]:
    number, account, sandbox, url, behind = new
    if account is None:
        return (number, None, CallbackPhase.DEAD, None, at, ORPHANED, None, 0)
    origin = origin_of(url) or ""
    destination, reason = destinations.of(account, origin)
    if not origin:
        return (number, destination, CallbackPhase.DEAD, None, at, "its URL cannot be called", account, sandbox)
    if reason is not None:
        return (number, destination, CallbackPhase.DEAD, None, at, DISABLED.format(reason), account, sandbox)
    if behind:
        return (number, destination, CallbackPhase.BEHIND, None, None, None, account, sandbox)
    return (number, destination, CallbackPhase.DUE, at, None, None, account, sandbox)


class _Destinations:
    """Finds or makes destinations, each once in a batch."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[int, str], tuple[int, str | None]] = {}

    def of(self, account: int, origin: str) -> tuple[int, str | None]:
        """Return number and, of a disabled one, the reason."""
        key = (account, origin)
        if key not in self._known:
            found = self._connection.row("destination_of", tuple[int, int, str | None], account=account, origin=origin)
            if found is None:
                self._known[key] = (self._connection.number("insert_destination", account=account, origin=origin), None)
            else:
                number, disabled, reason = found
                self._known[key] = (number, (reason or "") if disabled else None)
        return self._known[key]


# -- recording ---------------------------------------------------------------------------------


def _record(connection: Connection, outcomes: Sequence[Outcome]) -> int:
    connection.run_rows("record_attempts", [_recorded(one) for one in outcomes])
    connection.run_rows(
        "insert_attempts",
        [
            (
                one.callback.id,
                one.callback.attempts + 1,
                one.at,
                one.milliseconds,
                one.status,
                one.error,
                one.address,
                one.answer,
            )
            for one in outcomes
        ],
    )
    finished = [one.callback.id for one in outcomes if one.done or one.next_at is None]
    promote(connection, finished, max((one.ended_at for one in outcomes), default=0))
    _judge(connection, outcomes)
    return sum(not one.done and one.next_at is None for one in outcomes)


def _recorded(one: Outcome) -> tuple[SqlValue, ...]:
    number, attempt = one.callback.id, one.callback.attempts + 1
    if one.done:
        return (number, attempt, one.at, CallbackPhase.DONE, None, one.ended_at, None)
    if one.next_at is None:
        return (number, attempt, one.at, CallbackPhase.DEAD, None, one.ended_at, f"given up: {one.said}")
    return (number, attempt, one.at, CallbackPhase.DUE, one.next_at, None, None)


def _judge(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Note how the destinations fare; disable those that fail for too long, and paths that are gone."""
    succeeded = {one.callback.destination: one.ended_at for one in outcomes if one.done}
    for destination, at in succeeded.items():
        connection.run("destination_succeeded", destination=destination, at=at)
    failed = {one.callback.destination: one for one in outcomes if not one.done and one.status != GONE}
    for destination, one in failed.items():
        if destination in succeeded:
            continue
        since = connection.number("destination_failed", destination=destination, at=one.at)
        if one.ended_at - since >= FAILING_MS:
            reason = "five days without a success"
            connection.run("disable_destination", destination=destination, at=one.ended_at, reason=reason)
    for one in outcomes:
        if one.status == GONE:
            path = path_of(one.callback.url)
            connection.run(
                "path_is_gone", destination=one.callback.destination, digest=digest_of(path), path=path, at=one.ended_at
            )
    for destination in {one.callback.destination for one in outcomes if one.status == GONE}:
        connection.run("forget_gone_paths", destination=destination)


# -- replaying ---------------------------------------------------------------------------------


def _portion(
    account_id: int, phases: Sequence[CallbackPhase], mark: tuple[int, int], last: int, at: int
) -> Act[list[tuple[int, int]]]:
    """Return an act that replays some callbacks beyond `mark` and returns where each stands."""

    def act(open_: Connection) -> list[tuple[int, int]]:
        open_.hold(OUTBOX)  # it gets in the way of turns alone: sends and receipts go on beside it
        rows = [
            row
            for phase in phases
            for row in open_.rows(
                "finished_since",
                tuple[int, int],
                account=account_id,
                standing=phase,
                after_at=mark[0],
                after_id=mark[1],
                last=last,
                limit=REPLAYED_AT_ONCE,
            )
        ]
        found = sorted(rows)[:REPLAYED_AT_ONCE]
        _replay(open_, [number for _, number in found], at)
        return found

    return act


def _replay(connection: Connection, callbacks: Sequence[int], at: int) -> None:
    if not callbacks:
        return
    connection.run("enable_destinations", callbacks=callbacks)
    urls = connection.rows("urls_of_gone", tuple[int, str | None], callbacks=callbacks)
    for destination, digest in {(destination, digest_of(path_of(url or ""))) for destination, url in urls}:
        connection.run("path_is_back", destination=destination, digest=digest)
    connection.run("hold_heads", callbacks=callbacks)
    connection.run("put_behind", callbacks=callbacks)
    promote(connection, callbacks, at)
