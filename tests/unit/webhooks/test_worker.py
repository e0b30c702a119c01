"""The worker of callbacks on a real store and real sockets; days pass in a moment."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from esito.clockwork import sleep_until
from esito.domain.callback import TRIES, CallbackPhase, Outcome
from esito.domain.errors import StoreUnavailable
from esito.domain.timing import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from esito.store.interface.callback_store import Turn
from esito.store.sqlite import SqliteStore
from esito.webhooks.addresses import Judge
from esito.webhooks.sender import Attempt, Sender
from tests.kit import looking
from tests.kit.builders import NOW, account_in, complaints, links_in
from tests.kit.callback_office import Office, running
from tests.kit.patience import A_MOMENT, until
from tests.kit.receiver import Receiver
from tests.unit.lifecycle.parts import allow_growth, forbid_growth

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store = SqliteStore(tmp_path / "esito.db")
    await store.open()
    try:
        account = await account_in(store, credit="10000")
        await links_in(store)
        yield Office(store, account)
        assert await complaints(store) == []
    finally:
        await store.close()


def has_taken(receiver: Receiver, count: int) -> bool:
    return len(receiver.taken) == count


@pytest.mark.slow
async def test_a_receiver_that_is_down_for_three_hours_gets_everything_afterwards(office: Office) -> None:
    receiver = Receiver()
    await receiver.come()
    await receiver.go()
    async with running(office.worker()):
        numbers = [await office.tell(receiver.url, "UNDELIV", "DELIVRD", numbers=10) for _ in range(3)]
        await office.settle()
        await office.pass_(3 * HOUR_MS, step=2 * MINUTE_MS)
        assert receiver.heard == []
        await receiver.come()
        await office.pass_(9 * HOUR_MS, step=15 * MINUTE_MS)
        await receiver.go()
    told = [one.id for one in receiver.heard]
    wanted = {f"msg_{number}_{seq}_{rung}" for number in numbers for seq in range(10) for rung in (7, 8)}
    assert sorted(told) == sorted(wanted)  # each, and each once
    for number in numbers:
        for seq in range(10):
            mine = [one.sequence for one in receiver.heard if one.id.startswith(f"msg_{number}_{seq}_")]
            assert mine == [1, 2]
    assert await office.store.callbacks.waiting() == (0, 0)


async def test_a_receiver_that_takes_ten_seconds_delays_no_other(office: Office) -> None:
    async def slowly(_path: str, _headers: dict[str, str]) -> int:
        await sleep_until(office.clock, office.clock.now() + 10 * SECOND_MS)
        return 200

    async with Receiver(slowly) as slow, Receiver() as quick, running(office.worker()) as worker:
        await office.tell(slow.url, "DELIVRD", numbers=300)
        worker.wake()
        await until(lambda: worker.in_flight == 32)
        # No time passes by the clock that the slow one waits for: whoever waited for it would wait for ever.
        for sent in range(1, 21):
            _, ids = await office.send(quick.url, numbers=10)
            await office.say(ids, "DELIVRD")
            worker.wake()
            await until(partial(has_taken, quick, 10 * sent))
        assert len(slow.heard) == 0
        await until(lambda: worker.in_flight == 32)  # the last of the quick ones have just answered

        async def all_are_taken() -> bool:
            office.clock.advance(10 * SECOND_MS)
            await asyncio.sleep(A_MOMENT)
            return len(slow.taken) == 300

        await until(all_are_taken)
        await office.settle()


async def test_after_29_attempts_within_72_hours_a_callback_is_dead(office: Office) -> None:
    async def refuse(_path: str, _headers: dict[str, str]) -> int:
        return 500

    async with Receiver(refuse) as receiver, running(office.worker()):
        number = await office.tell(receiver.url, "DELIVRD")
        while True:
            await office.settle()
            (line,) = await office.store.callbacks.page(office.account.id)
            if line.next_at is None:
                break
            office.clock.advance(line.next_at - office.clock.now())
    assert (line.phase, line.reason, line.attempts) == (CallbackPhase.DEAD, "given up: HTTP 500", TRIES)
    assert [one.attempt for one in receiver.heard] == list(range(1, 30))
    assert {one.id for one in receiver.heard} == {f"msg_{number}_0_8"}
    told = await office.store.callbacks.one(office.account.id, line.id)
    assert told is not None
    moments = [one.at for one in told.log]
    assert 60 * HOUR_MS < moments[-1] - moments[0] <= 72 * HOUR_MS
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    for place, pause in enumerate(pauses[:-1]):
        usual = min(5_000 * 2**place, 4 * HOUR_MS)
        assert 0.8 * usual <= pause <= 1.2 * usual
    assert {(one.status, one.answer, one.address != "") for one in told.log} == {(500, b"said", True)}


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_a_receiver_that_asks_for_time_gets_it_where_it_may_ask(office: Office, status: int) -> None:
    async def refuse(_path: str, _headers: dict[str, str]) -> int:
        return status

    async with Receiver(refuse, retry_after="3600") as receiver, running(office.worker(chance=lambda: 0.5)):
        await office.tell(receiver.url, "DELIVRD")
        await office.settle()
        (line,) = await office.store.callbacks.page(office.account.id)
    pause = 5 * SECOND_MS if status == 500 else HOUR_MS + HOUR_MS // 10
    assert (line.phase, line.next_at) == (CallbackPhase.DUE, office.clock.now() + pause)


async def test_a_dead_callback_is_made_again_when_it_is_replayed(office: Office) -> None:
    answers = iter([410, 200])

    async def next_answer(_path: str, _headers: dict[str, str]) -> int:
        return next(answers)

    async with Receiver(next_answer) as receiver, running(office.worker()):
        await office.tell(receiver.url, "DELIVRD")
        await office.settle()
        (dead,) = await office.store.callbacks.page(office.account.id, status="dead")
        assert dead.reason == "given up: HTTP 410"
        await office.store.callbacks.replay(office.account.id, dead.id, office.clock.now())
        await office.settle()
    assert [(one.id, one.attempt) for one in receiver.heard] == [(dead.webhook_id, 1), (dead.webhook_id, 2)]
    assert [one.phase for one in await office.store.callbacks.page(office.account.id)] == [CallbackPhase.DONE]


async def test_after_five_days_of_failures_a_destination_is_called_no_more(office: Office) -> None:
    async def refuse(_path: str, _headers: dict[str, str]) -> int:
        return 503

    async with Receiver(refuse) as receiver, running(office.worker()):
        for _ in range(6):
            await office.tell(receiver.url, "DELIVRD")
            await office.settle()
            await office.pass_(DAY_MS, step=4 * HOUR_MS)
        (place,) = await office.store.callbacks.destinations(office.account.id)
        assert (place.reason, place.due, place.dead) == ("five days without a success", 0, 6)
        heard = len(receiver.heard)
        await office.tell(receiver.url, "DELIVRD")
        await office.settle()
        assert len(receiver.heard) == heard
    newest = (await office.store.callbacks.page(office.account.id))[0]
    assert (newest.reason, newest.attempts) == ("destination disabled: five days without a success", 0)


@pytest.mark.parametrize(("own", "common", "signs"), [("own", "all", "own"), ("", "all", "all"), ("", "", None)])
async def test_a_request_says_what_it_is_and_is_signed_by_whoever_has_a_secret(
    office: Office, own: str, common: str, signs: str | None
) -> None:
    await office.store.change_profile("acme", {"signing_secret": own})
    async with Receiver() as receiver, running(office.worker(secret=common)):
        number = await office.tell(receiver.url, "DELIVRD")
        await office.settle()
    (one,) = receiver.heard
    seconds = NOW // 1000
    assert one.path == "/dlr?secret=1"
    assert one.headers["content-type"] == "application/json"
    assert one.headers["user-agent"].startswith("Esito/")
    assert (one.id, one.headers["webhook-timestamp"]) == (f"msg_{number}_0_8", str(seconds))
    assert (one.sequence, one.attempt) == (1, 1)
    signed = None if signs is None else f"{signs}.{one.id}.{seconds}.{len(one.body)}"
    assert one.headers.get("webhook-signature") == signed


class Broken:
    """A poster with a fault of its own."""

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def post(self, _url: str, _body: bytes, _headers: Mapping[str, str], **_: int) -> Attempt:
        raise LookupError("a slip of ours \ud800")


async def test_what_must_not_be_called_is_given_up_at_once(office: Office) -> None:
    async with running(office.worker(poster=Sender(judge=Judge()))):
        await office.tell("http://127.0.0.1/", "DELIVRD")
        await office.settle()
    (line,) = await office.store.callbacks.page(office.account.id)
    assert (line.phase, line.attempts) == (CallbackPhase.DEAD, 1)
    assert line.reason == "given up: refused: 127.0.0.1 is a loopback address"


async def test_a_fault_of_ours_costs_an_attempt_and_no_callback(office: Office) -> None:
    async with running(office.worker(poster=Broken())):
        await office.tell("https://example.org/", "DELIVRD")
        await office.settle()
    (line,) = await office.store.callbacks.page(office.account.id)
    assert (line.phase, line.last_error) == (CallbackPhase.DUE, "LookupError: a slip of ours ?")


async def test_what_is_out_when_the_process_stops_is_kept_if_it_ends_in_time(office: Office) -> None:
    begun = asyncio.Event()

    async def a_little_later(_path: str, _headers: dict[str, str]) -> int:
        begun.set()
        await asyncio.sleep(0.2)
        return 200

    async with Receiver(a_little_later) as receiver:
        async with running(office.worker()):
            await office.tell(receiver.url, "DELIVRD")
            await begun.wait()
        assert [one.phase for one in await office.store.callbacks.page(office.account.id)] == [CallbackPhase.DONE]
        assert len(receiver.taken) == 1


async def test_what_is_being_claimed_when_the_process_stops_is_made_and_kept(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = office.store.callbacks.turn
    turned = asyncio.Event()

    async def slowly(*about: Any, **more: Any) -> Turn:
        done = await turn(*about, **more)
        if done.claimed.callbacks:
            turned.set()
            await asyncio.sleep(0.1)
        return done

    monkeypatch.setattr(office.store.callbacks, "turn", slowly)
    async with Receiver() as receiver:
        await office.tell(receiver.url, "DELIVRD", numbers=3)
        async with running(office.worker()):
            await turned.wait()
        assert len(receiver.taken) == 3
    assert await office.store.callbacks.waiting() == (0, 0)


async def test_how_a_callback_ended_is_kept_though_the_last_turn_fails(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = office.store.callbacks.turn
    failing = asyncio.Event()

    async def fail_slowly(outcomes: Sequence[Outcome], *about: Any, **more: Any) -> Turn:
        if not outcomes:
            return await turn(outcomes, *about, **more)
        failing.set()
        await asyncio.sleep(0.1)
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(office.store.callbacks, "turn", fail_slowly)
    async with Receiver() as receiver, running(office.worker()):
        await office.tell(receiver.url, "DELIVRD")
        await failing.wait()
    assert [one.phase for one in await office.store.callbacks.page(office.account.id)] == [CallbackPhase.DONE]


async def test_a_store_that_is_full_for_a_while_loses_nothing(office: Office) -> None:
    async with Receiver() as receiver, running(office.worker()) as worker:
        number = await office.tell(receiver.url, "DELIVRD", numbers=300)
        await forbid_growth(office.store)
        worker.wake()
        with pytest.raises(StoreUnavailable):
            await office.send(receiver.url, numbers=500)
        await asyncio.sleep(1.2)
        await allow_growth(office.store)
        await office.settle()
    assert {f"msg_{number}_{seq}_8" for seq in range(300)} <= {one.id for one in receiver.taken}
    assert await office.store.callbacks.waiting() == (0, 0)


@pytest.mark.slow
async def test_a_fault_in_the_store_ends_neither_the_worker_nor_a_callback(office: Office) -> None:
    async def rename(one: str, other: str) -> None:
        await looking.change(office.store, f"ALTER TABLE {one} RENAME TO {other}")

    async with Receiver() as receiver, running(office.worker()) as worker:
        await rename("destination", "mislaid")
        await office.tell(receiver.url, "DELIVRD")
        worker.wake()
        await asyncio.sleep(0.3)
        assert receiver.heard == []
        await rename("mislaid", "destination")
        await office.settle()
        assert len(receiver.taken) == 1
