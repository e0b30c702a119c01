"""What replies leave to be done: a STOP is answered once, an incomplete reply is told after a day."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esito.domain.account import Account, AccountState
from esito.domain.pricing import PriceList
from esito.domain.reply import INCOMPLETE_AFTER_MS
from esito.domain.routing import Routes
from esito.domain.timing import SECOND_MS, PushableClock
from esito.lifecycle.accept import Acceptance
from esito.lifecycle.receive import Receiver
from esito.lifecycle.reply_job import LOOK_EVERY_MS, ReplyJob
from esito.smpp.codec import decode, encode
from esito.smpp.pdu import DeliverSm, EsmClass, Status, Tag
from esito.store.interface.link_store import LinkRecord
from esito.store.sqlite import SqliteStore
from tests.kit import looking
from tests.kit.builders import account_in, links_in, message
from tests.kit.patience import until
from tests.unit.lifecycle.parts import deliver

pytestmark = pytest.mark.anyio

ANSWER = "Vous ne recevrez plus de SMS."


async def furnished(store: SqliteStore, **profile: object) -> Account:
    """Return an account that has sent a message to +33612345678 under no name."""
    account = await account_in(store)
    await links_in(store)
    account = await store.change_profile(account.name, {"stop_answer": ANSWER} | profile)
    await store.accept(replace(message(account), sender="", url_response="https://example.net/"))
    return account


def work_of(store: SqliteStore, clock: PushableClock, stop_kept: asyncio.Event | None = None) -> ReplyJob:
    routes = Routes(prefixes={"": "alpha"}, numbers={"alpha": 1})
    acceptance = Acceptance(store=store, clock=clock, routes=routes, prices=PriceList())
    return ReplyJob(store=store, clock=clock, acceptance=acceptance, stop_kept=stop_kept or asyncio.Event())


async def receive(
    store: SqliteStore, clock: PushableClock, *pdus: DeliverSm, on_stop: Callable[[], None] = lambda: None
) -> None:
    receiving = Receiver(store=store, clock=clock, on_stop=on_stop)
    assert await receiving.keep("alpha", pdus) == [Status.ESME_ROK] * len(pdus)


def sent(path: Path) -> list[tuple[object, ...]]:
    """Return sender, text, number and price of every message but the first."""
    connection = apsw.Connection(str(path / "esito.db"), flags=apsw.SQLITE_OPEN_READONLY)
    rows = connection.execute(
        "SELECT m.sender, t.text, r.msisdn, r.cost FROM message m JOIN recipient r ON r.message_id = m.id"
        " JOIN message_text t ON t.message_id = m.id WHERE m.id > 1 ORDER BY m.id"
    ).fetchall()
    connection.close()
    return rows


async def test_a_stop_is_answered_at_the_usual_price_although_its_number_is_stopped_now(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    account = await furnished(store)
    work = work_of(store, clock)
    await receive(store, clock, deliver("STOP", esm_class=0))
    assert await store.stopped_among(account.id, [33612345678]) == {33612345678}
    await work.look()
    assert sent(tmp_path) == [("", ANSWER, 33612345678, 45_000)]
    await work.look()
    assert len(sent(tmp_path)) == 1


async def test_an_answer_that_was_sent_but_not_noted_is_not_sent_again(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    await furnished(store)
    await receive(store, clock, deliver("STOP", esm_class=0))
    await work_of(store, clock).look()
    # As after a crash between the two.
    await looking.change(store, "UPDATE stop_answer SET done = 0, message_id = NULL")
    await work_of(store, clock).look()
    assert len(sent(tmp_path)) == 1
    assert await store.replies.stop_answers() == []


@pytest.mark.parametrize("state", [AccountState.BLOCKED, AccountState.DISABLED])
async def test_an_account_that_may_not_send_answers_nobody(
    store: SqliteStore, clock: PushableClock, tmp_path: Path, state: AccountState
) -> None:
    account = await furnished(store)
    await store.set_account_state(account.name, state)
    await receive(store, clock, deliver("STOP", esm_class=0))
    await work_of(store, clock).look()
    assert sent(tmp_path) == []
    assert len(await store.stops.list(account.id)) == 1
    assert await store.replies.stop_answers() == []


async def test_an_answer_that_cannot_be_paid_is_given_up_and_the_stop_holds(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    account = await account_in(store, credit="0.045")
    await links_in(store)
    await store.change_profile(account.name, {"stop_answer": ANSWER})
    await store.accept(message(account))
    await receive(store, clock, deliver("STOP", esm_class=0))
    await work_of(store, clock).look()
    assert sent(tmp_path) == []
    assert len(await store.stops.list(account.id)) == 1
    assert await store.replies.stop_answers() == []


async def test_a_long_reply_is_given_up_after_a_day(store: SqliteStore, clock: PushableClock) -> None:
    account = await furnished(store)
    part = deliver("\x05\x00\x03\x07\x02\x01hello", esm_class=EsmClass.UDHI)
    await receive(store, clock, part)
    work = work_of(store, clock)
    await work.look()
    assert await store.replies.page(account.id, after=0, limit=1) == []
    clock.advance(INCOMPLETE_AFTER_MS)
    await work.look()
    (shown,) = await store.replies.page(account.id, after=0, limit=1)
    assert (shown.text, shown.missing) == ("hello", 1)


async def test_a_stop_is_answered_at_once_and_the_rest_within_seconds_of_the_clock(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    account = await furnished(store)
    stop_kept = asyncio.Event()
    work = work_of(store, clock, stop_kept)
    running = asyncio.create_task(work.run())
    try:
        await receive(
            store, clock, deliver("\x05\x00\x03\x07\x02\x01hello", esm_class=EsmClass.UDHI), on_stop=stop_kept.set
        )
        await receive(store, clock, deliver("STOP", esm_class=0), on_stop=stop_kept.set)
        await until(lambda: sent(tmp_path))
        clock.advance(INCOMPLETE_AFTER_MS)

        async def both() -> bool:
            clock.advance(LOOK_EVERY_MS + SECOND_MS)  # again and again: when it waits anew is its own affair
            return len(await store.replies.page(account.id, after=0, limit=9)) == 2

        await until(both)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_store_that_cannot_be_written_puts_it_off(clock: PushableClock, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "esito.db")
    await store.open()
    await furnished(store)
    await receive(store, clock, deliver("STOP", esm_class=0))
    await store.close()
    await work_of(store, clock).look()
    assert sent(tmp_path) == []
    again = SqliteStore(tmp_path / "esito.db")
    await again.open()
    await again.register_links([LinkRecord(name="alpha", operator="alpha")])
    await work_of(again, clock).look()
    await again.close()
    assert len(sent(tmp_path)) == 1


ADDRESSES = st.one_of(
    st.sampled_from(["33612345678", "+33612345678", "0612345678", "36111", "ESITO", "", "33700000001"]),
    st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20),
)


WRITTEN = st.builds(
    DeliverSm,
    source_addr=ADDRESSES,
    destination_addr=ADDRESSES,
    data_coding=st.integers(0, 255),
    short_message=st.binary(max_size=254),
    esm_class=st.sampled_from([0, EsmClass.UDHI]),
    tlvs=st.dictionaries(st.sampled_from([Tag.MESSAGE_PAYLOAD, Tag.SAR_MSG_REF_NUM]), st.binary(max_size=300)),
)


@pytest.mark.slow
@settings(max_examples=150)
@given(written=WRITTEN)
async def test_whatever_is_written_is_kept_and_answered(
    store: SqliteStore, clock: PushableClock, written: DeliverSm
) -> None:
    """What made the store fail would come again for ever."""
    if not await store.accounts():
        await furnished(store, numbers=("33700000001",))
    read = decode(encode(written))
    assert isinstance(read, DeliverSm)
    await receive(store, clock, read)
    clock.advance(SECOND_MS)
