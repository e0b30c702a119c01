"""The outbox of callbacks: routing, recording, replaying; claims are in `callback_claims`.

New rows are in no index but the recipient's: the transaction that keeps receipts must stay fast.
`route_callbacks` reads what lies beyond the last id it saw, and from then on partial indexes find what is open.
"""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.callback import FAILING_MS, GONE, CallbackPhase, Outcome
from esito.domain.errors import NoSuchCallback
from esito.store.interface.callback_store import ClaimedCallbacks, ClaimRequest, Turn
from esito.store.sql_connection import Act, Connection, SqlValue
from esito.store.transactions.callback_claims import DISABLED, ORPHANED, CallbackClaims, promote
from esito.store.transactions.origins import digest_of, origin_of, path_of

OUTBOX = "callbacks"
"""What one process at a time routes, claims and records."""

ROUTED = "callbacks_routed"
"""The setting that keeps the last id that was routed."""

REPLAYED_AT_ONCE = 100


class TurnRequest(NamedTuple):
    """What one turn of a worker is about."""

    outcomes: Sequence[Outcome]
    wanted: ClaimRequest
    route: int
    """New callbacks that are routed at the most."""


class CallbackTurns:
    """The transactions of workers; it remembers whose turn it is, and the writer's thread alone uses it."""

    def __init__(self) -> None:
        self._claims = CallbackClaims()

    def claim(self, connection: Connection, wishes: Sequence[ClaimRequest]) -> list[ClaimedCallbacks]:
        """Lease callbacks that are due, for every destination in turn up to its free slots."""
        connection.hold(OUTBOX)
        return [self._claims.claim(connection, wanted) for wanted in wishes]

    def turn(self, connection: Connection, turns: Sequence[TurnRequest]) -> list[Turn]:
        """Record, route and claim."""
        connection.hold(OUTBOX)
        return [
            Turn(
                given_up=record_outcomes(connection, one.outcomes),
                routed=route_callbacks(connection, one.wanted.at, one.route),
                claimed=self._claims.claim(connection, one.wanted),
            )
            for one in turns
        ]


def free_leases(connection: Connection, at: int) -> int:
    """Make due what a dead process was making; return how many."""
    return connection.run("free_all_leases", next_at=at)


# -- routing -----------------------------------------------------------------------------------


class _New(NamedTuple):
    """A callback that nobody has looked at; without its message it has no account."""

    id: int
    account: int | None
    sandbox: int | None
    url: str | None
    behind: int


def route_callbacks(connection: Connection, at: int, limit: int) -> int:
    """Give new callbacks their destination, and give up what waits for a disabled one."""
    # Where others write too, a row with a lower number may come later: an index knows what is new.
    kept = 0 if connection.shared else connection.number("setting", name=ROUTED)
    new = connection.rows("new_callbacks", _New, after=kept, limit=limit)
    if new:
        destinations = _Destinations(connection)
        connection.run_rows("route_callbacks", [_place(destinations, one, at) for one in new])
        if not connection.shared:
            connection.run("keep_setting", name=ROUTED, value=str(new[-1].id))
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


def record_outcomes(connection: Connection, outcomes: Sequence[Outcome]) -> int:
    """Keep attempts and what they came to; return how many callbacks were given up."""
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


def replay_one(connection: Connection, account_id: int, callback_id: int, at: int) -> int:
    """Make one callback again; return how many that was. Raises NoSuchCallback."""
    if not connection.number("is_callback_of", callback=callback_id, account=account_id):
        raise NoSuchCallback
    found = connection.numbers("replayable", callback=callback_id, account=account_id)
    _replay(connection, found, at)
    return len(found)


def last_callback(read: Connection) -> int:
    """Return the number of the newest callback."""
    return read.number("last_callback")


def replay_portion(
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
