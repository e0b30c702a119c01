"""A receipt is believed of a segment only if number and time fit, in whatever order it and the responses come."""

import asyncio

import pytest

from esito.domain.account import Account
from esito.domain.message import Submission, SubmitAnswer
from esito.domain.message import SubmitOutcome as Outcome
from esito.domain.operator_habits import IdForm
from esito.domain.states import MessageState as S
from esito.domain.timing import DAY_MS, HOUR_MS, MINUTE_MS, VALIDITY_MS
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from tests.contracts.submissions import PARIS, ROME, answered, dated, lost, sent, state_of
from tests.kit.builders import NOW, accepted, account_in, links_in, message, receipt
from tests.kit.stores import KINDS

pytestmark = pytest.mark.anyio


async def verdicts(store: Store, account: Account, submission: Submission) -> list[str]:
    evidence = await store.evidence_of(account.id, submission.ref.message_id, submission.msisdn)
    assert evidence is not None
    return [row.verdict.value for row in evidence.trail]


async def orphans(store: Store) -> list[str]:
    return [one.verdict for one in await store.orphans(after=0, limit=100)]


@pytest.fixture
async def account(store: Store) -> Account:
    await links_in(store)
    return await account_in(store)


# -- the receipt first, and the response never ---------------------------------------------------


@pytest.mark.parametrize("how", ["overdue", "restart"])
@pytest.mark.parametrize("said_at", [NOW, None])
async def test_a_receipt_that_came_first_settles_its_segment_when_the_response_is_lost(
    store: Store, account: Account, how: str, said_at: int | None
) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    said = dated("1001", PARIS, at=NOW + 3_000, submitted_at=said_at)
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    if how == "overdue":
        await lost(store, one, at=NOW + MINUTE_MS)
    else:
        assert await store.recover(NOW + MINUTE_MS) == 1
    assert await state_of(store, account, one) == S.DELIVERED
    assert await orphans(store) == []
    # From now on its id is known.
    again = receipt("1001", "DELIVRD", at=NOW + HOUR_MS)
    assert (await store.apply_receipts([again])).verdicts == {"duplicate": 1}


async def test_a_receipt_that_came_first_keeps_its_segment_from_being_submitted_again(store: Store) -> None:
    await links_in(store, again=True)
    account = await account_in(store)
    (one,) = await sent(store, account, PARIS, at=NOW)
    await store.apply_receipts([dated("1001", PARIS, at=NOW + 3_000, submitted_at=NOW)])
    await lost(store, one, at=NOW + MINUTE_MS)
    assert await state_of(store, account, one) == S.DELIVERED
    assert await store.claim("alpha", limit=10, at=NOW + 2 * MINUTE_MS) == []


async def test_a_receipt_of_another_day_settles_no_uncertain_segment(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=NOW + MINUTE_MS)
    said = dated("1001", PARIS, at=NOW + DAY_MS, submitted_at=NOW + DAY_MS - 5_000)
    assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    assert await state_of(store, account, one) == S.WAITING


async def test_a_receipt_waits_while_a_newer_submit_sm_to_its_number_is_open(store: Store, account: Account) -> None:
    (old,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, old, at=NOW + MINUTE_MS)
    (new,) = await sent(store, account, PARIS, at=NOW + DAY_MS)
    said = receipt("88", "DELIVRD", at=NOW + DAY_MS + 3_000, addresses=(str(PARIS), ""))
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await answered(store, new, "88", at=NOW + DAY_MS + 4_000)
    assert await state_of(store, account, new) == S.DELIVERED
    assert await state_of(store, account, old) == S.WAITING


async def test_a_receipt_that_was_for_the_older_one_after_all_settles_it_once_nothing_is_owed(
    store: Store, account: Account
) -> None:
    (old,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, old, at=NOW + MINUTE_MS)
    (new,) = await sent(store, account, PARIS, at=NOW + DAY_MS)
    said = receipt("88", "DELIVRD", at=NOW + DAY_MS + 3_000, addresses=(str(PARIS), ""))
    await store.apply_receipts([said])
    await answered(store, new, "89", at=NOW + DAY_MS + 4_000)
    assert await state_of(store, account, old) == S.DELIVERED
    assert await state_of(store, account, new) == S.WAITING


async def test_an_undated_receipt_waits_for_a_response_of_the_same_instant(store: Store, account: Account) -> None:
    """Two messages to one number leave in one claim; which one a receipt is about shows once both are answered."""
    for _ in range(2):
        await store.accept(message(account, [PARIS]))
    one, two = await store.claim("alpha", limit=10, at=NOW)
    await store.apply_receipts([receipt("1", "DELIVRD", at=NOW + 100, addresses=(str(PARIS), ""))])
    await lost(store, two, at=NOW + MINUTE_MS)
    assert await state_of(store, account, two) == S.WAITING
    await answered(store, one, "1", at=NOW + MINUTE_MS + 1)
    assert [await state_of(store, account, each) for each in (one, two)] == [S.DELIVERED, S.WAITING]


async def test_twins_are_told_apart_once_one_of_them_is_refused(store: Store, account: Account) -> None:
    for _ in range(2):
        await store.accept(message(account, [PARIS]))
    one, two = await store.claim("alpha", limit=10, at=NOW)
    await lost(store, one, two, at=NOW + MINUTE_MS)
    said = dated("1", PARIS, at=NOW + 2 * MINUTE_MS, submitted_at=NOW)
    assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    late = SubmitAnswer(ref=two.ref, answer=Outcome.REFUSED, at=NOW + 3 * MINUTE_MS, status=0x0B, attempts=two.attempts)
    await store.record_answers("alpha", [late])
    assert [await state_of(store, account, each) for each in (one, two)] == [S.DELIVERED, S.REJECTED]


@pytest.mark.parametrize("receipts_first", [False, True])
async def test_as_many_receipts_with_one_word_as_there_are_twins_settle_all_of_them(
    store: Store, account: Account, receipts_first: bool
) -> None:
    """A connection is lost with a window of messages to one number; which id is whose changes nothing."""
    for _ in range(3):
        await store.accept(message(account, [PARIS]))
    three = await store.claim("alpha", limit=10, at=NOW)
    if not receipts_first:
        await lost(store, *three, at=NOW + MINUTE_MS)
    for place, smsc_id in enumerate(["7", "9", "7", "8"]):  # one of them is said again
        said = dated(smsc_id, PARIS, at=NOW + MINUTE_MS + place, submitted_at=NOW)
        await store.apply_receipts([said])
    if receipts_first:
        await lost(store, *three, at=NOW + 2 * MINUTE_MS)
    assert [await state_of(store, account, each) for each in three] == [S.DELIVERED] * 3
    assert await orphans(store) == []
    told = [word for each in three for word in await verdicts(store, account, each)]
    assert sorted(told) == ["duplicate", "moved", "moved", "moved"]


async def test_twins_with_different_words_or_too_few_receipts_are_left(store: Store, account: Account) -> None:
    for _ in range(3):
        await store.accept(message(account, [PARIS]))
    three = await store.claim("alpha", limit=10, at=NOW)
    await lost(store, *three, at=NOW + MINUTE_MS)
    for smsc_id, word in (("7", "DELIVRD"), ("8", "UNDELIV"), ("9", "DELIVRD"), ("9", "DELIVRD")):
        await store.apply_receipts([dated(smsc_id, PARIS, at=NOW + 2 * MINUTE_MS, submitted_at=NOW, word=word)])
    assert [await state_of(store, account, each) for each in three] == [S.WAITING] * 3
    assert len(await orphans(store)) == 4


async def test_one_id_that_two_numbers_were_given_is_remembered_of_both(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    (two,) = await sent(store, account, ROME, at=NOW)
    early = [
        dated("1", PARIS, at=NOW + 1, submitted_at=NOW, word="UNDELIV"),
        dated("1", ROME, at=NOW + 2, submitted_at=NOW),
        dated("1", PARIS, at=NOW + 3, submitted_at=None),
    ]
    assert (await store.apply_receipts(early)).verdicts == {"parked": 3}
    await lost(store, one, two, at=NOW + MINUTE_MS)
    assert [await state_of(store, account, each) for each in (one, two)] == [S.DELIVERED, S.DELIVERED]


async def test_one_id_for_all_segments_is_that_of_one_whose_response_was_lost_too(
    store: Store, account: Account
) -> None:
    one, two, three = await sent(store, account, PARIS, at=NOW, segments=3)
    await answered(store, one, "7", at=NOW + 500)
    await answered(store, three, "7", at=NOW + 500)
    await lost(store, two, at=NOW + MINUTE_MS)
    await store.apply_receipts([dated("7", PARIS, at=NOW + 2 * MINUTE_MS, submitted_at=NOW)])
    assert await state_of(store, account, one) == S.DELIVERED
    again = dated("7", PARIS, at=NOW + 3 * MINUTE_MS, submitted_at=NOW)
    assert (await store.apply_receipts([again])).verdicts == {"duplicate": 1}


async def test_a_segment_that_is_refused_late_is_no_longer_uncertain(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=NOW + MINUTE_MS)
    late = SubmitAnswer(ref=one.ref, answer=Outcome.REFUSED, at=NOW + 2 * MINUTE_MS, status=0x0B, attempts=one.attempts)
    await store.record_answers("alpha", [late])
    said = dated("1001", PARIS, at=NOW + 3 * MINUTE_MS, submitted_at=NOW)
    assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    assert await state_of(store, account, one) == S.REJECTED


async def test_what_was_put_back_and_expires_leaves_the_books_balanced(store: Store, account: Account) -> None:
    """Refused for a while, and then too old: KO; the fixture looks at the books."""
    (one,) = await sent(store, account, PARIS, at=NOW)
    full = SubmitAnswer(ref=one.ref, answer=Outcome.LATER, at=NOW + 1, status=0x14, retry_at=NOW + 2, attempts=0)
    await store.record_answers("alpha", [full])
    await store.expire(NOW + VALIDITY_MS)
    assert await state_of(store, account, one) == S.KO


async def test_the_newest_of_very_many_uncertain_segments_is_found_by_its_number(
    store: Store, account: Account
) -> None:
    """A window is bounded, a day of lost responses is not: 1,200 others are uncertain too."""
    for start in range(0, 1200, 400):
        await store.accept(message(account, [33700000000 + start + n for n in range(400)], due_at=NOW))
        await lost(store, *await store.claim("alpha", limit=500, at=NOW), at=NOW + MINUTE_MS)
    (one,) = await sent(store, account, PARIS, at=NOW + HOUR_MS)
    await lost(store, one, at=NOW + HOUR_MS + MINUTE_MS)
    said = dated("1001", PARIS, at=NOW + HOUR_MS + 2 * MINUTE_MS, submitted_at=NOW + HOUR_MS)
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    assert await state_of(store, account, one) == S.DELIVERED


async def test_a_response_without_an_id_is_made_good_by_number_and_date(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, one, "", at=NOW + 1_000)
    said = dated("55", PARIS, at=NOW + 5_000, submitted_at=NOW)
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    assert await state_of(store, account, one) == S.DELIVERED


async def test_a_receipt_before_a_response_without_an_id_waits_for_it(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    assert (await store.apply_receipts([dated("55", PARIS, at=NOW + 500, submitted_at=NOW)])).verdicts == {"parked": 1}
    await answered(store, one, "", at=NOW + 1_000)
    assert await state_of(store, account, one) == S.DELIVERED


async def test_one_uncertain_segment_makes_no_stray_receipt_a_parked_one(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=NOW + MINUTE_MS)
    said = receipt("9", "DELIVRD", at=NOW + HOUR_MS, addresses=(str(ROME), ""))
    assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    assert await orphans(store) == ["orphan"]


async def test_a_parked_receipt_is_an_orphan_in_name_once_nothing_is_owed(store: Store, account: Account) -> None:
    one, two = [*await sent(store, account, PARIS, at=NOW), *await sent(store, account, PARIS, at=NOW + 1)]
    assert (await store.apply_receipts([dated("77", PARIS, at=NOW + 500, submitted_at=NOW)])).verdicts == {"parked": 1}
    await answered(store, one, "1", at=NOW + 1_000)
    assert await orphans(store) == ["parked"]
    await answered(store, two, "2", at=NOW + 1_001)
    assert await orphans(store) == ["orphan"]


async def test_however_many_receipts_are_parked_all_are_looked_at_once_nothing_is_owed(
    store: Store, account: Account
) -> None:
    numbers = [33700000000 + n for n in range(600)]
    for share in (numbers[:300], numbers[300:]):
        await store.accept(message(account, share))
    claimed = [*await store.claim("alpha", limit=300, at=NOW), *await store.claim("alpha", limit=300, at=NOW)]
    await store.apply_receipts([dated(f"x{n}", n, at=NOW + 500, submitted_at=NOW) for n in numbers])
    await store.record_answers("alpha", [accepted(one, f"y{one.msisdn}", at=NOW + 600) for one in claimed])
    await store.expire(NOW + 1_000)
    assert {one.verdict for one in await store.orphans(after=0, limit=1_000)} == {"orphan"}


async def test_a_segment_that_the_operator_may_have_is_concluded_and_not_refunded(store: Store) -> None:
    """Written, its response lost, put back to be submitted again, and then too old."""
    await links_in(store, again=True)
    account = await account_in(store)
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=NOW + MINUTE_MS)
    await store.expire(NOW + VALIDITY_MS + HOUR_MS)
    assert await state_of(store, account, one) == S.EXPIRED
    (kept, _), *_ = await store.accounts()
    assert kept.credit < account.credit
    said = dated("1001", PARIS, at=NOW + VALIDITY_MS + 2 * HOUR_MS, submitted_at=NOW)
    await store.apply_receipts([said])
    assert await state_of(store, account, one) == S.DELIVERED


# -- ids that come round --------------------------------------------------------------------------


async def test_a_reused_id_never_moves_the_subscriber_who_had_it_before(store: Store, account: Account) -> None:
    (old,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, old, "7", at=NOW + 500)
    (new,) = await sent(store, account, ROME, at=NOW + 2 * HOUR_MS)
    said = dated("7", ROME, at=NOW + 2 * HOUR_MS + 3_000, submitted_at=NOW + 2 * HOUR_MS)
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await answered(store, new, "7", at=NOW + 2 * HOUR_MS + 4_000)
    assert await state_of(store, account, old) == S.WAITING
    assert await state_of(store, account, new) == S.DELIVERED


@pytest.mark.parametrize("first_is", [S.WAITING, S.DELIVERED])
async def test_a_reused_id_to_the_same_number_waits_for_the_response_that_may_bring_it(
    store: Store, account: Account, first_is: int
) -> None:
    (old,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, old, "7", at=NOW + 500)
    if first_is == S.DELIVERED:
        await store.apply_receipts([dated("7", PARIS, at=NOW + 3_000, submitted_at=NOW)])
    later = NOW + 2 * HOUR_MS
    (new,) = await sent(store, account, PARIS, at=later)
    said = dated("7", PARIS, at=later + 3_000, submitted_at=later, word="UNDELIV")
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await answered(store, new, "7", at=later + 4_000)
    assert await state_of(store, account, old) == first_is
    assert await state_of(store, account, new) == S.UNDELIVERABLE


@pytest.mark.parametrize(("said_at", "meant"), [(NOW, 0), (NOW + 3 * HOUR_MS, 1), (NOW + HOUR_MS, 1), (None, 1)])
async def test_of_two_unfinished_messages_to_one_number_under_one_id_the_submit_date_tells_else_the_newest(
    store: Store, account: Account, said_at: int | None, meant: int
) -> None:
    pair = []
    for at in (NOW, NOW + 3 * HOUR_MS):
        (one,) = await sent(store, account, PARIS, at=at)
        await answered(store, one, "1001", at=at + 500)
        pair.append(one)
    await store.apply_receipts([dated("1001", PARIS, at=NOW + 4 * HOUR_MS, submitted_at=said_at)])
    states = [await state_of(store, account, one) for one in pair]
    assert states[meant] == S.DELIVERED
    assert states[1 - meant] == S.WAITING
    evidence = await store.evidence_of(account.id, pair[meant].ref.message_id, f"+{PARIS}")
    assert evidence is not None
    assert "reused_id" in evidence.trail[-1].flags


@pytest.mark.parametrize("msisdn", [PARIS, ROME])
async def test_a_receipt_that_arrived_before_a_submit_sm_left_is_not_about_it(
    store: Store, account: Account, msisdn: int
) -> None:
    said = dated("9001", msisdn, at=NOW, submitted_at=NOW - 5_000)
    assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    (one,) = await sent(store, account, PARIS, at=NOW + 10 * DAY_MS)
    await answered(store, one, "9001", at=NOW + 10 * DAY_MS + 500)
    assert await state_of(store, account, one) == S.WAITING
    assert await orphans(store) == ["orphan"]


@pytest.mark.parametrize("store", KINDS, indirect=True)
@pytest.mark.parametrize("lost_response", [False, True])
async def test_a_clock_that_is_set_back_orphans_no_receipt(
    store: Store, account: Account, *, lost_response: bool
) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW + 6_000)
    if lost_response:
        await lost(store, one, at=NOW)
    else:
        await answered(store, one, "1001", at=NOW)
    assert (await store.apply_receipts([dated("1001", PARIS, at=NOW + 100, submitted_at=NOW)])).verdicts == {"moved": 1}
    assert await state_of(store, account, one) == S.DELIVERED


# -- another base is a hypothesis -------------------------------------------------------------------


async def test_another_base_is_not_tried_while_the_very_id_may_come(store: Store, account: Account) -> None:
    """Ids counted in decimal, one number: the receipt for 16 comes before its response, and 10 reads as 16 in hex."""
    (ten,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, ten, "10", at=NOW + 100)
    (sixteen,) = await sent(store, account, PARIS, at=NOW + 200)
    said = dated("16", PARIS, at=NOW + 300, submitted_at=NOW)
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await answered(store, sixteen, "16", at=NOW + 400)
    assert await state_of(store, account, ten) == S.WAITING
    assert await state_of(store, account, sixteen) == S.DELIVERED


async def test_another_base_is_not_tried_where_a_lost_response_fits(store: Store, account: Account) -> None:
    (ten,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, ten, "10", at=NOW + 100)
    (sixteen,) = await sent(store, account, PARIS, at=NOW + 200)
    await lost(store, sixteen, at=NOW + 60_200)
    await store.apply_receipts([dated("16", PARIS, at=NOW + 61_000, submitted_at=NOW)])
    assert await state_of(store, account, ten) == S.WAITING
    assert await state_of(store, account, sixteen) == S.DELIVERED


@pytest.mark.parametrize("store", KINDS, indirect=True)
async def test_nothing_is_learned_of_ids_from_a_transaction_that_is_undone(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, one, "1001", at=NOW + 500)
    unwritable = receipt("1001", "DELIVRD")._replace(link="alpha", stat=object())  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(Exception):  # noqa: B017, PT011  the engine's own
            await store.apply_receipts([unwritable])
    await store.apply_receipts([receipt("1001", "DELIVRD")])
    assert (await store.id_forms())["alpha"].seen[IdForm.AS_IS] == 1


async def test_callers_who_share_a_commit_each_hear_of_their_own_receipts(store: Store, account: Account) -> None:
    await store.register_links([LinkRecord(name="beta", operator="beta")])
    (one,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, one, "1001", at=NOW + 500)
    waiting = [
        store.apply_receipts([receipt("1001", "DELIVRD"), receipt("1001", "DELIVRD")]),
        store.apply_receipts([receipt("5", "DELIVRD", link="beta")]),
        store.apply_receipts([]),
    ]
    came_to = await asyncio.gather(*waiting)
    assert [one.moved for one in came_to] == [1, 0, 0]
    assert [one.verdicts for one in came_to] == [{"moved": 1, "duplicate": 1}, {"orphan": 1}, {}]
