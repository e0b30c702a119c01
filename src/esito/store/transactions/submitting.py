"""Keeping what the operator answered to a submit_sm; handing them out is `claiming`."""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.errors import EsitoError, Fenced
from esito.domain.evidence import SegmentPhase
from esito.domain.message import SegmentRef, SubmitAnswer, SubmitOutcome
from esito.domain.message_ids import canonical, spelling
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.store.interface.link_store import Lease
from esito.store.sql_connection import Connection, SqlValue
from esito.store.transactions.id_forms import hold
from esito.store.transactions.known_links import KnownLink, LinkRegistry
from esito.store.transactions.leases import require_lease
from esito.store.transactions.settling import conclude, look_again

WITHOUT_ID, TWINS, A_RESPONSE = 1, 2, 4
"""What answers may decide beside their segments: see the query `answers_bear_on`."""


class Recovery(NamedTuple):
    """A link, or all of them, was left by whoever had it."""

    link: str
    at: int
    lease: Lease | None = None


class Answers(NamedTuple):
    """What a link's operator answered."""

    link: str
    answers: Sequence[SubmitAnswer]


class Submitting:
    """The transactions behind `Store.record_answers` and `Store.recover`."""

    def __init__(self, registry: LinkRegistry) -> None:
        self._registry = registry

    def answer(self, connection: Connection, batches: Sequence[Answers]) -> list[int]:
        """Keep responses; settle the receipts that came before them."""
        return [self._answer(connection, batch) for batch in batches]

    def _answer(self, connection: Connection, batch: Answers) -> int:
        links = self._registry.now
        link = links.named(batch.link)
        hold(connection, links, [batch.link])
        bears_on = connection.number("answers_bear_on", operator=link.operator)
        cleared = _numbers(connection, [one.ref for one in batch.answers]) if bears_on & TWINS else []
        accepted = [one for one in batch.answers if one.answer is SubmitOutcome.ACCEPTED]
        match_keys = [canonical(one.smsc_message_id) or None for one in accepted]
        if bears_on & WITHOUT_ID:
            connection.run_rows("forget_tails", [one.ref for one in accepted])
        if ask := links.asks.get(batch.link):
            connection.run_rows(
                "ask_later", [(*one.ref, ask) for one, match_key in zip(accepted, match_keys, strict=True) if match_key]
            )
        kept = connection.run_rows(
            "answer_accepted",
            [
                (*one.ref, one.at, one.smsc_message_id, match_key, None if one.attempts is None else one.attempts + 1)
                for one, match_key in zip(accepted, match_keys, strict=True)
            ],
        )
        if kept < len(accepted):
            _accepted_before(connection, accepted)
        connection.run_rows(
            "answer_other",
            [_other_row(one, link) for one in batch.answers if one.answer is not SubmitOutcome.ACCEPTED],
        )
        moved = conclude(connection, links, _refusals(connection, batch))
        at = max((one.at for one in batch.answers), default=0)
        moved += conclude(connection, links, _told_by_sisters(connection, batch.link, accepted, at))
        # Without an id the operator has it under one that only a receipt can tell.
        nameless = [one.ref for one in accepted if not canonical(one.smsc_message_id)]
        lost = [one.ref for one in batch.answers if one.answer is SubmitOutcome.UNCERTAIN]
        return moved + look_again(
            connection,
            links,
            link.operator,
            at=at,
            match_keys=[match_key for match_key in match_keys if match_key],
            msisdns=_uncertain(connection, nameless + lost),
            cleared=cleared,
            waiting=bool(bears_on & A_RESPONSE),
        )

    def recover(self, connection: Connection, asked: Sequence[Recovery]) -> list[int | EsitoError]:
        """Settle the segments of a link, or of all, that a dead process left without a response."""
        results: list[int | EsitoError] = []
        for link, at, lease in asked:
            try:
                require_lease(connection, lease)
            except Fenced as refusal:
                results.append(refusal)
            else:
                results.append(self._recover(connection, link, at))
        return results

    def _recover(self, connection: Connection, link: str, at: int) -> int:
        left: dict[int, list[SegmentRef]] = {}
        for operator, *ref in connection.rows("unanswered", tuple[int, int, int, int], link=link):
            left.setdefault(operator, []).append(SegmentRef(*ref))
        connection.run("recover_again", retry_at=at, link=link)
        connection.run("recover_uncertain", link=link)
        for operator, refs in left.items():
            look_again(connection, self._registry.now, operator, at=at, msisdns=_uncertain(connection, refs))
        return sum(map(len, left.values()))


def _uncertain(connection: Connection, refs: Sequence[SegmentRef]) -> list[str]:
    """Let segments of which nobody knows the id be found by their number; return the numbers (E.164 digits)."""
    if not refs:
        return []
    connection.run_rows("set_tails", refs)
    return _numbers(connection, refs)


def _numbers(connection: Connection, refs: Sequence[SegmentRef]) -> list[str]:
    """Return the numbers of those segments that are found by their number (E.164 digits)."""
    return [msisdn for (msisdn,) in connection.rows_for("tailed_numbers", tuple[str], refs)]


class _Before(NamedTuple):
    """A segment that stands accepted under another id than a response tells."""

    message_id: int
    seq: int
    part: int
    attempts: int
    smsc_id: str
    told: str

    @property
    def ref(self) -> SegmentRef:
        return SegmentRef(self.message_id, self.seq, self.part)


def _accepted_before(connection: Connection, accepted: Sequence[SubmitAnswer]) -> None:
    """Keep what the responses say of segments that have an id: of a receipt, or of another attempt that was taken too.

    Two ids that are spellings of one are no sign of a second attempt. The response's is kept then, as what receipts
    make of it is what tells the form of their ids.
    """
    rows = connection.rows_for("accepted_before", _Before, [(*one.ref, one.smsc_message_id) for one in accepted])
    respelt: list[tuple[SqlValue, ...]] = []
    twice: list[SegmentRef] = []
    for one in rows:
        agreement = spelling(one.told, one.smsc_id)
        if agreement is not None and (one.attempts == 1 or not agreement.converted):
            respelt.append((*one.ref, one.told, canonical(one.told)))
        else:
            twice.append(one.ref)
    connection.run_rows("respell", respelt)
    connection.run_rows("answer_twice", twice)


def _other_row(one: SubmitAnswer, link: KnownLink) -> tuple[SqlValue, ...]:
    phase, retry_at = SegmentPhase.REFUSED, None
    if one.answer is SubmitOutcome.LATER:
        phase, retry_at = SegmentPhase.LATER, one.retry_at
    elif one.answer is SubmitOutcome.UNCERTAIN:
        again = link.resubmit_uncertain
        phase, retry_at = (SegmentPhase.LATER, one.at) if again else (SegmentPhase.UNCERTAIN, None)
    attempt = None if one.attempts is None else one.attempts + 1
    # What never left is no attempt: it uses up nothing of how often a passing fault is tried again.
    unwritten = int(one.answer is SubmitOutcome.LATER and not one.status)
    return (*one.ref, int(phase), one.at, one.status, retry_at, attempt, unwritten)


def _refusals(connection: Connection, batch: Answers) -> list[tuple[SegmentRef, DeliveryReceipt]]:
    """Return what the refusals mean of the segments that stand refused now."""
    refused = {one.ref: one for one in batch.answers if one.answer is SubmitOutcome.REFUSED}
    standing = set(connection.rows_for("refused", SegmentRef, refused))
    return [
        (
            ref,
            DeliveryReceipt(
                link=batch.link,
                smsc_message_id="",
                state=MessageState.REJECTED,
                stat="submit_sm_resp",
                error_code=f"0x{one.status:08X}",
                received_at=one.at,
            ),
        )
        for ref, one in refused.items()
        if ref in standing
    ]


def _told_by_sisters(
    connection: Connection, link: str, accepted: Sequence[SubmitAnswer], at: int
) -> list[tuple[SegmentRef, DeliveryReceipt]]:
    """Return what is known of segments whose id is that of the whole message, if its receipt came before this id."""
    return [
        (
            SegmentRef(message_id, seq, part),
            DeliveryReceipt(
                link=link,
                smsc_message_id=smsc_id,
                state=MessageState(state),
                stat="one id for all segments",
                error_code=error,
                received_at=at,
            ),
        )
        for message_id, seq, part, smsc_id, state, error in connection.rows_for(
            "told_by_sisters", tuple[int, int, int, str, int, str], [one.ref for one in accepted]
        )
    ]
