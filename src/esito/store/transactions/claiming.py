"""Handing segments to a link: fresh ones in the turns of their accounts, postponed ones beside them."""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.errors import EsitoError, Fenced
from esito.domain.evidence import SegmentPhase
from esito.domain.message import SegmentRef, Submission
from esito.domain.states import MessageState
from esito.domain.timing import LONGEST_RETRY_MS, SECOND_MS
from esito.domain.turns import (
    SCHEDULED,
    Halves,
    RouteLane,
    Turns,
    WaitingAccount,
    by_account,
    lane_of,
    smalls_and_larges,
    turns_of,
)
from esito.store.interface.link_store import Lease
from esito.store.sql_connection import Connection
from esito.store.transactions.known_links import Claimable, KnownLink, LinkRegistry, Links
from esito.store.transactions.leases import require_lease

LANES_AT_ONCE = 200
"""Lanes of a route that one claim looks at; the next claim goes on behind the last of them."""

ACCOUNTS_AT_ONCE = 16
"""Accounts that one round of a claim serves."""

LOOKS = 64
"""Looks into lanes after which a claim is content with what it has: the next one follows at once."""

COME_DUE_AT_ONCE = 200
"""Scheduled messages that one claim lets join their lanes."""

LOOK_AHEAD_MS = 10 * SECOND_MS
"""How often a link looks for segments that a clock ahead of ours has put off."""

BROUGHT_FORWARD_AT_ONCE = 500


class Claim(NamedTuple):
    """A link asks for work."""

    link: str
    limit: int
    at: int
    lease: Lease | None = None
    passed_over: frozenset[str] = frozenset()
    """Links whose place others take."""


class _ClaimMemory:
    """What one link remembers from claim to claim; the writer's thread alone uses it."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.fresh_or_postponed = Halves()
        self.small_or_large: dict[int, Halves] = {}
        self._looked_ahead: int | None = None
        self.beyond: dict[int, int] = {}
        """The last lane that was looked at, of a route with more lanes than one claim looks at."""

    def is_to_look_ahead(self, at: int) -> bool:
        """Tell whether to look for what a clock that is ahead has put off: now and then, and when ours steps back."""
        look = self._looked_ahead is None or not 0 <= at - self._looked_ahead < LOOK_AHEAD_MS
        if look:
            self._looked_ahead = at
        return look

    def halves_of(self, account: int) -> Halves:
        if len(self.small_or_large) > LANES_AT_ONCE:
            self.small_or_large.clear()
        return self.small_or_large.setdefault(account, Halves())


class Claiming:
    """The transaction behind `Store.claim`."""

    def __init__(self, registry: LinkRegistry) -> None:
        self._registry = registry
        self._memories: dict[str, _ClaimMemory] = {}

    def __call__(self, connection: Connection, claims: Sequence[Claim]) -> list[list[Submission] | EsitoError]:
        """Keep the intent to submit, then say what to submit."""
        results: list[list[Submission] | EsitoError] = []
        for claim in claims:
            try:
                results.append(self._claim(connection, claim))
            except Fenced as refusal:
                results.append(refusal)
        return results

    def _claim(self, connection: Connection, claim: Claim) -> list[Submission]:
        require_lease(connection, claim.lease)
        links = self._registry.now
        link = links.named(claim.link)
        memory = self._memories.setdefault(claim.link, _ClaimMemory())
        routes = links.routes_of(claim.link, claim.passed_over)
        if memory.is_to_look_ahead(claim.at):
            _bring_forward(connection, [link.id, *routes.elsewhere], claim.at)
        again = _postponed(connection, link, routes, claim)
        accounts = _waiting(connection, memory, routes.numbers, claim.at)
        # Postponed segments may be many and of one destination: fresh ones keep their half, and the other way round.
        kept = memory.fresh_or_postponed.second(claim.limit) if again and accounts else claim.limit
        fresh = _Fresh(connection, memory, claim.limit - min(len(again), kept)).take(accounts)
        again = again[: claim.limit - len(fresh)]
        connection.run_rows("resubmit", [(*ref, claim.at, link.id, link.operator) for ref in again])
        _keep_intent(connection, link, fresh, claim.at)
        return _submissions(connection, again + fresh)


def is_anything_due(read: Connection, links: Links, link: str, at: int, passed_over: frozenset[str]) -> bool:
    """Tell whether a link has anything to submit now, its own or that of links that are passed over."""
    routes = links.routes_of(link, passed_over)
    numbers = [links.named(link).id, *routes.elsewhere]
    too_far = at + LONGEST_RETRY_MS
    return bool(read.number("due", routes=routes.numbers, at=at, links=numbers, too_far=too_far))


def _bring_forward(connection: Connection, links: Sequence[int], at: int) -> None:
    """Let what was put off until a moment that cannot be meant be submitted now."""
    for link in links:
        ahead = connection.rows(
            "put_off_too_far", SegmentRef, link=link, after=at + LONGEST_RETRY_MS, limit=BROUGHT_FORWARD_AT_ONCE
        )
        connection.run_rows("bring_forward", [(*ref, at) for ref in ahead])


def _postponed(connection: Connection, link: KnownLink, routes: Claimable, claim: Claim) -> list[SegmentRef]:
    """Return what is to be submitted again: by this link, and what links that are passed over were to submit."""
    found = connection.rows("postponed", SegmentRef, link=link.id, at=claim.at, limit=claim.limit)
    for other in routes.elsewhere:
        left = claim.limit - len(found)
        if left <= 0:
            break
        found += connection.rows(
            "postponed_elsewhere",
            SegmentRef,
            link=other,
            at=claim.at,
            limit=left,
            routes=routes.shared,
            operator=link.operator,
        )
    return found


def _waiting(connection: Connection, memory: _ClaimMemory, routes: Sequence[int], at: int) -> dict[int, WaitingAccount]:
    """Return the accounts that have fresh work on these routes; what has come due joins its lane before."""
    found: list[tuple[RouteLane, int]] = []
    for route in routes:
        lanes = _lanes(connection, memory, route, at)
        if SCHEDULED in lanes:
            _let_join(connection, route, at)
            lanes = _lanes(connection, memory, route, at)
        found += [(RouteLane(lane, route), weight) for lane, weight in lanes.items() if lane != SCHEDULED]
    return by_account(found)


def _lanes(connection: Connection, memory: _ClaimMemory, route: int, at: int) -> dict[int, int]:
    beyond = memory.beyond.get(route, SCHEDULED)
    rows = connection.rows("waiting", tuple[int, int], link=route, after=beyond, lanes=LANES_AT_ONCE, at=at)
    lanes = dict(rows)
    if beyond and len(rows) < LANES_AT_ONCE:
        lanes |= dict(
            connection.rows(
                "waiting", tuple[int, int], link=route, after=SCHEDULED, lanes=LANES_AT_ONCE - len(rows), at=at
            )
        )
    memory.beyond[route] = max(lane for lane, _ in rows) if len(rows) >= LANES_AT_ONCE else SCHEDULED
    return lanes


def _let_join(connection: Connection, route: int, at: int) -> None:
    """Let scheduled messages whose time has come take part in the turns."""
    connection.run_rows(
        "set_lane",
        [
            (route, due_at, message_id, lane_of(account, priority=priority, gamme=gamme, recipients=recipients))
            for due_at, message_id, recipients, account, priority, gamme in connection.rows(
                "come_due", tuple[int, int, int, int, int, int], link=route, at=at, limit=COME_DUE_AT_ONCE
            )
        ],
    )


class _Fresh:
    """One claim's work among the lanes: what it takes is off the outgoing rows at once."""

    def __init__(self, connection: Connection, memory: _ClaimMemory, slots: int) -> None:
        self._connection = connection
        self._memory = memory
        self._slots = slots
        self._looks = 0
        self._taken: list[SegmentRef] = []

    def take(self, accounts: dict[int, WaitingAccount]) -> list[SegmentRef]:
        """Return what leaves next, at most as many segments as there are slots; accounts that are done are removed."""
        while accounts and len(self._taken) < self._slots and self._looks < LOOKS:
            left = self._slots - len(self._taken)
            for account, share in self._memory.turns.shares(accounts, left, most=ACCOUNTS_AT_ONCE):
                waiting = accounts[account]
                before = len(self._taken)
                turns = self._take_of(account, waiting, share)
                self._memory.turns.take(account, waiting.weight, turns)
                if len(self._taken) - before < share:
                    del accounts[account]
        return self._taken

    def _take_of(self, account: int, waiting: WaitingAccount, share: int) -> int:
        """Take up to `share` segments of one account; return the turns they count for."""
        turns = 0
        for small, large in smalls_and_larges(waiting.places):
            if share <= 0:
                break
            kept = self._memory.halves_of(account).second(share) if small and large else 0
            got = self._take_from(small, share - kept)
            got += self._take_from(large, share - got)
            if kept and got < share:  # the large ones had less than their half
                got += self._take_from(small, share - got)
            share -= got
            turns += got * turns_of((small or large)[0].lane)
        return turns

    def _take_from(self, places: Sequence[RouteLane], slots: int) -> int:
        got = 0
        for place in places:
            if got >= slots:
                break
            self._looks += 1
            taken = _take(self._connection, place, slots - got)
            self._taken += taken
            got += len(taken)
        return got


def _take(connection: Connection, place: RouteLane, limit: int) -> list[SegmentRef]:
    """Take recipients off the outgoing rows of a lane, oldest first, at most `limit` segments."""
    lane, route = place
    claimed: list[SegmentRef] = []
    finished: list[tuple[int, int, int, int]] = []
    for due_at, message_id, next_seq, next_part, last_seq, seq, segments in connection.rows(
        "outgoing", tuple[int, int, int, int, int, int, int], link=route, lane=lane, limit=limit
    ):
        first = next_part if seq == next_seq else 1
        room = limit - len(claimed)
        parts = range(first, segments + 1)[:room]
        claimed += [SegmentRef(message_id, seq, part) for part in parts]
        if first + len(parts) <= segments:
            connection.run(
                "move_outgoing",
                link=route,
                lane=lane,
                due_at=due_at,
                message_id=message_id,
                next_seq=seq,
                next_part=first + len(parts),
            )
            break
        if seq == last_seq:
            finished.append((route, lane, due_at, message_id))
        elif len(claimed) == limit:
            connection.run(
                "move_outgoing",
                link=route,
                lane=lane,
                due_at=due_at,
                message_id=message_id,
                next_seq=seq + 1,
                next_part=1,
            )
            break
    connection.run_rows("delete_outgoing", finished)
    return claimed


def _keep_intent(connection: Connection, link: KnownLink, refs: Sequence[SegmentRef], at: int) -> None:
    connection.run_rows(
        "insert_segments",
        [(*ref, link.id, link.operator, int(SegmentPhase.SUBMITTED), 1, at, int(MessageState.WAITING)) for ref in refs],
    )


class _Claimed(NamedTuple):
    """A segment to submit, as it is kept."""

    message_id: int
    seq: int
    part: int
    msisdn: str
    sender: str
    text: str
    unicode: int
    segments: int
    attempts: int
    priority: int
    stop_number: str


def _submissions(connection: Connection, refs: list[SegmentRef]) -> list[Submission]:
    return [
        Submission(
            ref=SegmentRef(one.message_id, one.seq, one.part),
            msisdn=one.msisdn,
            sender=one.sender,
            text=one.text,
            unicode=bool(one.unicode),
            segments=one.segments,
            attempts=one.attempts - 1,
            priority=one.priority,
            stop_number=one.stop_number,
        )
        for one in connection.rows_for("submissions", _Claimed, refs)
    ]
