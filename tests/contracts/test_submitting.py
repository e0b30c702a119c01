from dataclasses import replace

import pytest

from esito.domain.account import Account
from esito.domain.explanation import explain
from esito.domain.message import SegmentRef, Submission, SubmitAnswer, SubmitOutcome
from esito.domain.states import MessageState, MultipartRule
from esito.domain.timing import HOUR_MS
from esito.domain.vocabulary import ErrorTable, Vocabulary
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from tests.kit.builders import NOW, accepted, account_in, links_in, message, receipt, refused, states_of, submitted

pytestmark = pytest.mark.anyio


async def test_a_segment_is_handed_out_once(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, [33611111111, 33622222222], segments=2))
    first = await store.claim("alpha", limit=3, at=NOW)
    second = await store.claim("alpha", limit=3, at=NOW)
    assert [one.ref for one in first + second] == [
        SegmentRef(number, 0, 1),
        SegmentRef(number, 0, 2),
        SegmentRef(number, 1, 1),
        SegmentRef(number, 1, 2),
    ]
    assert await store.claim("alpha", limit=3, at=NOW) == []
    assert not await store.due("alpha", NOW)


async def test_a_submission_says_all_that_a_submit_sm_needs(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account, text="où es-tu ?"))
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    assert (one.msisdn, one.sender, one.text, one.unicode, one.segments, one.attempts) == (
        "+33612345678",
        "ESITO",
        "où es-tu ?",
        False,
        1,
        0,
    )


async def test_older_messages_go_first_and_many_fit_one_claim(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    numbers = [await store.accept(message(account)) for _ in range(5)]
    assert [one.ref.message_id for one in await store.claim("alpha", limit=4, at=NOW)] == numbers[:4]
    assert [one.ref.message_id for one in await store.claim("alpha", limit=4, at=NOW)] == numbers[4:]


async def test_each_link_gets_its_own_recipients(store: Store) -> None:
    account = await account_in(store)
    links = await links_in(store, "alpha", "beta")
    new = message(account, [33611111111, 33622222222, 33633333333])
    new.recipients[1] = new.recipients[1]._replace(link=links["beta"])
    await store.accept(new)
    assert [one.msisdn for one in await store.claim("alpha", limit=9, at=NOW)] == ["+33611111111", "+33633333333"]
    assert [one.msisdn for one in await store.claim("beta", limit=9, at=NOW)] == ["+33622222222"]


async def test_a_scheduled_message_waits_for_its_time(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account, due_at=NOW + HOUR_MS))
    assert await store.claim("alpha", limit=9, at=NOW + HOUR_MS - 1) == []
    assert len(await store.claim("alpha", limit=9, at=NOW + HOUR_MS)) == 1


async def test_a_throttled_segment_comes_back_when_its_pause_is_over(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account))
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    later = SubmitAnswer(ref=one.ref, answer=SubmitOutcome.LATER, at=NOW, status=0x58, retry_at=NOW + 1_000)
    await store.record_answers("alpha", [later])
    assert await store.claim("alpha", limit=1, at=NOW + 999) == []
    (again,) = await store.claim("alpha", limit=1, at=NOW + 1_000)
    assert (again.ref, again.attempts) == (one.ref, 1)


async def test_a_refused_segment_fails_its_recipient(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, url_dlr="https://example.org/dlr"))
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    refused = SubmitAnswer(ref=one.ref, answer=SubmitOutcome.REFUSED, at=NOW, status=0x0B)
    assert await store.record_answers("alpha", [refused]) == 1
    assert await states_of(store, account, number) == [MessageState.REJECTED]
    assert (await store.counts()).callbacks_due == 1


@pytest.mark.parametrize(("again", "claimed"), [(False, 0), (True, 1)])
async def test_a_lost_response_is_not_doubled_unless_the_link_says_so(store: Store, again: bool, claimed: int) -> None:
    account = await account_in(store)
    await links_in(store, "alpha", again=again)
    await store.accept(message(account))
    await store.claim("alpha", limit=1, at=NOW)
    assert await store.recover(NOW + 1) == 1
    assert len(await store.claim("alpha", limit=1, at=NOW + 1)) == claimed


async def test_a_late_response_settles_an_uncertain_segment(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    await store.record_answers("alpha", [SubmitAnswer(ref=one.ref, answer=SubmitOutcome.UNCERTAIN, at=NOW)])
    await store.record_answers("alpha", [accepted(one, "1001")])
    await store.apply_receipts([receipt("1001", "DELIVRD")])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def submitted_again(store: Store) -> tuple[Account, Submission, Submission]:
    """Let one gateway claim a segment, and the next one claim it again; return the account and both attempts."""
    account = await account_in(store)
    await links_in(store, "alpha", again=True)
    await store.accept(message(account))
    (former,) = await store.claim("alpha", limit=1, at=NOW)
    await store.recover(NOW + 1)
    (one,) = await store.claim("alpha", limit=1, at=NOW + 1)
    return account, former, one


@pytest.mark.parametrize("answer", [SubmitOutcome.LATER, SubmitOutcome.REFUSED, SubmitOutcome.UNCERTAIN])
async def test_the_answer_to_an_earlier_attempt_does_not_end_the_one_under_way(
    store: Store, answer: SubmitOutcome
) -> None:
    """A gateway wakes up with an answer, and another has submitted the segment again meanwhile."""
    account, former, one = await submitted_again(store)
    late = SubmitAnswer(ref=one.ref, answer=answer, at=NOW + 2, status=0x58, retry_at=NOW, attempts=former.attempts)
    assert await store.record_answers("alpha", [late]) == 0
    assert await store.claim("alpha", limit=1, at=NOW + 2) == []
    assert await states_of(store, account, one.ref.message_id) == [MessageState.WAITING]
    await store.record_answers("alpha", [accepted(one, "1001")])
    await store.apply_receipts([receipt("1001", "DELIVRD")])
    assert await states_of(store, account, one.ref.message_id) == [MessageState.DELIVERED]


async def test_the_answer_to_an_earlier_attempt_that_was_taken_counts(store: Store) -> None:
    """What became of the later one is no matter: the message is on its way."""
    account, former, one = await submitted_again(store)
    await store.record_answers("alpha", [replace(accepted(one, "1001"), attempts=former.attempts)])
    refused = SubmitAnswer(ref=one.ref, answer=SubmitOutcome.REFUSED, at=NOW + 2, status=0x0B, attempts=one.attempts)
    assert await store.record_answers("alpha", [refused]) == 0
    assert await states_of(store, account, one.ref.message_id) == [MessageState.WAITING]
    await store.apply_receipts([receipt("1001", "DELIVRD")])
    assert await states_of(store, account, one.ref.message_id) == [MessageState.DELIVERED]


async def test_an_earlier_attempt_that_was_taken_counts_though_the_later_one_was_refused(store: Store) -> None:
    """An operator that has the message refuses it the second time; what it says of the first is about this one."""
    account, former, one = await submitted_again(store)
    await store.record_answers("alpha", [replace(refused(one, status=0x0B), attempts=one.attempts)])
    await store.record_answers("alpha", [replace(accepted(one, "1001"), attempts=former.attempts)])
    await store.apply_receipts([receipt("1001", "DELIVRD")])
    assert await states_of(store, account, one.ref.message_id) == [MessageState.DELIVERED]


@pytest.mark.parametrize("delivered", ["1001", "1002"])
async def test_of_two_attempts_that_were_both_taken_either_may_be_delivered(store: Store, delivered: str) -> None:
    account, former, one = await submitted_again(store)
    await store.record_answers("alpha", [replace(accepted(one, "1001"), attempts=former.attempts)])
    await store.record_answers("alpha", [replace(accepted(one, "1002"), attempts=one.attempts)])
    for word in ("ACCEPTD", "DELIVRD"):
        await store.apply_receipts([receipt(delivered, word, addresses=(one.msisdn, ""))])
    assert await states_of(store, account, one.ref.message_id) == [MessageState.DELIVERED]


async def test_silence_for_48_hours_is_an_expiry_of_our_own(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account, [33611111111, 33622222222]), ["1", "2"], at=NOW + HOUR_MS)
    await store.apply_receipts([receipt("1", "DELIVRD", at=NOW + 2 * HOUR_MS)])
    await store.expire(NOW + 48 * HOUR_MS)
    assert await states_of(store, account, number) == [MessageState.DELIVERED, MessageState.WAITING]
    await store.expire(NOW + 49 * HOUR_MS)
    assert await states_of(store, account, number) == [MessageState.DELIVERED, MessageState.EXPIRED]
    await store.apply_receipts([receipt("2", "DELIVRD", at=NOW + 50 * HOUR_MS)])
    assert await states_of(store, account, number) == [MessageState.DELIVERED, MessageState.DELIVERED]


async def test_what_no_operator_took_in_48_hours_is_ko_and_paid_back(store: Store) -> None:
    account = await account_in(store, credit="1")
    await links_in(store)
    number = await store.accept(message(account, url_dlr="https://example.org/dlr"))
    await store.expire(NOW + 48 * HOUR_MS)
    assert await states_of(store, account, number) == [MessageState.KO]
    assert await store.claim("alpha", limit=1, at=NOW + 48 * HOUR_MS) == []
    paid_back = await store.account_by_key(b"acme")
    assert paid_back is not None
    assert paid_back.credit == 1


async def test_an_operator_who_tries_for_longer_is_waited_for_as_long(store: Store) -> None:
    account = await account_in(store)
    await store.register_links(
        [
            LinkRecord(name="alpha", operator="alpha", wait_ms=72 * HOUR_MS),
            LinkRecord(name="beta", operator="beta"),
        ]
    )
    slow = await submitted(store, message(account, [33611111111]), ["1"])
    usual = await submitted(store, message(account, [33622222222], link=2), ["2"], link="beta")
    await store.expire(NOW + 48 * HOUR_MS)
    assert await states_of(store, account, slow) == [MessageState.WAITING]
    assert await states_of(store, account, usual) == [MessageState.EXPIRED]
    evidence = await store.evidence_of(account.id, slow, "+33611111111")
    assert evidence is not None
    assert explain(evidence, Vocabulary(ErrorTable(), {}), now=NOW).stops_waiting_at == NOW + 72 * HOUR_MS
    await store.expire(NOW + 72 * HOUR_MS - 1)
    assert await states_of(store, account, slow) == [MessageState.WAITING]
    await store.expire(NOW + 72 * HOUR_MS)
    assert await states_of(store, account, slow) == [MessageState.EXPIRED]
    evidence = await store.evidence_of(account.id, slow, "+33611111111")
    assert evidence is not None
    assert evidence.trail[-1].stat == "no receipt in 72 h"


@pytest.mark.parametrize("lost_first", [True, False])
async def test_a_text_that_travelled_whole_and_whose_answer_was_lost_is_told_by_number(
    store: Store, lost_first: bool
) -> None:
    """Its first segment alone counts, whichever comes first: that nobody answers, or the receipt."""
    account = await account_in(store)
    await links_in(store, rule=MultipartRule.FIRST)
    number = await store.accept(message(account, segments=3))
    claimed = await store.claim("alpha", limit=9, at=NOW)
    lost = [
        SubmitAnswer(ref=one.ref, answer=SubmitOutcome.UNCERTAIN, at=NOW + 60_000, attempts=one.attempts)
        for one in claimed
    ]
    at = NOW + (70_000 if lost_first else 9_000)
    told = receipt("777", "DELIVRD", at=at, addresses=("33612345678", "ESITO"))._replace(submitted_at=NOW)
    if lost_first:
        await store.record_answers("alpha", lost)
        await store.apply_receipts([told])
    else:
        await store.apply_receipts([told])
        await store.record_answers("alpha", lost)
    assert await states_of(store, account, number) == [MessageState.DELIVERED]
