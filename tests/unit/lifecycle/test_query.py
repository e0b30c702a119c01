"""What a link asks by query_sm, how much of it, and what an SMSC that does not answer comes to."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from esito.app.link_factory import make_link, revise_link
from esito.app.link_status import link_status
from esito.config import LinkSettings
from esito.domain.account import Account
from esito.domain.states import MessageState
from esito.domain.status_query import ASK_AGAIN_MS
from esito.domain.timing import HOUR_MS, MINUTE_MS, PushableClock
from esito.lifecycle.receive import Receiver
from esito.links.gateway import Gateway
from esito.smpp import pdu as p
from esito.store.interface.link_store import LinkRecord
from esito.store.sqlite import SqliteStore
from tests.kit.builders import account_in, message, states_of
from tests.kit.operators import configured
from tests.kit.patience import A_MOMENT, until
from tests.kit.peer import Peer, peer

pytestmark = pytest.mark.anyio


class Scene:
    """A store, a gateway with a link that asks after an hour, and the SMSC it is bound to."""

    def __init__(self, store: SqliteStore, clock: PushableClock, smsc: Peer, account: Account) -> None:
        self.store, self.clock, self.smsc, self.account = store, clock, smsc, account
        self.gateway = Gateway(Receiver(store=store, clock=clock))
        self.settings: LinkSettings

    async def sent(self, count: int = 1) -> list[int]:
        """Submit messages, and wait for their answers."""
        before = len(self.submitted)
        numbers = [await self.store.accept(message(self.account, [33612345678 + one])) for one in range(count)]
        self.gateway.wake()
        await until(lambda: len(self.submitted) == before + count)
        await until(self.all_answered)
        return numbers

    async def all_answered(self) -> bool:
        return (await self.store.counts()).unanswered == 0

    @property
    def submitted(self) -> list[p.Pdu]:
        return [pdu for session in self.smsc.sessions for pdu in session.of(p.SubmitSm)]

    @property
    def asked(self) -> list[p.Pdu]:
        return [pdu for session in self.smsc.sessions for pdu in session.of(p.QuerySm)]

    @property
    def trouble(self) -> str:
        (link,) = self.gateway.links
        return " ".join(link_status(self.settings, link).troubles)

    async def trail(self, number: int, msisdn: str = "+33612345678") -> list[tuple[str, str]]:
        known = await self.store.evidence_of(self.account.id, number, msisdn)
        assert known is not None
        return [(one.verdict.value, one.stat) for one in known.trail]

    async def state(self, number: int) -> int:
        return (await states_of(self.store, self.account, number))[0]


@asynccontextmanager
async def scene(store: SqliteStore, clock: PushableClock, folder: Path, lines: str = "") -> AsyncIterator[Scene]:
    async with peer() as smsc:
        usual = "query_after = '1h'\nrebind_max = 0.05\nstop_patience = 0.01"
        settings = configured(folder, f"{usual}\n{lines}", port=smsc.port)
        await store.register_links([LinkRecord(name="alpha", operator="alpha", query_after_ms=HOUR_MS)])
        one = Scene(store, clock, smsc, await account_in(store))
        one.settings = settings
        one.gateway.add("alpha", partial(make_link, settings, one.gateway, store, clock))
        await one.gateway.start()
        try:
            await until(lambda: all(link.can_send for link in one.gateway.links))
            yield one
        finally:
            await one.gateway.stop()


async def test_what_the_operator_owes_is_asked_for_and_its_answer_is_kept(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    async with scene(store, clock, tmp_path, "source_numbering = {alphanumeric = [5, 3]}") as it:
        it.smsc.on_query = lambda pdu: p.QuerySmResp(sequence=pdu.sequence, message_id=pdu.message_id, message_state=2)
        (number,) = await it.sent()
        clock.advance(HOUR_MS - 1)
        await asyncio.sleep(A_MOMENT)
        assert it.asked == []
        clock.advance(1)
        await until(lambda: it.asked)
        (asked,) = it.asked
        assert isinstance(asked, p.QuerySm)
        submit = it.submitted[0]
        assert (asked.message_id, asked.source_addr_ton, asked.source_addr_npi, asked.source_addr) == (
            str(submit.sequence), 5, 3, "ESITO",
        )  # fmt: skip

        async def delivered() -> bool:
            return await it.state(number) == MessageState.DELIVERED

        await until(delivered)
        assert await it.trail(number) == [("queried", "message_state 2")]
        assert it.trouble == ""


@pytest.mark.parametrize(
    "answer",
    [
        lambda pdu: p.GenericNack(sequence=pdu.sequence, status=p.Status.ESME_RINVCMDID),
        lambda pdu: p.QuerySmResp(sequence=pdu.sequence, status=p.Status.ESME_RINVCMDID),
    ],
    ids=["generic_nack", "query_sm_resp"],
)
async def test_an_smsc_that_does_not_know_query_sm_is_not_asked_until_the_next_bind(
    store: SqliteStore, clock: PushableClock, tmp_path: Path, answer: "object"
) -> None:
    async with scene(store, clock, tmp_path) as it:
        it.smsc.on_query = answer  # type: ignore[assignment]  # one of the above
        (number,) = await it.sent()
        clock.advance(HOUR_MS)
        await until(lambda: it.trouble.startswith("unqueried: the SMSC does not know query_sm (ESME_RINVCMDID"))
        assert len(it.asked) == 1
        clock.advance(4 * HOUR_MS)
        await it.sent()  # it goes on working, and the submitter has looked for work since
        await asyncio.sleep(A_MOMENT)
        assert len(it.asked) == 1
        assert await it.state(number) == MessageState.WAITING
        it.smsc.session.hang_up()
        await until(lambda: len(it.asked) > 1)


async def test_an_smsc_that_does_not_answer_query_sm_keeps_its_session_and_is_asked_less_and_less(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    async with scene(store, clock, tmp_path, "response_timeout = 0.5\nenquire_interval = 0.1\nwindow = 1") as it:
        it.smsc.on_query = lambda _pdu: None
        await it.sent(2)
        clock.advance(HOUR_MS)
        await until(lambda: it.trouble.startswith("unqueried: query_sm is not answered (no answer)"))
        assert len(it.asked) == 1
        await it.sent()
        assert len(it.smsc.sessions) == 1
        clock.advance(MINUTE_MS)
        await until(lambda: len(it.asked) == 2)
        await until(lambda: it.trouble.startswith("unqueried: query_sm is not answered"))
        clock.advance(MINUTE_MS - 1)
        await it.sent()
        assert len(it.asked) == 2


async def test_a_refusal_is_told_in_the_trail_and_being_busy_is_not(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    async with scene(store, clock, tmp_path) as it:
        statuses = iter([p.Status.ESME_RTHROTTLED, p.Status.ESME_RQUERYFAIL])
        it.smsc.on_query = lambda pdu: p.QuerySmResp(sequence=pdu.sequence, status=next(statuses))
        (number,) = await it.sent()
        clock.advance(HOUR_MS)
        await until(lambda: "ESME_RTHROTTLED" in it.trouble)
        assert await it.trail(number) == []
        clock.advance(ASK_AGAIN_MS)
        await until(lambda: it.trail(number))
        assert await it.trail(number) == [("queried", "ESME_RQUERYFAIL")]


async def test_questions_take_a_tenth_of_the_window(store: SqliteStore, clock: PushableClock, tmp_path: Path) -> None:
    async with scene(store, clock, tmp_path, "window = 30") as it:
        it.smsc.on_query = lambda _pdu: None
        await it.sent(9)
        clock.advance(HOUR_MS)
        await until(lambda: len(it.asked) == 3)
        await it.sent(2)
        await asyncio.sleep(A_MOMENT)
        assert len(it.asked) == 3
        session = it.smsc.session
        session.say(p.QuerySmResp(sequence=it.asked[0].sequence, message_state=1))
        await until(lambda: len(it.asked) == 4)


async def test_no_question_goes_before_a_submit_sm_that_waits(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    async with scene(store, clock, tmp_path, "throughput = 8") as it:
        it.smsc.on_query = lambda pdu: p.QuerySmResp(sequence=pdu.sequence, message_state=1)
        await it.sent()
        await store.accept(message(it.account, [33612000000 + one for one in range(12)]))
        clock.advance(HOUR_MS)
        it.gateway.wake()
        await until(lambda: it.asked)
        came = [type(pdu) for pdu in it.smsc.session.came]
        assert came.index(p.QuerySm) > came.count(p.SubmitSm) - 1
        assert came.count(p.SubmitSm) == 13


async def test_whether_an_operator_is_asked_changes_while_its_link_is_bound(
    store: SqliteStore, clock: PushableClock, tmp_path: Path
) -> None:
    async with scene(store, clock, tmp_path) as it:
        submitter = it.gateway.revise("alpha", partial(make_link, it.settings, it.gateway, store, clock))
        assert submitter is not None
        revise_link(dataclasses.replace(it.settings, query_after=""), submitter)
        await it.sent()
        clock.advance(HOUR_MS)
        await asyncio.sleep(A_MOMENT)
        assert it.asked == []
        revise_link(it.settings, submitter)
        await until(lambda: it.asked)
        await until(lambda: it.trouble)  # it does not know query_sm
        revise_link(dataclasses.replace(it.settings, query_after=""), submitter)
        await until(lambda: not it.trouble, "what is not asked is no trouble")
        assert len(it.smsc.sessions) == 1
