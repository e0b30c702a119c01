"""Claiming callbacks: every account in turn, one destination of each after another, as far as there are slots.

What an account has waiting, and to however many places it goes, costs no other account its turn.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from esito.domain.callback import Callback, CallbackKind
from esito.domain.slots import CallbackTarget
from esito.store.interface.callback_store import ClaimedCallbacks, ClaimRequest
from esito.store.sql_connection import Connection
from esito.store.transactions.origins import address_of, digest_of, path_of

LOOKS = 500
"""Destinations that one claim looks at, and as many of the sandbox; the next claim goes on behind the last of them."""

STEP = 100
"""Destinations of an account that are read at a time."""

MARKS = 10_000
"""Accounts of which it is remembered which destination was looked at last."""

GIVEN_UP_AT_ONCE = 300
"""Callbacks for disabled destinations that one claim gives up."""

ORPHANED = "its message was deleted"

DISABLED = "destination disabled: {}"

GONE_PATH = DISABLED.format("HTTP 410")


class _Server(NamedTuple):
    """A destination that has open callbacks."""

    place: CallbackTarget
    disabled: str | None
    """Why; None: it is not."""


class _OpenDestination(NamedTuple):
    """A destination that has open callbacks, as it is kept."""

    id: int
    origin: str
    disabled: str | None


class _ToMake(NamedTuple):
    """A callback as it is kept, with what its request needs."""

    id: int
    message_id: int
    seq: int
    kind: int
    state: int
    at: int
    attempts: int
    tries: int
    first_at: int | None
    url: str | None
    body: str | None
    tag: str | None
    msisdn: str
    cost: int
    secret: str
    sequence: int


class CallbackClaims:
    """Remembers whose turn it is; used by one thread."""

    def __init__(self) -> None:
        self._last_account = {False: 0, True: 0}
        self._last_destination: dict[tuple[bool, int], int] = {}

    def claim(self, connection: Connection, wanted: ClaimRequest) -> ClaimedCallbacks:
        """Lease what is due and may go out; give up what may never."""
        claim = _Claim(connection, wanted)
        for sandbox in (False, True):
            self._look(claim, sandbox)
        return claim.leased()

    def _look(self, claim: "_Claim", sandbox: bool) -> None:
        connection, looks = claim.connection, LOOKS
        turns = deque(
            (account, self._servers(connection, sandbox, account)) for account in self._accounts(connection, sandbox)
        )
        while turns and looks:
            account, servers = turns.popleft()
            self._last_account[sandbox] = account
            if not claim.wanted.slots.of_account(account, sandbox=sandbox):
                continue
            server = next(servers, None)
            if server is not None:
                looks -= 1
                claim.look_at(server)
                turns.append((account, servers))

    def _accounts(self, connection: Connection, sandbox: bool) -> list[int]:
        """Return accounts that have open callbacks, beginning behind the last one looked at."""
        last = self._last_account[sandbox]
        few = connection.numbers("open_accounts", sandbox=sandbox, after=0, limit=LOOKS)
        if len(few) < LOOKS:
            return [one for one in few if one > last] + [one for one in few if one <= last]
        behind = connection.numbers("open_accounts", sandbox=sandbox, after=last, limit=LOOKS)
        return behind + [one for one in few if one <= last][: LOOKS - len(behind)]

    def _servers(self, connection: Connection, sandbox: bool, account: int) -> Iterator[_Server]:
        """Yield where open callbacks of an account go, beginning behind the last one looked at."""
        if len(self._last_destination) > MARKS:
            self._last_destination.clear()
        begin = self._last_destination.get((sandbox, account), 0)
        for one in _in_turn(connection, sandbox, account, begin):
            self._last_destination[sandbox, account] = one.id
            yield _Server(CallbackTarget(sandbox, account, address_of(one.origin), one.id), one.disabled)


def _in_turn(connection: Connection, sandbox: bool, account: int, begin: int) -> Iterator[_OpenDestination]:
    """Yield the destinations of an account that have open callbacks: those behind `begin`, then the others."""

    def beyond(mark: int) -> list[_OpenDestination]:
        return connection.rows(
            "open_destinations", _OpenDestination, sandbox=sandbox, account=account, after=mark, limit=STEP
        )

    few = beyond(0)
    if len(few) < STEP:
        yield from (one for one in few if one.id > begin)
        yield from (one for one in few if one.id <= begin)
        return
    for mark, last in ((begin, None), (0, begin)):
        rows = beyond(mark)
        while rows:
            for one in rows:
                if last is not None and one.id > last:
                    return
                yield one
            rows = beyond(rows[-1].id) if len(rows) == STEP else []


class _Claim:
    """What one claim has come to so far."""

    def __init__(self, connection: Connection, wanted: ClaimRequest) -> None:
        self.connection = connection
        self.wanted = wanted
        self._chosen: dict[int, CallbackTarget] = {}
        self._next_at: int | None = None
        self._may_give_up = GIVEN_UP_AT_ONCE

    def look_at(self, server: _Server) -> None:
        """Choose what is due there."""
        at, place = self.wanted.at, server.place
        if server.disabled is not None:
            self._give_up_all(server)
            return
        room = self.wanted.slots.of_place(place, self.wanted.fast)
        if not room:
            return
        self._end_leases(place)
        for number, next_at in self.connection.rows("claimable", tuple[int, int], **_key(place), limit=room + 1):
            if next_at > at:
                self._come_back(next_at)
                break
            if room:
                room -= 1
                self._chosen[number] = place
                self.wanted.slots.take(place)

    def leased(self) -> ClaimedCallbacks:
        """Lease what was chosen, but for what was never to be made."""
        if not self._chosen:
            return ClaimedCallbacks(callbacks=[], next_at=self._next_at)
        rows = self.connection.rows("callbacks_to_make", _ToMake, callbacks=list(self._chosen))
        found = [_callback(row, self._chosen[row.id]) for row in rows]
        gone = self._gone_among(found)
        callbacks = [one for one in found if one.id not in gone]
        self._give_up(gone, GONE_PATH)
        self._give_up(set(self._chosen) - {one.id for one in found}, ORPHANED)
        self.connection.run(
            "lease_callbacks", next_at=self.wanted.at + self.wanted.lease_ms, callbacks=[one.id for one in callbacks]
        )
        return ClaimedCallbacks(callbacks=callbacks, next_at=self._next_at)

    def _gone_among(self, found: Sequence[Callback]) -> set[int]:
        """Return which of the callbacks go to a path that has answered with 410."""
        paths = {one.id: (one.destination, digest_of(path_of(one.url))) for one in found}
        gone = set(self.connection.rows_for("gone_among", tuple[int, int], set(paths.values())))
        return {number for number, path in paths.items() if path in gone}

    def _end_leases(self, place: CallbackTarget) -> None:
        ended = [
            number
            for number in self.connection.numbers("ended_leases", **_key(place), at=self.wanted.at)
            if number not in self.wanted.holding
        ]
        if ended:
            self.connection.run("free_callbacks", next_at=self.wanted.at, callbacks=ended)

    def _give_up_all(self, server: _Server) -> None:
        """Give up what waits for a disabled destination, as many as one claim may."""
        due = self.connection.numbers("due_of_destination", **_key(server.place), limit=self._may_give_up)
        self._may_give_up -= len(due)
        self._give_up(due, DISABLED.format(server.disabled))

    def _give_up(self, ids: Sequence[int] | set[int], reason: str) -> None:
        """Give callbacks up; there may be more, and what waited behind them is due now."""
        if ids:
            self.connection.run_rows("give_up_callbacks", [(one, self.wanted.at, reason) for one in ids])
            promote(self.connection, list(ids), self.wanted.at)
            self._come_back(self.wanted.at)

    def _come_back(self, at: int) -> None:
        self._next_at = at if self._next_at is None else min(at, self._next_at)


def _key(place: CallbackTarget) -> dict[str, int]:
    return {"sandbox": place.sandbox, "account": place.account, "destination": place.destination}


def _callback(row: _ToMake, place: CallbackTarget) -> Callback:
    return Callback(
        id=row.id,
        message_id=row.message_id,
        seq=row.seq,
        kind=CallbackKind(row.kind),
        state=row.state,
        at=row.at,
        attempts=row.attempts,
        tries=row.tries,
        first_at=row.first_at,
        place=place,
        url=row.url or "",
        body=row.body,
        tag=row.tag,
        msisdn=row.msisdn,
        cost=row.cost,
        secret=row.secret,
        sequence=row.sequence,
    )


def promote(connection: Connection, finished: Sequence[int], at: int) -> None:
    """Make due whatever waited behind these alone."""
    if finished:
        connection.run("promote_callbacks", next_at=at, callbacks=finished)
