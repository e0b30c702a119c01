"""What the operator's answers to submit_sm come to. The link is real and not bound: it has room for nothing."""

import asyncio

import pytest

from esito.domain.message import SegmentRef
from esito.domain.states import MessageState
from esito.domain.timing import HOUR_MS, SECOND_MS, PushableClock
from esito.lifecycle.receive import Receiver
from esito.lifecycle.submit import LOOK_EVERY, Submitter, Try
from esito.links.gateway import Gateway
from esito.links.smpp_link import SmppLink
from esito.smpp.connect import SmppSettings
from esito.smpp.pdu import Status, SubmitSm, SubmitSmResp
from esito.smpp.responses import SubmitResponse
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW, account_in, links_in, message, receipt, states_of
from tests.kit.patience import PATIENCE, until
from tests.kit.peer import peer
from tests.unit.lifecycle.parts import allow_growth, forbid_growth

pytestmark = pytest.mark.anyio

ID_AS_LONG_AS_IT_GETS = "f" * 64


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a submitter that ends wait for a busy disk as long as a test does."""
    monkeypatch.setattr("esito.lifecycle.submit.FINISH_WITHIN", PATIENCE)


def submitter(store: SqliteStore, clock: PushableClock) -> Submitter:
    _, one = link_and_submitter(store, clock)
    return one


def link_and_submitter(
    store: SqliteStore, clock: PushableClock, gateway: Gateway | None = None, *, port: int = 1
) -> tuple[SmppLink, Submitter]:
    gateway = gateway or Gateway(Receiver(store=store, clock=clock))
    link = SmppLink(
        SmppSettings(name="alpha", host="127.0.0.1", port=port, system_id="smsc", password="secret"), gateway
    )
    return link, Submitter(store=store, clock=clock, link=link)


async def claimed(store: SqliteStore, limit: int = 99, at: int = NOW) -> list[SegmentRef]:
    return [one.ref for one in await store.claim("alpha", limit=limit, at=at)]


async def test_an_accepted_segment_keeps_its_id_and_waits_for_its_receipt(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    (ref,) = await claimed(store)
    one = submitter(store, clock)
    one.submitted([SubmitResponse(Try(ref, 0), Status.ESME_ROK, ID_AS_LONG_AS_IT_GETS)])
    await one.finish()
    assert await states_of(store, account, number) == [MessageState.WAITING]
    await store.apply_receipts([receipt(ID_AS_LONG_AS_IT_GETS, "DELIVRD")])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_an_accepted_segment_without_an_id_is_accepted_all_the_same(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account))
    (ref,) = await claimed(store)
    one = submitter(store, clock)
    one.submitted([SubmitResponse(Try(ref, 0), Status.ESME_ROK, "")])
    await one.finish()
    assert (await store.counts()).unanswered == 0
    assert (await store.apply_receipts([receipt("", "DELIVRD")])).verdicts == {"orphan": 1}


@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL, Status.ESME_RSYSERR])
async def test_a_refusal_that_passes_is_tried_again_after_a_second(
    store: SqliteStore, clock: PushableClock, status: int
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    refs = await claimed(store)
    one = submitter(store, clock)
    one.submitted([SubmitResponse(Try(refs[0], 0), status)])
    await one.finish()
    assert await states_of(store, account, number) == [MessageState.WAITING]
    assert await claimed(store, at=NOW + SECOND_MS - 1) == []
    assert await claimed(store, at=NOW + SECOND_MS) == refs


@pytest.mark.parametrize("status", [Status.ESME_RINVDSTADR, Status.ESME_RSUBMITFAIL, Status.ESME_RUNKNOWNERR, 0x400])
async def test_any_other_refusal_is_the_operators_last_word(
    store: SqliteStore, clock: PushableClock, status: int
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    (ref,) = await claimed(store)
    one = submitter(store, clock)
    one.submitted([SubmitResponse(Try(ref, 0), status)])
    await one.finish()
    assert await states_of(store, account, number) == [MessageState.REJECTED]
    assert await claimed(store, at=NOW + 47 * HOUR_MS) == []


async def test_a_segment_nobody_answered_for_is_uncertain_and_not_sent_twice(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    (ref,) = await claimed(store)
    one = submitter(store, clock)
    one.submitted([SubmitResponse(Try(ref, 0), None)])
    await one.finish()
    assert await states_of(store, account, number) == [MessageState.WAITING]
    assert (await store.counts()).unanswered == 1
    assert await claimed(store, at=NOW + HOUR_MS) == []


async def test_a_link_that_may_send_twice_tries_an_uncertain_segment_again(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store, again=True)
    await store.accept(message(account))
    refs = await claimed(store)
    one = submitter(store, clock)
    one.submitted([SubmitResponse(Try(refs[0], 0), None)])
    await one.finish()
    assert await claimed(store) == refs


async def test_who_wakes_up_with_an_answer_does_not_end_what_another_has_submitted_since(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store, again=True)
    await store.accept(message(account))
    async with peer(on_submit=lambda _: None) as smsc:
        gateway = Gateway(Receiver(store=store, clock=clock))
        link, one = link_and_submitter(store, clock, gateway, port=smsc.port)
        gateway.add("alpha", lambda: (link, one))
        await gateway.start()
        (sent,) = await smsc.came(SubmitSm)
        one.stop()
        await store.recover(NOW)
        (again,) = await store.claim("alpha", limit=1, at=NOW)
        smsc.session.say(SubmitSmResp(sequence=sent.sequence, status=Status.ESME_RTHROTTLED))
        await gateway.stop()
    assert again.attempts == 1
    assert (await store.counts()).unanswered == 1
    assert await claimed(store, at=NOW + HOUR_MS) == []


async def test_one_read_may_bring_every_kind_of_answer(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, range(33612345670, 33612345674)))
    refs = await claimed(store)
    one = submitter(store, clock)
    statuses = [Status.ESME_ROK, Status.ESME_RTHROTTLED, Status.ESME_RINVDSTADR, None]
    one.submitted([SubmitResponse(Try(ref, 0), status, "7") for ref, status in zip(refs, statuses, strict=True)])
    await one.finish()
    await store.apply_receipts([receipt("7", "DELIVRD")])
    S = MessageState  # noqa: N806  as in the table of states
    assert await states_of(store, account, number) == [S.DELIVERED, S.WAITING, S.REJECTED, S.WAITING]
    assert await claimed(store, at=NOW + SECOND_MS) == [refs[1]]


async def test_a_receipt_between_two_responses_with_one_id_speaks_for_both_segments(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, segments=2))
    first, second = await claimed(store)
    one = submitter(store, clock)
    one.submitted([SubmitResponse(Try(first, 0), Status.ESME_ROK, "7")])
    await one.finish()
    await store.apply_receipts([receipt("7", "DELIVRD")])
    one.submitted([SubmitResponse(Try(second, 0), Status.ESME_ROK, "7")])
    await one.finish()
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_answers_that_a_full_store_refuses_are_kept_once_there_is_space(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, range(33600000000, 33600000500)))
    refs = await claimed(store, 500)
    one = submitter(store, clock)
    await forbid_growth(store)
    one.submitted(
        [SubmitResponse(Try(ref, 0), Status.ESME_ROK, f"{place:064d}") for place, ref in enumerate(refs[:499])]
    )
    await asyncio.sleep(LOOK_EVERY / 2)
    assert (await store.counts()).unanswered == 500
    one.submitted([SubmitResponse(Try(refs[499], 0), Status.ESME_RINVDSTADR)])
    await allow_growth(store)
    await one.finish()
    assert (await store.counts()).unanswered == 0
    assert (await states_of(store, account, number))[-1] == MessageState.REJECTED


@pytest.mark.slow
async def test_an_answer_that_no_store_can_take_keeps_no_other_from_being_kept(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account, range(33612345670, 33612345673)))
    refs = await claimed(store)
    one = submitter(store, clock)
    one.submitted(
        [SubmitResponse(Try(ref, 0), Status.ESME_ROK, text) for ref, text in zip(refs, "1\ud8003", strict=True)]
    )
    await until(lambda: unanswered(store, 1))
    one.submitted([SubmitResponse(Try(refs[1], 0), Status.ESME_ROK, "2")])
    await until(lambda: unanswered(store, 0))
    await one.finish()


async def unanswered(store: SqliteStore, count: int) -> bool:
    return (await store.counts()).unanswered == count


async def test_a_link_that_is_not_bound_claims_nothing(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account))
    one = submitter(store, clock)
    task = asyncio.create_task(one.run())
    one.wake()
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    counts = await store.counts()
    assert (counts.queued, counts.unanswered) == (1, 0)
