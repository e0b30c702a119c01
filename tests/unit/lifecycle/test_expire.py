"""48 hours without a final word, and what we conclude then (contract 1.5)."""

import asyncio

import pytest

from esito.domain.message import SubmitAnswer, SubmitOutcome
from esito.domain.states import MessageState, MultipartRule
from esito.domain.timing import HOUR_MS, VALIDITY_MS, PushableClock
from esito.lifecycle.expire import ExpiryJob
from esito.store.sqlite import SqliteStore
from esito.store.transactions.expiring import MESSAGES_AT_ONCE
from tests.kit.builders import NOW, accepted, account_in, links_in, message, receipt, states_of, submitted
from tests.kit.patience import until
from tests.unit.lifecycle.parts import allow_growth, forbid_growth

pytestmark = pytest.mark.anyio

S = MessageState
WHERE = "https://example.org/dlr"


async def test_nothing_is_concluded_a_moment_too_soon(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["7"])
    expiry = ExpiryJob(store=store, clock=clock)
    clock.advance(VALIDITY_MS - 1)
    await expiry.look()
    assert await states_of(store, account, number) == [S.WAITING]
    clock.advance(1)
    await expiry.look()
    assert await states_of(store, account, number) == [S.EXPIRED]


async def test_each_recipient_has_its_48_hours_from_its_own_submission(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, [33612345678, 33612345679]))
    for hours in (1, 5):
        (one,) = await store.claim("alpha", limit=1, at=NOW + hours * HOUR_MS)
        await store.record_answers("alpha", [accepted(one, str(hours))])
    expiry = ExpiryJob(store=store, clock=clock)
    clock.advance(49 * HOUR_MS)
    await expiry.look()
    assert await states_of(store, account, number) == [S.EXPIRED, S.WAITING]
    clock.advance(4 * HOUR_MS)
    await expiry.look()
    assert await states_of(store, account, number) == [S.EXPIRED, S.EXPIRED]


async def test_one_look_concludes_however_many_messages_are_due(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    sends = (store.accept(message(account, cost=0)) for _ in range(MESSAGES_AT_ONCE * 2 + 1))
    numbers = await asyncio.gather(*sends)
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert {tuple(await states_of(store, account, number)) for number in numbers} == {(S.KO,)}


async def test_a_later_word_of_the_operator_still_counts(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account, url_dlr=WHERE), ["7"])
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    await store.apply_receipts([receipt("7", "DELIVRD", at=clock.now())])
    assert await states_of(store, account, number) == [S.DELIVERED]
    assert (await store.counts()).callbacks_due == 2


async def test_an_uncertain_segment_is_concluded_like_any_other(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    await store.claim("alpha", limit=1, at=NOW)
    await store.recover(NOW)
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.EXPIRED]


async def test_a_full_disk_puts_it_off(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    many = range(33600000000, 33600000500)
    number = await submitted(store, message(account, many), [str(n) for n in many])
    expiry = ExpiryJob(store=store, clock=clock)
    clock.advance(VALIDITY_MS)
    await forbid_growth(store)
    await expiry.look()
    assert set(await states_of(store, account, number)) == {S.WAITING}
    await allow_growth(store)
    await expiry.look()
    assert set(await states_of(store, account, number)) == {S.EXPIRED}


async def test_a_push_of_the_clock_is_noticed_at_once(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["7"])
    task = asyncio.create_task(ExpiryJob(store=store, clock=clock).run())
    await asyncio.sleep(0.01)
    clock.advance(VALIDITY_MS)

    async def expired() -> bool:
        return await states_of(store, account, number) != [S.WAITING]

    await until(expired)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# -- many segments, of which not all have left ---------------------------------------------------


async def test_a_recipient_of_whom_one_segment_never_left_is_concluded(
    store: SqliteStore, clock: PushableClock
) -> None:
    """The link was lost between two segments; the first was delivered."""
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, segments=3))
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    await store.record_answers("alpha", [accepted(one, "7")])
    await store.apply_receipts([receipt("7", "DELIVRD")])
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.EXPIRED]
    assert await store.claim("alpha", limit=9, at=clock.now()) == [], "what is given up does not leave any more"


async def test_a_recipient_of_whom_one_segment_was_put_off_for_good_is_concluded(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, segments=2))
    first, second = await store.claim("alpha", limit=2, at=NOW)
    later = SubmitAnswer(ref=second.ref, answer=SubmitOutcome.LATER, at=NOW, status=0x58, retry_at=NOW + 1_000)
    await store.record_answers("alpha", [accepted(first, "7"), later])
    await store.apply_receipts([receipt("7", "DELIVRD")])
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.EXPIRED]
    assert await store.claim("alpha", limit=9, at=clock.now()) == []


async def test_a_segment_is_concluded_beside_one_that_failed_already(store: SqliteStore, clock: PushableClock) -> None:
    """Else a late correction of the failed one would leave the recipient waiting for ever."""
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account, segments=2), ["7", "8"])
    await store.apply_receipts([receipt("7", "UNDELIV")])
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.UNDELIVERABLE]
    await store.apply_receipts([receipt("7", "DELIVRD")])
    # Not delivered before and after: a recipient never falls back to a weaker state.
    assert await states_of(store, account, number) == [S.UNDELIVERABLE]


async def test_what_counts_of_several_segments_is_the_links_rule(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store, rule=MultipartRule.FIRST)
    number = await submitted(store, message(account, segments=2), ["7", "8"])
    await store.apply_receipts([receipt("7", "DELIVRD")])
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.DELIVERED]


# -- what never left ---------------------------------------------------------------------------


async def test_recipients_that_no_operator_took_are_ko_paid_back_and_told(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store, credit="1")
    await links_in(store)
    number = await store.accept(message(account, [33612345678, 33612345679], url_dlr=WHERE))
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    await store.record_answers("alpha", [accepted(one, "7")])
    await store.apply_receipts([receipt("7", "DELIVRD")])
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.DELIVERED, S.KO]
    paid_back = await store.account_by_key(b"acme")
    assert paid_back is not None
    assert str(paid_back.credit) == "0.955"
    assert (await store.counts()).callbacks_due == 2


async def test_a_scheduled_message_is_not_given_up_48_hours_after_it_was_accepted(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, due_at=NOW + 72 * HOUR_MS))
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.WAITING]
    clock.advance(72 * HOUR_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.KO]


async def test_a_number_that_no_link_serves_is_ko_after_48_hours(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, link=0))
    clock.advance(VALIDITY_MS)
    await ExpiryJob(store=store, clock=clock).look()
    assert await states_of(store, account, number) == [S.KO]
