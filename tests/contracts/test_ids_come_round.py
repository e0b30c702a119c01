"""An operator gives an id again while what had it before is not settled: number and date tell them apart."""

import pytest

from esito.domain.account import Account
from esito.domain.message import SubmitAnswer, SubmitOutcome
from esito.domain.states import MessageState as S
from esito.domain.timing import HOUR_MS, MINUTE_MS
from esito.store.interface.store import Store
from tests.contracts.submissions import PARIS, ROME, answered, dated, lost, sent, state_of
from tests.kit.builders import NOW, account_in, links_in, receipt

pytestmark = pytest.mark.anyio


@pytest.fixture
async def account(store: Store) -> Account:
    await links_in(store)
    return await account_in(store)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("then", ["response", "loss"])
async def test_a_receipt_dated_like_one_whose_response_is_owed_is_not_about_a_newer_one_that_has_its_id(
    store: Store, account: Account, then: str, *, known: bool
) -> None:
    """Ids come round while a response is owed: only the submit date tells."""
    if known:  # the usual form of ids: then most receipts take a shorter way
        for place in range(20):
            (each,) = await sent(store, account, ROME, at=NOW - HOUR_MS)
            await answered(store, each, f"9{place}", at=NOW - HOUR_MS + 1)
            await store.apply_receipts(
                [receipt(f"9{place}", "DELIVRD", at=NOW - HOUR_MS + 2, addresses=(str(ROME), "ESITO"))]
            )
    (old,) = await sent(store, account, PARIS, at=NOW)
    (new,) = await sent(store, account, PARIS, at=NOW + 12 * MINUTE_MS)
    await answered(store, new, "3", at=NOW + 12 * MINUTE_MS + 10)
    said = dated("3", PARIS, at=NOW + 12 * MINUTE_MS + 20, submitted_at=NOW, word="UNDELIV")
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    if then == "response":
        await answered(store, old, "3", at=NOW + 12 * MINUTE_MS + 30)
    else:
        await lost(store, old, at=NOW + 12 * MINUTE_MS + 30)
    assert [await state_of(store, account, one) for one in (old, new)] == [S.UNDELIVERABLE, S.WAITING]


async def test_of_two_segments_of_one_message_the_date_tells_which_has_the_id_though_the_response_of_one_is_lost(
    store: Store, account: Account
) -> None:
    """The second segment was put back and left twelve minutes later, when ids had come round."""
    one, two = await sent(store, account, PARIS, at=NOW, segments=2)
    await answered(store, one, "1", at=NOW + 10)
    put_back = SubmitAnswer(
        ref=two.ref, answer=SubmitOutcome.LATER, at=NOW + 20, retry_at=NOW + 30, attempts=two.attempts
    )
    await store.record_answers("alpha", [put_back])
    later = NOW + 12 * MINUTE_MS
    (again,) = await store.claim("alpha", limit=10, at=later)
    (other,) = await sent(store, account, PARIS, at=later + 12 * MINUTE_MS)
    said = dated("1", PARIS, at=later + 12 * MINUTE_MS + 1, submitted_at=later, word="UNDELIV")
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await lost(store, again, at=later + 12 * MINUTE_MS + 2)
    await answered(store, other, "1", at=later + 12 * MINUTE_MS + 2)
    assert [await state_of(store, account, each) for each in (one, other)] == [S.UNDELIVERABLE, S.WAITING]


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("word", ["UNDELIV", "DELIVRD"])
async def test_a_later_word_of_a_settled_message_is_not_about_a_newer_one_whose_response_is_lost(
    store: Store, account: Account, word: str, *, again: bool
) -> None:
    """Corrections, and what is said again with another done date, are commoner than ids that come round."""
    (old,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, old, "7", at=NOW + 10)
    first = receipt("7", "UNDELIV", at=NOW + MINUTE_MS, addresses=(str(PARIS), "ESITO"))
    await store.apply_receipts([first._replace(done_at=NOW + MINUTE_MS)])
    (new,) = await sent(store, account, PARIS, at=NOW + HOUR_MS)
    await lost(store, new, at=NOW + HOUR_MS + MINUTE_MS)
    at = NOW + 2 * HOUR_MS
    later = receipt("7", word, at=at, addresses=(str(PARIS), "ESITO"))._replace(done_at=at)
    await store.apply_receipts([later] * (1 + again))
    said = receipt("8", "DELIVRD", at=at + HOUR_MS, addresses=(str(PARIS), "ESITO"))._replace(done_at=at + HOUR_MS)
    await store.apply_receipts([said])
    corrected = S.DELIVERED if word == "DELIVRD" else S.UNDELIVERABLE
    assert [await state_of(store, account, one) for one in (old, new)] == [corrected, S.DELIVERED]


async def test_a_receipt_dated_like_two_whose_ids_are_lost_is_not_about_an_older_one_that_has_its_id(
    store: Store, account: Account
) -> None:
    """Which of the two is meant nobody can tell yet; their count does, once both receipts are there."""
    (older,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, older, "1", at=NOW + 1)
    (one,) = await sent(store, account, PARIS, at=NOW + 12 * MINUTE_MS)
    (two,) = await sent(store, account, PARIS, at=NOW + 12 * MINUTE_MS + 1)
    await lost(store, one, two, at=NOW + 13 * MINUTE_MS)
    said = dated("1", PARIS, at=NOW + 14 * MINUTE_MS, submitted_at=NOW + 12 * MINUTE_MS)
    assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    assert await state_of(store, account, older) == S.WAITING
    await store.apply_receipts([said._replace(smsc_message_id="2")])
    assert await state_of(store, account, one) == S.DELIVERED
    assert await state_of(store, account, two) == S.DELIVERED
    assert await state_of(store, account, older) == S.WAITING
