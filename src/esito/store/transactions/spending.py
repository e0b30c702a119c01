"""What accounts spend, by the day, and the ceiling that a day may have: nobody sends beyond his own or one above him.

An account's own row counts what it has accepted itself. One with a ceiling counts what is accepted below it too, so
that sub-accounts are no way around it; when the ceiling is set, what the day has had so far is summed up.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from esito.domain.account import SHUT_OUT, AccountState, Profile
from esito.domain.errors import DailyCeilingReached, EsitoError, NotEnoughCredit
from esito.domain.message import NewMessage
from esito.domain.pricing import to_micros
from esito.domain.timing import day_of
from esito.store.sql_connection import Connection, SqlValue, Step

Day = tuple[int, str]
"""An account and a day as `2026-11-30`."""


class DaySpending(NamedTuple):
    """What was spent."""

    cost: int = 0
    segments: int = 0

    def more(self, cost: int, segments: int) -> "DaySpending":
        """Return the sum."""
        return DaySpending(self.cost + cost, self.segments + segments)


class _Kept(NamedTuple):
    """An account as it is kept."""

    id: int
    credit: int
    state: str
    parent: int | None
    profile: str


class _Standing(NamedTuple):
    """One account as it is within this transaction."""

    credit: int
    state: AccountState
    parent: int | None
    most_cost: int
    """Micro-euros of a day; 0: any."""
    most_segments: int

    @property
    def has_ceiling(self) -> bool:
        return bool(self.most_cost or self.most_segments)

    def allows(self, spent: DaySpending) -> bool:
        return not (
            (self.most_cost and spent.cost > self.most_cost)
            or (self.most_segments and spent.segments > self.most_segments)
        )


class _Line(NamedTuple):
    """What an account and those above it allow together."""

    shut: AccountState | None
    """Of the lowest that is not active."""
    capped: list[int]
    """Those with a ceiling."""


def _standing(connection: Connection, accounts: Iterable[int]) -> dict[int, _Standing]:
    """Return accounts and all above them, until the end of the transaction as they are."""
    found: dict[int, _Standing] = {}
    for one in connection.rows("standing", _Kept, accounts=sorted(set(accounts))):
        profile = msgspec.json.decode(one.profile, type=Profile)
        most_cost = to_micros(profile.cost_per_day)
        found[one.id] = _Standing(one.credit, AccountState(one.state), one.parent, most_cost, profile.segments_per_day)
    return found


class CreditCheck:
    """What the accounts of one transaction may still spend."""

    def __init__(self, connection: Connection, messages: Sequence[NewMessage]) -> None:
        self._connection = connection
        self._accounts = _standing(connection, {message.account_id for message in messages})
        self._lines: dict[int, _Line] = {}
        self._taken: dict[int, int] = {}
        self._own: dict[Day, DaySpending] = {}
        """Of this transaction."""
        self._below: dict[Day, DaySpending] = {}
        self._before: dict[Day, DaySpending] = self._read_before(messages)

    def _read_before(self, messages: Sequence[NewMessage]) -> dict[Day, DaySpending]:
        capped = [number for number, account in self._accounts.items() if account.has_ceiling]
        if not capped:
            return {}
        days = {day_of(message.created_at) for message in messages}
        rows = self._connection.rows(
            "spent_on", tuple[int, str, int, int], accounts=sorted(capped), first_day=min(days), last_day=max(days)
        )
        return {(account, day): DaySpending(cost, segments) for account, day, cost, segments in rows}

    def pay(self, message: NewMessage) -> EsitoError | None:
        """Take what a message costs; return why it cannot be, and then nothing is taken."""
        account, cost = message.account_id, message.cost
        shut, capped = self._lines.get(account) or self._look_up(account)
        if shut is not None:
            return SHUT_OUT[shut]()
        taken = self._taken.get(account, 0) + cost
        if taken > self._accounts[account].credit:
            return NotEnoughCredit()
        if message.sandbox:  # it costs nothing, and counts for nothing
            self._taken[account] = taken
            return None
        day, segments = day_of(message.created_at), message.segments
        for number in capped:
            if not self._accounts[number].allows(self._spent((number, day)).more(cost, segments)):
                return DailyCeilingReached()
        self._taken[account] = taken
        own = account, day
        self._own[own] = self._own.get(own, DaySpending()).more(cost, segments)
        for number in capped:
            if number != account:
                self._below[number, day] = self._below.get((number, day), DaySpending()).more(cost, segments)
        return None

    def steps(self) -> list[Step]:
        """Return what writes down what was taken."""
        return [
            ("take_credit", [one for one in self._taken.items() if one[1]]),
            ("spend", _by_day(self._own, self._below)),
        ]

    def _look_up(self, account: int) -> "_Line":
        """Return what an account and those above it allow."""
        shut, capped = None, []
        above: int | None = account
        while above is not None:
            standing = self._accounts[above]
            if shut is None and standing.state is not AccountState.ACTIVE:
                shut = standing.state
            if standing.has_ceiling:
                capped.append(above)
            above = standing.parent
        self._lines[account] = _Line(shut, capped)
        return self._lines[account]

    def _spent(self, day: Day) -> DaySpending:
        spent = self._before.get(day, DaySpending())
        return spent.more(*self._own.get(day, DaySpending())).more(*self._below.get(day, DaySpending()))


def take_off(connection: Connection, given_up: Sequence[tuple[int, int, int, int]]) -> None:
    """Take recipients that were given up off the days of their messages: account, acceptance, cost, segments each."""
    accounts = _standing(connection, {account for account, *_ in given_up})
    own: dict[Day, DaySpending] = {}
    below: dict[Day, DaySpending] = {}
    for account, created_at, cost, segments in given_up:
        day = day_of(created_at)
        own[account, day] = own.get((account, day), DaySpending()).more(-cost, -segments)
        above = accounts[account].parent
        while above is not None:
            if accounts[above].has_ceiling:
                below[above, day] = below.get((above, day), DaySpending()).more(-cost, -segments)
            above = accounts[above].parent
    _spend(connection, own, below)


def _spend(connection: Connection, own: dict[Day, DaySpending], below: dict[Day, DaySpending]) -> None:
    connection.run_rows("spend", _by_day(own, below))


def _by_day(own: dict[Day, DaySpending], below: dict[Day, DaySpending]) -> list[tuple[SqlValue, ...]]:
    days = sorted(own.keys() | below.keys())
    return [(*day, *own.get(day, DaySpending()), *below.get(day, DaySpending())) for day in days]


def begin_ceiling(connection: Connection, account: int, at: int) -> None:
    """Count what the day has had so far below an account whose ceiling is set."""
    connection.run("sum_up_below", parent=account, day=day_of(at))
