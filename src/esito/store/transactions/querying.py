"""Asking operators by query_sm: which segments are due, and what the answers do to them.

When a segment is due stands in its row, for links that ask; an index leads to those alone. Receipts leave it as it
is: what has its last word when its time comes is passed over, once.
"""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.choosing import Candidate
from esito.domain.errors import EsitoError, Fenced
from esito.domain.matching import Settlement
from esito.domain.message import SegmentRef
from esito.domain.message_ids import canonical
from esito.domain.states import FIRST_FINAL
from esito.domain.status_query import ASK_AGAIN_MS, Query, QueryAnswer, believed, is_too_late, next_query
from esito.domain.timing import VALIDITY_MS
from esito.store.interface.link_store import Lease
from esito.store.sql_connection import Connection, SqlValue
from esito.store.transactions.candidates import load_candidates
from esito.store.transactions.id_forms import hold
from esito.store.transactions.known_links import LinkRegistry, Links
from esito.store.transactions.leases import require_lease
from esito.store.transactions.trail import write_decisions

LOOKED_AT = 200
"""Segments whose time has come that one claim looks at; the next claim goes on with what they left."""


class QueryClaim(NamedTuple):
    """A link asks what to ask about."""

    link: str
    limit: int
    at: int
    lease: Lease | None = None


class QueryAnswers(NamedTuple):
    """What the operator of a link answered."""

    link: str
    answers: Sequence[QueryAnswer]


class _Due(NamedTuple):
    """A segment whose time to be asked about has come."""

    message_id: int
    seq: int
    part: int
    smsc_id: str
    sender: str
    submitted_at: int
    state: int
    inferred: int
    """1 where only we have concluded its expiry."""

    @property
    def ref(self) -> SegmentRef:
        return SegmentRef(self.message_id, self.seq, self.part)

    @property
    def has_last_word(self) -> bool:
        return self.state >= FIRST_FINAL and not self.inferred


def is_query_due(read: Connection, links: Links, link: str, at: int) -> bool:
    """Tell whether a link has anything to ask by query_sm now."""
    return bool(read.number("queries_due", link=links.named(link).id, at=at))


class Querying:
    """The transactions behind `Store.claim_queries` and `Store.record_query_answers`."""

    def __init__(self, registry: LinkRegistry) -> None:
        self._registry = registry

    def claim(self, connection: Connection, claims: Sequence[QueryClaim]) -> list[list[Query] | EsitoError]:
        """Note when to ask again should no answer come, then say what to ask."""
        results: list[list[Query] | EsitoError] = []
        for claim in claims:
            try:
                require_lease(connection, claim.lease)
            except Fenced as refusal:
                results.append(refusal)
            else:
                results.append(self._claim(connection, claim))
        return results

    def _claim(self, connection: Connection, claim: QueryClaim) -> list[Query]:
        link, at = self._registry.now.named(claim.link), claim.at
        wait_ms = self._wait_of(claim.link)
        asked: dict[tuple[int, int, str], Query] = {}
        again: list[tuple[SqlValue, ...]] = []
        for due in connection.rows("to_query", _Due, link=link.id, at=at, limit=LOOKED_AT):
            if due.has_last_word or not due.smsc_id or is_too_late(due.submitted_at, at, wait_ms):
                again.append((*due.ref, None))
                continue
            # One id may stand for all segments of a recipient: it is asked about once.
            one = (due.message_id, due.seq, due.smsc_id)
            if one not in asked:
                if len(asked) >= claim.limit:
                    continue
                asked[one] = Query(due.ref, due.smsc_id, due.sender)
            again.append((*due.ref, at + ASK_AGAIN_MS))
        connection.run_rows("set_query", again)
        return list(asked.values())

    def keep(self, connection: Connection, batches: Sequence[QueryAnswers]) -> list[int]:
        """Let answers do their work on the segments that were asked about."""
        return [self._keep(connection, *batch) for batch in batches]

    def _keep(self, connection: Connection, link: str, answers: Sequence[QueryAnswer]) -> int:
        links = self._registry.now
        settlement = Settlement(links.rules, hold(connection, links, [link]))
        owners = load_candidates(
            connection, "candidates_by_ref", [(number, *one.ref) for number, one in enumerate(answers)]
        )
        namesakes = self._namesakes(connection, link, owners)
        receipts = [one.said for one in answers]
        for number, (owner,) in sorted(owners.items()):
            same_id = [one for one in namesakes.get(number, ()) if one.smsc_message_id == owner.smsc_message_id]
            receipts[number] = believed(receipts[number], owner, same_id)._replace(
                smsc_message_id=owner.smsc_message_id
            )
            together = [one for one in same_id if one[:2] == owner[:2]] or [owner]
            settlement.settle_answer(number, receipts[number], owner, together)
        decisions = settlement.decisions
        write_decisions(connection, links, receipts, decisions)
        final = {move[:3] for move in decisions.segments if move.state >= FIRST_FINAL}
        connection.run_rows(
            "set_query",
            [
                (*owner[:3], None if owner[:3] in final else self._next(link, owner, receipts[number].received_at))
                for number, (owner,) in sorted(owners.items())
            ],
        )
        return len(decisions.recipients)

    def _namesakes(
        self, connection: Connection, link: str, owners: dict[int, list[Candidate]]
    ) -> dict[int, list[Candidate]]:
        """Return every segment of the operator under the id of each owner, itself among them."""
        operator = self._registry.now.named(link).operator
        match_keys = [(number, operator, canonical(owner.smsc_message_id)) for number, (owner,) in owners.items()]
        return load_candidates(connection, "candidates_by_match_key", [row for row in match_keys if row[2]])

    def _next(self, link: str, owner: Candidate, asked_at: int) -> int | None:
        if owner.state >= FIRST_FINAL:
            return None
        return next_query(owner.submitted_at, asked_at, self._wait_of(link))

    def _wait_of(self, link: str) -> int:
        return self._registry.now.waits.get(link, VALIDITY_MS)
