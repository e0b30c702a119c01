"""The connection to the server ends at every moment of a message's life: what we say of each step is what was kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest

from esito.domain.account import Account
from esito.domain.errors import StoreUnavailable
from esito.domain.message import SubmitAnswer, SubmitOutcome
from esito.domain.states import MessageState
from esito.store.interface.store import Store
from esito.store.postgres.commit_outcome import NotKept, PostgresWriter
from esito.store.postgres.postgres_connect import LOST
from esito.store.postgres.postgres_connection import PostgresConnection
from tests.kit.builders import NOW, account_in, links_in, message, receipt, states_of
from tests.kit.cutting import CutWay, End
from tests.kit.needs import needs
from tests.kit.stores import a_place, open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]

T = TypeVar("T")

FEW = 50
"""Fewer answers than the server gives in a message's life."""

ENDS = [End.BEFORE_THE_ANSWER, End.WITH_THE_ANSWER, End.WITH_LAST_WORDS]


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[CutWay]:
    async with a_place("postgres", tmp_path) as url:
        with CutWay(url) as way:
            yield way


async def insist(act: Callable[[], Awaitable[T]]) -> T:
    """Do as every caller of the store does: what was not kept is asked for again."""
    while True:
        try:
            return await act()
        except StoreUnavailable:
            await asyncio.sleep(0.01)


async def a_life(store: Store, account: Account, moment: int) -> None:
    """Lead a message to its end and see after each step that it was taken once."""
    numbers = range(33600000000 + 10 * moment, 33600000003 + 10 * moment)
    sent = await insist(lambda: store.accept(message(account, numbers, cost=1_000)))
    claimed = await insist(lambda: store.claim("alpha", limit=9, at=NOW))
    assert [one.ref[:2] for one in claimed] == [(sent, 0), (sent, 1), (sent, 2)]
    later = SubmitAnswer(ref=claimed[2].ref, answer=SubmitOutcome.LATER, at=NOW, status=0x58, retry_at=NOW + 1)
    answers = [
        SubmitAnswer(ref=one.ref, answer=SubmitOutcome.ACCEPTED, at=NOW, smsc_message_id=f"{moment}-{place}")
        for place, one in enumerate(claimed[:2])
    ]
    assert await insist(lambda: store.record_answers("alpha", [*answers, later])) == 0
    (again,) = await insist(lambda: store.claim("alpha", limit=9, at=NOW + 1))
    assert again.ref == claimed[2].ref
    refused = SubmitAnswer(ref=again.ref, answer=SubmitOutcome.REFUSED, at=NOW, status=0x0B)
    assert await insist(lambda: store.record_answers("alpha", [refused])) == 1
    receipts = [receipt(one.smsc_message_id, "DELIVRD") for one in answers]
    settled = await insist(lambda: store.apply_receipts(receipts))
    assert settled.verdicts == {"moved": 2}
    ended = [MessageState.DELIVERED, MessageState.DELIVERED, MessageState.REJECTED]
    assert await states_of(store, account, sent) == ended


@pytest.mark.parametrize("end", ENDS, ids=[end.value for end in ENDS])
async def test_a_step_is_kept_once_or_not_at_all(way: CutWay, end: End) -> None:
    async with open_at(way.url) as store:
        account = await account_in(store, credit="100")
        await links_in(store)
        moments = 0
        while moments == 0 or way.was_cut:
            moments += 1
            way.cut(moments, end)
            await a_life(store, account, moments)
        assert moments > FEW
        way.cut(0, end)
        counts = await store.counts()
        assert (counts.queued, counts.unanswered) == (0, 0)


async def test_a_view_of_one_moment_does_not_go_on_at_another(way: CutWay) -> None:
    """Half of a long answer from before the loss, half from after it, would be the state of no moment."""

    def read() -> None:
        with closing(PostgresConnection(way.url, aside=True)) as reader:
            reader.connect()
            with reader.snapshot():
                way.cut(1, End.WITH_THE_ANSWER)
                reader.number("has_span", message_id=1)
                reader.number("has_span", message_id=1)

    with pytest.raises(LOST):
        await asyncio.to_thread(read)


async def test_a_commit_that_the_server_turned_into_a_rollback_was_not_kept(way: CutWay) -> None:
    def write() -> None:
        with closing(PostgresWriter(way.url)) as writer:
            writer.begin(alone=False)
            writer.run("keep_setting", name="colour", value="red")
            with pytest.raises(asyncpg.PostgresError):
                writer.run_once("SELECT 1 / 0")
            writer.commit()

    with pytest.raises(NotKept):
        await asyncio.to_thread(write)


async def test_a_commit_in_which_the_server_panicked_may_have_been_kept(way: CutWay) -> None:
    """It failed to write what comes after; whether our own commit is on its disk shows when it is back."""

    def write() -> None:
        with closing(PostgresWriter(way.url)) as writer:
            writer.begin(alone=False)
            writer.run("keep_setting", name="colour", value="red")
            way.cut(1, End.IN_A_PANIC)
            writer.commit()
            assert writer.text("setting", name="colour") == "red"

    await asyncio.to_thread(write)


async def test_what_tells_the_end_of_a_commit_is_not_forgotten_while_somebody_commits(way: CutWay) -> None:
    def write() -> None:
        with closing(PostgresWriter(way.url)) as old, closing(PostgresWriter(way.url)) as young:
            old.begin(alone=False)
            old.run_once("UPDATE writer SET at = now() - interval '8 days'")
            old.commit()
            old.begin(alone=False)
            old.commit()
            young.connect()
            assert young.run_once("SELECT count(*) FROM writer") == 2

    await asyncio.to_thread(write)
