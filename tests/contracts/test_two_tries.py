"""A segment that was submitted twice, as its first response was lost: either try may have been taken, or both."""

import pytest

from esito.domain.account import Account
from esito.domain.message import Submission, SubmitAnswer, SubmitOutcome
from esito.domain.routing import Route
from esito.domain.states import MessageState as S
from esito.domain.timing import MINUTE_MS
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from tests.contracts.submissions import PARIS, ROME, dated, lost, sent, state_of
from tests.kit.builders import NOW, account_in, complaints, links_in, message

pytestmark = pytest.mark.anyio

LATER = NOW + MINUTE_MS


def taken(submission: Submission, smsc_id: str) -> SubmitAnswer:
    return SubmitAnswer(
        ref=submission.ref, answer=SubmitOutcome.ACCEPTED, at=LATER + 2_000, smsc_message_id=smsc_id,
        attempts=submission.attempts,
    )  # fmt: skip


@pytest.mark.parametrize("in_one_batch", [False, True])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_receipts_of_both_tries_find_the_segment_in_whatever_order_the_responses_come(
    store: Store, order: tuple[int, int], in_one_batch: bool
) -> None:
    await links_in(store, again=True)
    account: Account = await account_in(store)
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=LATER)
    (two,) = await store.claim("alpha", limit=10, at=LATER)
    answers = [taken(one, "A1"), taken(two, "B2")]
    answers = [answers[place] for place in order]
    for batch in [answers] if in_one_batch else [[each] for each in answers]:
        await store.record_answers("alpha", batch)
    for smsc_id, word in (("A1", "ENROUTE"), ("B2", "DELIVRD")):
        said = dated(smsc_id, PARIS, at=LATER + 5_000, submitted_at=LATER, word=word)
        assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    assert await state_of(store, account, one) == S.DELIVERED


@pytest.mark.parametrize(
    ("response", "in_receipt", "next_response", "next_receipt"),
    [("f", "15", "10", "16"), ("f", "F", "10", "10"), ("15", "00000015", "16", "00000016"), ("15", "F", "16", "10")],
)
@pytest.mark.parametrize("next_lost", [False, True])
async def test_an_id_in_two_spellings_is_one_try(
    store: Store, response: str, in_receipt: str, next_response: str, next_receipt: str, *, next_lost: bool
) -> None:
    """Its receipt came while the response was thought lost; then the response came after all."""
    await links_in(store)
    account: Account = await account_in(store)
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=LATER)
    said = dated(in_receipt, PARIS, at=LATER + 1, submitted_at=None)
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    (two,) = await sent(store, account, PARIS, at=LATER + 2)
    said = dated(next_receipt, PARIS, at=LATER + 3, submitted_at=None)
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    if next_lost:
        await store.record_answers("alpha", [taken(one, response)])
        await lost(store, two, at=LATER + 2_000)
    else:
        await store.record_answers("alpha", [taken(one, response), taken(two, next_response)])
    assert await state_of(store, account, two) == S.DELIVERED


async def test_a_receipt_found_by_number_is_not_about_a_sister_that_has_the_id_of_its_segment(store: Store) -> None:
    """Ids come round after two, and a long message is submitted twice; both segments end up with one id."""
    await links_in(store, again=True)
    account: Account = await account_in(store)
    (other,) = await sent(store, account, PARIS, at=NOW)
    one, two = await sent(store, account, PARIS, at=NOW + 1, segments=2)
    await store.apply_receipts([dated("1", PARIS, at=NOW + 2, submitted_at=None)])
    await lost(store, one, two, at=NOW + 3)
    again, two = await store.claim("alpha", limit=10, at=NOW + 4)
    await store.record_answers("alpha", [taken(two, "1")])
    await store.apply_receipts([dated("2", PARIS, at=NOW + 5, submitted_at=None)])
    await store.record_answers("alpha", [taken(one, "1"), taken(other, "1"), taken(again, "2")])
    assert await complaints(store) == []


@pytest.mark.parametrize("receipt_first", [True, False])
async def test_a_receipt_of_a_try_whose_response_was_lost_is_not_about_an_older_message_with_its_id(
    store: Store, receipt_first: bool
) -> None:
    """Ids come round; the first try of the newer message got the id of the older one, and nobody heard of it."""
    await links_in(store, again=True)
    account: Account = await account_in(store)
    (older,) = await sent(store, account, PARIS, at=NOW)
    await store.record_answers("alpha", [taken(older, "1")])
    (newer,) = await sent(store, account, PARIS, at=NOW + 20 * MINUTE_MS)
    await lost(store, newer, at=NOW + 20 * MINUTE_MS + 1)
    (again,) = await store.claim("alpha", limit=10, at=NOW + 20 * MINUTE_MS + 2)
    said = dated("1", PARIS, at=NOW + 20 * MINUTE_MS + 3, submitted_at=NOW + 20 * MINUTE_MS, word="UNDELIV")
    if receipt_first:
        assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await store.record_answers("alpha", [taken(again, "2")])
    if not receipt_first:
        assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    assert await state_of(store, account, newer) == S.UNDELIVERABLE
    assert await state_of(store, account, older) == S.WAITING


async def test_a_segment_found_both_by_its_id_in_another_base_and_by_its_number_is_one(store: Store) -> None:
    """The second try has the id, the first one's is unknown; the operator's form has just shown itself."""
    await links_in(store, again=True)
    account: Account = await account_in(store)
    (other,) = await sent(store, account, ROME, at=NOW)
    (one,) = await sent(store, account, PARIS, at=NOW + 1)
    await lost(store, one, at=NOW + 2)
    (again,) = await store.claim("alpha", limit=10, at=NOW + 2)
    for smsc_id, msisdn in (("10", ROME), ("11", PARIS)):
        said = dated(smsc_id, msisdn, at=NOW + 3, submitted_at=None)
        assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await store.record_answers("alpha", [taken(other, "a"), taken(again, "b")])
    assert [await state_of(store, account, each) for each in (other, one)] == [S.DELIVERED, S.DELIVERED]


async def test_what_may_have_been_taken_is_not_submitted_again_by_another_operator(store: Store) -> None:
    await store.register_links(
        [
            LinkRecord(name=name, operator=operator, resubmit_uncertain=True, prefixes=())
            for name, operator in (("a", "A"), ("b", "B"), ("a2", "A"))
        ]
    )
    routes = await store.register_routes([Route("a", ("b", "a2"))])
    account = await account_in(store)
    await store.accept(message(account, [PARIS], link=next(iter(routes.values()))))
    (one,) = await store.claim("a", limit=10, at=NOW)
    await store.record_answers("a", [SubmitAnswer(ref=one.ref, answer=SubmitOutcome.UNCERTAIN, at=LATER, attempts=0)])
    away = frozenset({"a"})
    assert await store.claim("b", limit=10, at=LATER + 1_000, passed_over=away) == []
    assert [each.ref for each in await store.claim("a2", limit=10, at=LATER + 1_000, passed_over=away)] == [one.ref]


@pytest.mark.parametrize("in_one_batch", [False, True])
@pytest.mark.parametrize("again", ["AnB7", "anb7", "000Anb7", "44983"])
async def test_an_id_that_a_receipt_brought_is_known_in_every_spelling_at_once(
    store: Store, again: str, *, in_one_batch: bool
) -> None:
    await links_in(store)
    account: Account = await account_in(store)
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=LATER)
    first = "AFB7" if again.isdecimal() else "AnB7"
    receipts = [
        dated(first, PARIS, at=LATER + 1, submitted_at=NOW, word="ACCEPTD"),
        dated(again, PARIS, at=LATER + 2, submitted_at=NOW),
    ]
    verdicts = [
        (await store.apply_receipts(batch)).verdicts
        for batch in ([receipts] if in_one_batch else [[each] for each in receipts])
    ]
    assert verdicts == ([{"moved": 2}] if in_one_batch else [{"moved": 1}, {"moved": 1}])
    assert await state_of(store, account, one) == S.DELIVERED


@pytest.mark.parametrize("second", ["owed", "answered", "lost"])
async def test_a_receipt_dated_like_the_first_try_is_not_about_a_newer_message_with_its_id(
    store: Store, second: str
) -> None:
    """The second try leaves minutes later; the first one's id is given to another message in between."""
    await links_in(store, again=True)
    account: Account = await account_in(store)
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=NOW + 1)
    (again,) = await store.claim("alpha", limit=10, at=NOW + 12 * MINUTE_MS)
    (newer,) = await sent(store, account, PARIS, at=NOW + 20 * MINUTE_MS)
    await store.record_answers("alpha", [taken(newer, "1")])
    if second == "answered":
        await store.record_answers("alpha", [taken(again, "2")])
    elif second == "lost":
        await lost(store, again, at=NOW + 20 * MINUTE_MS)
    said = dated("1", PARIS, at=NOW + 21 * MINUTE_MS, submitted_at=NOW, word="UNDELIV")
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    assert await state_of(store, account, one) == S.UNDELIVERABLE
    assert await state_of(store, account, newer) == S.WAITING
    assert await complaints(store) == []


async def test_an_id_is_about_the_try_that_brought_it(store: Store) -> None:
    """A repetition of a finished message's receipt is dated like a first try whose segment has that id since."""
    await links_in(store, again=True)
    account: Account = await account_in(store)
    (finished,) = await sent(store, account, PARIS, at=NOW)
    await store.record_answers("alpha", [taken(finished, "2")])
    said = dated("2", PARIS, at=NOW + 1, submitted_at=NOW)
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    (one,) = await sent(store, account, PARIS, at=NOW + MINUTE_MS)
    await lost(store, one, at=NOW + MINUTE_MS + 1)
    (again,) = await store.claim("alpha", limit=10, at=NOW + 12 * MINUTE_MS)
    await store.record_answers("alpha", [taken(again, "2")])
    assert (await store.apply_receipts([said._replace(received_at=NOW + 13 * MINUTE_MS)])).verdicts == {"duplicate": 1}
    assert await state_of(store, account, one) == S.WAITING


async def test_a_receipt_that_came_between_two_tries_is_about_the_first(store: Store) -> None:
    """It waited for a response that was owed then; the segment is found by its number after the second try left."""
    await links_in(store, again=True)
    account: Account = await account_in(store)
    (one,) = await sent(store, account, PARIS, at=NOW)
    (owed,) = await sent(store, account, PARIS, at=NOW + 1)
    await lost(store, one, at=NOW + 2)
    said = dated("7", PARIS, at=NOW + 3, submitted_at=NOW)
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await store.claim("alpha", limit=10, at=NOW + 30 * MINUTE_MS)
    await store.record_answers("alpha", [taken(owed, "8")])
    assert await state_of(store, account, one) == S.DELIVERED
