"""What is said about one recipient, to somebody who does not know SMPP."""

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.evidence import RecipientEvidence, SegmentEvidence, TrailEvidence
from esito.domain.evidence import SegmentPhase as Phase
from esito.domain.explanation import explain, explain_trail
from esito.domain.explanation_words import MEANINGS, REFUSED_AT_ONCE, VERDICTS
from esito.domain.receipt import Verdict, read_stat, stat_of
from esito.domain.retrying import RetryRule, RetryTable
from esito.domain.states import STAT_WORDS, STATE_VALUES, MessageState
from esito.domain.timing import HOUR_MS, VALIDITY_MS
from esito.domain.vocabulary import ErrorCategory, ErrorMeaning, ErrorTable, Vocabulary
from esito.smpp.pdu import DeliverSm, Tag
from esito.smpp.receipts import read_receipt

NOW = 1_800_000_000_000
NO_TABLES = Vocabulary(ErrorTable(), {})


def segment(**known: Any) -> SegmentEvidence:
    usual = SegmentEvidence(
        part=1, link="north", operator="north", phase=Phase.ANSWERED, attempts=1, submitted_at=NOW, answered_at=NOW,
        status=0, smsc_message_id="0A1F", state=MessageState.WAITING, done_at=None, error="",
    )  # fmt: skip
    return dataclasses.replace(usual, **known)


def noted(word: str, state: MessageState | None, verdict: Verdict = Verdict.MOVED, **known: Any) -> TrailEvidence:
    usual = TrailEvidence(
        received_at=NOW + 5_000, link="north", part=1, verdict=verdict, waited=False, smsc_message_id="0A1F",
        state=state, stat=word, error="000", done_at=None, flags=frozenset(), raw=b"",
    )  # fmt: skip
    return dataclasses.replace(usual, **known)


def recipient(*submitted: SegmentEvidence, **known: Any) -> RecipientEvidence:
    usual = RecipientEvidence(
        message_id=1, seq=0, msisdn="+33611111111", created_at=NOW, due_at=NOW, cancelled_at=None,
        sandbox=False, link="north", operator="north", segments=1, state=MessageState.WAITING,
        changed_at=NOW, submitted=submitted, trail=(),
    )  # fmt: skip
    return dataclasses.replace(usual, **known)


def said(known: RecipientEvidence) -> str:
    return " ".join(explain(known, NO_TABLES, now=NOW).sentences)


SILENT = segment()
UNDELIVERED = (noted("UNDELIV", MessageState.UNDELIVERABLE),)
GONE = (noted("no receipt in 48 h", MessageState.EXPIRED, Verdict.INFERRED),)
DELIVERED = (noted("DELIVRD", MessageState.DELIVERED),)

CASES = [
    (recipient(), "waits to be handed to the operator north"),
    (recipient(), "given up and not charged"),
    (recipient(due_at=NOW + HOUR_MS), "scheduled: it will be handed"),
    (recipient(link="", operator=""), "connected to no operator that serves this number"),
    (recipient(sandbox=True, state=MessageState.DELIVERED), "trial message"),
    (recipient(sandbox=True, state=MessageState.WAITING), "last four digits"),
    (recipient(cancelled_at=NOW, state=MessageState.KO), "was taken back"),
    (recipient(SILENT, cancelled_at=NOW), "handed to the operator north at 2027-01-15 08:00:00 UTC."),
    (recipient(SILENT, cancelled_at=NOW), "until 2027-01-17 08:00:00 UTC, 48 hours after"),
    (recipient(state=MessageState.KO), "could not be handed to the operator north within 48 hours"),
    (recipient(state=MessageState.KO, link="", operator=""), "not sent or charged"),
    (recipient(SILENT), "handed to the operator north at 2027-01-15 08:00:00 UTC."),
    (recipient(SILENT, link="n1"), "north (over the link n1)"),
    (recipient(SILENT), "until 2027-01-17 08:00:00 UTC, 48 hours after"),
    (recipient(segment(phase=Phase.SUBMITTED)), "yet to confirm"),
    (recipient(segment(phase=Phase.LATER)), "asked us to try again later"),
    (recipient(segment(phase=Phase.LATER, status=8)), "Its answer was 0x00000008: "),
    (recipient(segment(phase=Phase.LATER, status=8, retry_at=NOW)), "at 2027-01-15 08:00:00 UTC, for the 1st time"),
    (recipient(segment(phase=Phase.LATER, status=8, retry_at=NOW, attempts=12)), "for the 12th time of at most 20."),
    (recipient(segment(phase=Phase.LATER, status=0x400, retry_at=NOW, attempts=22)), "for the 22nd time."),
    (recipient(segment(phase=Phase.UNCERTAIN)), "nobody can be sure"),
    (recipient(segment(attempts=4)), "It took 4 attempts"),
    (recipient(SILENT, segments=3), "3 pieces (segments); 1 of them"),
    (recipient(SILENT, segment(part=2), segments=2), "travels in 2 pieces (segments), which the phone joins"),
    (recipient(SILENT, segment(part=2, attempts=0, phase=Phase.REFUSED), segments=2), "1 of its pieces could not"),
    (recipient(SILENT, state=MessageState.DELIVERED, trail=DELIVERED), "reached the phone. Delivered is final"),
    (recipient(SILENT, state=MessageState.EXPIRED, trail=GONE), "we concluded that the message was not delivered"),
    (recipient(SILENT, state=MessageState.EXPIRED, trail=GONE), "never reported"),
    (recipient(segment(phase=Phase.REFUSED, status=11), state=MessageState.REJECTED), "it refused it at once"),
    (recipient(segment(phase=Phase.REFUSED, status=11), state=MessageState.REJECTED), "nothing more can come"),
    (recipient(SILENT, state=MessageState.UNDELIVERABLE, trail=UNDELIVERED), "No reason was given"),
]  # fmt: skip


@pytest.mark.parametrize(("known", "expected"), CASES)
def test_the_answer_says_it(known: RecipientEvidence, expected: str) -> None:
    assert expected in said(known)


@pytest.mark.parametrize("known", [known for known, _ in CASES])
def test_no_word_of_the_trade_stands_in_the_answer(known: RecipientEvidence) -> None:
    assert not re.search(r"submit_sm|deliver_sm|SMPP|SMSC|ESME|TLV|\bPDU|\bbind\b", said(known))


def test_of_several_pieces_the_one_that_has_waited_longest_ends_the_waiting() -> None:
    late = segment(part=2, submitted_at=NOW + HOUR_MS)
    assert explain(recipient(SILENT, late, segments=2), NO_TABLES, now=NOW).stops_waiting_at == NOW + VALIDITY_MS


def test_a_receipt_that_changed_nothing_is_not_the_last_word() -> None:
    trail = (*DELIVERED, noted("ENROUTE", MessageState.ENROUTE, Verdict.WEAKER))
    told = explain(recipient(SILENT, state=MessageState.DELIVERED, trail=trail), NO_TABLES, now=NOW)
    assert told.last_word is DELIVERED[0]


RECEIPTS = [
    (noted("DELIVRD", MessageState.DELIVERED), "the message reached the phone"),
    (noted("ENROUTE", MessageState.ENROUTE, Verdict.WEAKER), "We knew more already"),
    (noted("DELIVRD", MessageState.DELIVERED, Verdict.DUPLICATE), "once more"),
    (noted("QUUX", None, Verdict.UNKNOWN_WORD), "“QUUX”, a word we do not know"),
    (noted("", None, Verdict.NOT_A_RECEIPT), "acknowledged the message"),
    (noted("message_state 2", MessageState.DELIVERED), "the number 2 instead of a word"),
    (noted("UNDELIV (message_state 2)", MessageState.DELIVERED), "the number 2, which means that the message reached"),
    (noted("UNDELIV (message_state 2)", MessageState.DELIVERED), "Its text says “UNDELIV” instead; the number counts."),
    (noted("QUUX (message_state 5)", MessageState.UNDELIVERABLE), "the number 5, which means that the message could"),
    (noted("DELIVRD", MessageState.DELIVERED, flags=frozenset({"disagree"})), "contradicts what it says in another"),
    (noted("message_state 9", None, Verdict.UNKNOWN_WORD), "the number 9 instead of a word"),
    (noted("DELIVRD", MessageState.DELIVERED, waited=True), "kept it and matched it later"),
    (noted("DELIVRD", MessageState.DELIVERED, flags=frozenset({"skewed_date"})), "date cannot be right"),
    (noted("DELIVRD", MessageState.DELIVERED, flags=frozenset({"matched_by_address"})), "confirmation was lost"),
    (noted(REFUSED_AT_ONCE, MessageState.REJECTED, Verdict.INFERRED), "refused the message when we offered it"),
    (noted("no receipt in 48 h", MessageState.EXPIRED, Verdict.INFERRED), "we concluded"),
    (noted("one id for all segments", MessageState.DELIVERED, Verdict.INFERRED), "another piece"),
]


@pytest.mark.parametrize(("one", "expected"), RECEIPTS)
def test_every_entry_of_the_trail_has_its_sentence(one: TrailEvidence, expected: str) -> None:
    assert expected in explain_trail([one])[0]


def test_an_operator_that_says_what_we_had_concluded_confirms_it_and_has_the_last_word() -> None:
    ours = noted("no receipt in 48 h", MessageState.EXPIRED, Verdict.INFERRED)
    its, again = (noted("EXPIRED", MessageState.EXPIRED, Verdict.DUPLICATE) for _ in range(2))
    told = explain(recipient(SILENT, state=MessageState.EXPIRED, trail=(ours, its, again)), NO_TABLES, now=NOW)
    assert told.last_word is its
    assert "never reported" not in " ".join(told.sentences)
    assert "confirms what we had concluded" in explain_trail([ours, its, again])[1]
    assert "once more" in explain_trail([ours, its, again])[2]


def test_every_verdict_and_every_state_has_words() -> None:
    assert set(VERDICTS) == set(Verdict) - {Verdict.INFERRED}
    assert set(MEANINGS) == set(MessageState)


def test_what_the_operator_answered_is_told_as_it_is_and_no_more() -> None:
    told = said(recipient(segment(phase=Phase.LATER, status=8, retry_at=NOW, attempts=3)))
    assert "slow down" not in told
    assert "0x00000008" in told


def test_the_table_of_the_link_says_how_often() -> None:
    known = recipient(segment(phase=Phase.LATER, status=0x400, retry_at=NOW, attempts=2))
    table = RetryTable({0x400: RetryRule(times=7)})
    told = " ".join(explain(known, NO_TABLES, now=NOW, retries={"north": table}).sentences)
    assert "for the 2nd time of at most 7." in told


NUMBERS = st.sampled_from([*STATE_VALUES, 0, 9, 255])
WORDS = st.sampled_from([*STAT_WORDS, "QUUX", ""])


MEANT = re.compile(r"(“\w+”|number \d+)(?: instead of a word)?, which means that ([^.]*)\.")


@given(WORDS, st.none() | NUMBERS)
def test_no_word_is_said_to_mean_what_it_does_not(word: str, number: int | None) -> None:
    """Whatever text and parameter say: what follows `which means that` is what the word or number before it means."""
    tlvs: dict[int, bytes] = {} if number is None else {Tag.MESSAGE_STATE: bytes([number])}
    pdu = DeliverSm(esm_class=4, short_message=f"id:1 stat:{word} err:000".encode(), tlvs=tlvs)
    receipt = read_receipt(pdu, link="north", at=NOW)
    one = noted(receipt.stat, receipt.state, flags=frozenset(receipt.flags.split()))
    answer = said(recipient(SILENT, state=receipt.state or MessageState.WAITING, trail=(one,)))
    for sentence in (explain_trail([one])[0], answer):
        for before, after in MEANT.findall(sentence):
            known = STATE_VALUES[int(before[7:])] if before.startswith("number") else STAT_WORDS[before.strip("“”")]
            assert after == MEANINGS[known]
        meant = None if number is None else STATE_VALUES.get(number)
        if meant is not None and word and STAT_WORDS.get(word) is not meant:
            assert f"number {number}, which means that {MEANINGS[meant]}." in sentence
            assert f"Its text says “{word}” instead" in sentence


def test_a_word_that_the_number_contradicts_is_no_reason() -> None:
    reasons = {"REJECTD": ErrorMeaning(category=ErrorCategory.REJECTED, permanent=True, reason="No.")}
    table = Vocabulary(ErrorTable(stat_words=reasons), {})
    one = noted("REJECTD (message_state 5)", MessageState.UNDELIVERABLE)
    told = explain(recipient(SILENT, state=MessageState.UNDELIVERABLE, trail=(one,)), table, now=NOW)
    assert "Reason: No." not in " ".join(told.sentences)


@given(st.text("ABCXYZ", max_size=64), st.integers(0, 255), st.booleans())
def test_what_was_said_of_the_state_is_taken_apart_again(word: str, number: int, both: bool) -> None:
    told = stat_of(word, number, both=both)
    assert len(told) <= 64
    assert read_stat(told) == ((word[:40], number) if both or not word else (word, None))


# -- what was asked by query_sm ----------------------------------------------------------------

ASKED = noted("message_state 2", MessageState.DELIVERED, Verdict.QUERIED, error="")
REFUSED_TO_TELL = noted("ESME_RQUERYFAIL", None, Verdict.QUERIED, error="0x00000067")


def test_a_state_that_rests_on_query_sm_says_so() -> None:
    known = recipient(segment(state=MessageState.DELIVERED), state=MessageState.DELIVERED, trail=(ASKED,))
    told = explain(known, NO_TABLES, now=NOW)
    assert told.last_word is ASKED
    assert "by itself, so we asked. It answered the number 2, which means that the message reached" in said(known)
    assert "We asked once" not in said(known)


def test_a_receipt_after_query_sm_is_the_last_word() -> None:
    receipt = DELIVERED[0]
    known = recipient(segment(state=MessageState.DELIVERED), state=MessageState.DELIVERED, trail=(ASKED, receipt))
    assert explain(known, NO_TABLES, now=NOW).last_word is receipt
    assert "We asked once, last at 2027-01-15 08:00:05 UTC." in said(known)


def test_a_failure_that_query_sm_told_has_a_reason() -> None:
    word = noted("message_state 5", MessageState.UNDELIVERABLE, Verdict.QUERIED, error="008")
    known = recipient(segment(state=word.state), state=word.state, trail=(word,))
    failure = explain(known, NO_TABLES, now=NOW).failure
    assert failure is not None
    assert failure.raw == "008"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (ASKED, "We asked the operator what became of the message, and it answered with the number 2, which means"),
        (REFUSED_TO_TELL, "it gave no answer but the refusal ESME_RQUERYFAIL."),
        (dataclasses.replace(ASKED, state=None, flags=frozenset({"reused_id"})), "this answer is not about ours."),
        (dataclasses.replace(ASKED, state=None, flags=frozenset({"undecided"})), "no answer to go by"),
        (dataclasses.replace(ASKED, state=None, flags=frozenset({"other_id"})), "It named another message"),
    ],
)
def test_each_answer_to_query_sm_is_told(row: TrailEvidence, sentence: str) -> None:
    assert sentence in explain_trail([row])[0]


def test_when_we_ask_next_is_told_until_the_last_word() -> None:
    waits = segment(query_at=NOW + HOUR_MS)
    assert "Should no report come, we ask the operator at 2027-01-15 09:00:00 UTC." in said(recipient(waits))
    again = said(recipient(waits, trail=(REFUSED_TO_TELL, REFUSED_TO_TELL)))
    assert "We asked 2 times, last at 2027-01-15 08:00:05 UTC." in again
    assert "we ask the operator again at 2027-01-15 09:00:00 UTC." in again
