"""The outbox of callbacks in SQLite: sorting, claiming under a lease, recording, replaying.

New rows are in no index but the recipient's: the transaction that keeps receipts must stay fast.
`sort` reads what lies beyond the last id it saw, and from then on partial indexes find what is open.
"""

from collections.abc import Sequence
from typing import Any, cast

from esito.domain.callback import FAILING_MS, GONE, Callback, CallbackLine, Destination, Kind, Outcome, Phase
from esito.domain.errors import NoSuchCallback
from esito.store.callbacks import Claimed, Turn, Wanted
from esito.store.origins import origin_of
from esito.store.tables import callback_lists
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection, SqlValue

OUTBOX = "callbacks"
"""What one process at a time sorts, claims and records."""

SORTED = "callbacks_sorted"
"""The setting that keeps the last id that was sorted."""

DESTINATIONS_AT_ONCE = 500
"""Destinations that one claim looks at; the next claim goes on behind the last of them."""

BURIED_AT_ONCE = 300
REPLAYED_AT_ONCE = 300

ORPHANED = "its message was deleted"
DISABLED = "destination disabled: {}"


class CallbackOutbox(Area):
    """The handlers behind `Store.callbacks`."""

    _after = 0
    """The last destination that a claim looked at; the writer's thread alone uses it."""

    async def free_leases(self, at: int) -> int:
        """Make due what a dead process was making; return how many."""
        return cast("int", await self._act(lambda open_: open_.run("free_all_leases", at)))

    async def sort(self, at: int, *, limit: int = 1000) -> int:
        """Find the destination of up to `limit` new callbacks; return how many there were."""
        return cast("int", await self._act(lambda open_: _sort(open_, at, limit)))

    async def claim(self, wanted: Wanted) -> Claimed:
        """Lease callbacks that are due, for every destination in turn up to its free slots."""
        return cast("Claimed", await self._do(self._claim, wanted))

    async def record(self, outcomes: Sequence[Outcome]) -> int:
        """Keep attempts and what they came to; return how many callbacks were given up."""
        return cast("int", await self._act(lambda open_: _record(open_, outcomes)))

    async def turn(self, outcomes: Sequence[Outcome], wanted: Wanted, *, sort: int = 1000) -> Turn:
        """Record, sort and claim in one transaction."""
        return cast("Turn", await self._do(self._turn, (outcomes, wanted, sort)))

    async def replay(self, account_id: int, callback_id: int, at: int) -> int:
        """Make one callback again; return how many that was. Raises NoSuchCallback."""

        def act(open_: Connection) -> int:
            if not open_.number("is_callback_of", callback_id, account_id):
                raise NoSuchCallback
            found = _numbers(open_, "replayable", callback_id, account_id)
            _replay(open_, found, at)
            return len(found)

        return cast("int", await self._act(act))

    async def replay_since(self, account_id: int, since: int, at: int, *, dead_only: bool = False) -> int:
        """Make again every finished callback whose change is not older than `since`; return how many.

        A thousand to a transaction, so that receipts are kept meanwhile.
        """
        name = "dead_since" if dead_only else "finished_since"
        last = await self._ask(lambda read: read.number("last_callback"))
        count = 0
        for destination in await self._ask_long(account_id, lambda read: _numbers(read, "destination_ids", account_id)):
            mark = (since, 0)
            while True:
                found = cast("list[tuple[int, int]]", await self._act(_portion(name, destination, mark, last, at)))
                if not found:
                    break
                mark = found[-1]
                count += len(found)
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
        return [self._lease(connection, wanted) for wanted in wishes]

    def _turn(self, connection: Connection, turns: Sequence[tuple[Sequence[Outcome], Wanted, int]]) -> list[Turn]:
        connection.hold(OUTBOX)
        return [
            Turn(
                given_up=_record(connection, outcomes),
                sorted=_sort(connection, wanted.at, sort),
                claimed=self._lease(connection, wanted),
            )
            for outcomes, wanted, sort in turns
        ]

    def _lease(self, connection: Connection, wanted: Wanted) -> Claimed:
        disabled = set(_numbers(connection, "disabled_destinations"))
        chosen: list[int] = []
        next_at: int | None = None
        for destination in self._in_turn(connection):
            left = wanted.limit - len(chosen)
            if left <= 0:
                break
            self._after = destination
            if destination in disabled:
                continue
            _end_leases(connection, destination, wanted)
            room = min(wanted.slots.get(destination, wanted.each), max(1, left // 4))
            due, later = _due(connection, destination, room, wanted.at)
            chosen += due
            if later is not None:
                next_at = later if next_at is None else min(later, next_at)
        if not chosen:
            return Claimed(callbacks=[], next_at=next_at)
        callbacks = [_callback(row) for row in connection.ask("callbacks_to_make", chosen)]
        leased = [one.id for one in callbacks]
        connection.run("lease_callbacks", wanted.at + wanted.lease_ms, leased)
        connection.run_rows("bury_callbacks", [(one, wanted.at, ORPHANED) for one in set(chosen) - set(leased)])
        return Claimed(callbacks=callbacks, next_at=next_at)

    def _in_turn(self, connection: Connection) -> list[int]:
        """Return destinations that have open callbacks, beginning behind the last one looked at."""
        behind = _numbers(connection, "open_destinations", self._after, DESTINATIONS_AT_ONCE)
        if len(behind) == DESTINATIONS_AT_ONCE or not self._after:
            return behind
        first = _numbers(connection, "open_destinations", 0, DESTINATIONS_AT_ONCE - len(behind))
        return behind + [one for one in first if one <= self._after]


# -- sorting -----------------------------------------------------------------------------------


def _sort(connection: Connection, at: int, limit: int) -> int:
    """Give new callbacks their destination, and bury what waits for a disabled one."""
    # Where others write too, a row with a lower number may come later: an index knows what is new.
    kept = 0 if connection.shared else connection.number("setting", SORTED)
    new = connection.rows("new_callbacks", kept, limit)
    if new:
        destinations = _Destinations(connection)
        rows = cast("list[tuple[int, int | None, str | None, int]]", new)
        connection.run_rows("sort_callbacks", [_place(destinations, row, at) for row in rows])
        if not connection.shared:
            connection.run("keep_setting", SORTED, str(rows[-1][0]))
    _bury(connection, at)
    return len(new)


def _place(
    destinations: "_Destinations", row: tuple[int, int | None, str | None, int], at: int
) -> tuple[SqlValue, ...]:
    number, account, url, behind = row
    if account is None:
        return (number, None, Phase.DEAD, None, at, ORPHANED)
    origin = origin_of(url) or ""
    destination, reason = destinations.of(account, origin)
    if not origin:
        return (number, destination, Phase.DEAD, None, at, "its URL cannot be called")
    if reason is not None:
        return (number, destination, Phase.DEAD, None, at, DISABLED.format(reason))
    if behind:
        return (number, destination, Phase.BEHIND, None, None, None)
    return (number, destination, Phase.DUE, at, None, None)


class _Destinations:
    """Finds or makes destinations, each once in a batch."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[int, str], tuple[int, str | None]] = {}

    def of(self, account: int, origin: str) -> tuple[int, str | None]:
        """Return number and, of a disabled one, the reason."""
        key = (account, origin)
        if key not in self._known:
            found = self._connection.row("destination_of", *key)
            if found is None:
                self._known[key] = (self._connection.number("insert_destination", *key), None)
            else:
                number, disabled, reason = found
                self._known[key] = (int(str(number)), str(reason) if disabled else None)
        return self._known[key]


def _bury(connection: Connection, at: int) -> None:
    left = BURIED_AT_ONCE  # over all destinations: the next transaction goes on
    for destination, reason in connection.rows("disabled_with_callbacks"):
        due = _numbers(connection, "due_of_destination", destination, left)
        left -= len(due)
        connection.run_rows("bury_callbacks", [(number, at, DISABLED.format(reason)) for number in due])
        _promote(connection, due, at)
        if left <= 0:
            break


# -- claiming ----------------------------------------------------------------------------------


def _end_leases(connection: Connection, destination: int, wanted: Wanted) -> None:
    ended = [
        number
        for number in _numbers(connection, "ended_leases", destination, wanted.at)
        if number not in wanted.holding
    ]
    if ended:
        connection.run("free_callbacks", wanted.at, ended)


def _due(connection: Connection, destination: int, room: int, at: int) -> tuple[list[int], int | None]:
    """Return up to `room` callbacks that are due, and when the next is; None when it is due already or unknown."""
    due: list[int] = []
    for number, next_at in connection.rows("claimable", destination, max(room, 0) + 1):
        instant = int(str(next_at))
        if instant > at:
            return due, instant
        if len(due) < room:
            due.append(int(str(number)))
    return due, None


def _callback(row: Sequence[Any]) -> Callback:
    (number, message_id, seq, kind, state, at, attempts, tries, first_at, destination, url, body, tag, msisdn, cost,
     secret, sequence) = row  # fmt: skip
    return Callback(
        id=number,
        message_id=message_id,
        seq=seq,
        kind=Kind(kind),
        state=state,
        at=at,
        attempts=attempts,
        tries=tries,
        first_at=first_at,
        destination=destination,
        url=url or "",
        body=body,
        tag=tag,
        msisdn=msisdn,
        cost=cost,
        secret=secret,
        sequence=sequence,
    )


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
    _promote(connection, finished, max((one.ended_at for one in outcomes), default=0))
    _judge(connection, outcomes)
    return sum(not one.done and one.next_at is None for one in outcomes)


def _recorded(one: Outcome) -> tuple[SqlValue, ...]:
    number, attempt = one.callback.id, one.callback.attempts + 1
    if one.done:
        return (number, attempt, one.at, Phase.DONE, None, one.ended_at, None)
    if one.next_at is None:
        return (number, attempt, one.at, Phase.DEAD, None, one.ended_at, f"given up: {one.said}")
    return (number, attempt, one.at, Phase.DUE, one.next_at, None, None)


def _judge(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Note how the destinations fare; disable those that are gone, or failing for too long."""
    succeeded = {one.callback.destination: one.ended_at for one in outcomes if one.done}
    for destination, at in succeeded.items():
        connection.run("destination_succeeded", destination, at)
    failed = {one.callback.destination: one for one in outcomes if not one.done}
    for destination, one in failed.items():
        if destination in succeeded:
            continue
        since = int(str(connection.value("destination_failed", destination, one.at)))
        if one.ended_at - since >= FAILING_MS:
            reason = "five days without a success"
            connection.run("disable_destination", destination, one.ended_at, reason)
    for destination, at in {one.callback.destination: one.ended_at for one in outcomes if one.status == GONE}.items():
        connection.run("disable_destination", destination, at, "HTTP 410")


# -- replaying ---------------------------------------------------------------------------------


def _portion(name: str, destination: int, mark: tuple[int, int], last: int, at: int) -> Any:
    """Return an act that replays some callbacks beyond `mark` and returns where each stands."""

    def act(open_: Connection) -> list[tuple[int, int]]:
        rows = open_.rows(name, destination, *mark, last, REPLAYED_AT_ONCE)
        found = cast("list[tuple[int, int]]", rows)
        _replay(open_, [number for _, number in found], at)
        return found

    return act


def _replay(connection: Connection, numbers: Sequence[int], at: int) -> None:
    if not numbers:
        return
    which = numbers
    connection.run("enable_destinations", which)
    connection.run("hold_heads", which)
    connection.run("put_behind", which)
    _promote(connection, numbers, at)


def _promote(connection: Connection, finished: Sequence[int], at: int) -> None:
    """Make due whatever waited behind these alone."""
    if finished:
        connection.run("promote_callbacks", at, finished)


# -- small ways to ask -------------------------------------------------------------------------


def _numbers(connection: Connection, name: str, *parameters: SqlValue) -> list[int]:
    """Return the first column of an answer."""
    return [int(str(row[0])) for row in connection.rows(name, *parameters)]
