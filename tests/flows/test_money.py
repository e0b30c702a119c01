"""Credits balance to the cent whatever is sent, cancelled, refused, reported and given up at once (contract 2, 5).

The plan of an example says what each of several connections does, one request after the
other, while the others do the same; some credits are so small that sends are refused.
"""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esito.domain.errors import AlreadyCancelled, AlreadySent
from esito.domain.timing import DAY_MS, HOUR_MS
from tests.kit import looking
from tests.kit.builders import accepted, complaints, receipt, refused
from tests.kit.desk import KEY, Desk, ask, desk
from tests.kit.stores import KINDS, LOGGED

PRICE = Decimal("0.045")

EXAMPLES = {"sqlite": 40, "postgres": 25, "postgres+nats": 10}
"""Plans that are played: PostgreSQL takes longer to have a database for each, and a log too even longer."""

WORDS = ("DELIVRD", "UNDELIV", "ENROUTE", "REJECTD", "EXPIRED", "NONSENSE")

STEPS = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 12)),
    st.tuples(st.just("schedule"), st.integers(1, 12)),
    st.tuples(st.just("cancel"), st.integers(0, 3)),
    st.tuples(st.just("withdraw"), st.integers(0, 3)),
    st.tuples(st.just("submit"), st.integers(1, 10)),
    st.tuples(st.just("refuse"), st.integers(1, 10)),
    st.tuples(st.just("report"), st.integers(1, 60)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("give"), st.integers(1, 900)),
    st.tuples(st.just("take_back"), st.integers(1, 900)),
)
PLANS = st.lists(st.lists(STEPS, min_size=1, max_size=8), min_size=1, max_size=8)


class Connection:
    """One client, and now and then the operator's hand."""

    def __init__(self, api: Desk, number: int, token: str) -> None:
        self._api = api
        self._token = token
        self._next = number * 1_000_000
        self._scheduled: list[int] = []
        self._sent: list[int] = []
        self._submitted: list[str] = []

    async def play(self, steps: Sequence[tuple[str, int]]) -> None:
        for what, count in steps:
            await getattr(self, what)(count)

    async def send(self, count: int, **options: object) -> int | None:
        numbers = [f"+336{self._next + one:08d}" for one in range(count)]
        self._next += count
        body = json.dumps({"apiKey": KEY, "phoneNumbers": numbers, "message": "ciao"} | options).encode()
        reply = await ask(self._api.app, "POST", "/v1/send", body=[body])
        if reply.status != 200:
            assert reply.refused == (400, 11, "Manque de crédits")
            return None
        self._sent.append(int(reply.json["message_id"]))
        return self._sent[-1]

    async def schedule(self, count: int) -> None:
        day = datetime.fromtimestamp((self._api.clock.now() + 4 * DAY_MS) / 1000, UTC)
        message = await self.send(count, scheduledDeliveryDate=f"{day:%d/%m/%Y}", time=9, minute=30)
        if message is not None:
            self._scheduled.append(message)

    async def cancel(self, place: int) -> None:
        if place < len(self._scheduled):  # some twice
            query = f"apiKey={KEY}&messageId={self._scheduled[place]}"
            reply = await ask(self._api.app, "GET", "/v1/message-cancel", query=query)
            assert reply.status == 200 or reply.json["code"] in {5, 6, 7}

    async def withdraw(self, place: int) -> None:
        """Let an administrator take back what waits: of one message, or of all."""
        now = self._api.clock.now()
        if place >= len(self._sent):
            await self._api.store.sending.take_back_queued("acme", at=now)
            return
        with suppress(AlreadyCancelled, AlreadySent):
            await self._api.store.sending.take_back(self._sent[place], actor="", at=now)

    async def submit(self, limit: int) -> None:
        claimed = await self._api.store.claim("alpha", limit=limit, at=self._api.clock.now())
        ids = [f"{one.ref.message_id}-{one.ref.seq}" for one in claimed]
        self._submitted += ids
        await self._api.store.record_answers(
            "alpha", [accepted(one, id_) for one, id_ in zip(claimed, ids, strict=True)]
        )

    async def report(self, seed: int) -> None:
        """Let the operator speak of some segments, and of one that it never had: none of it costs anything."""
        word, now = WORDS[seed % len(WORDS)], self._api.clock.now()
        ids = [*self._submitted[-(seed // len(WORDS)) - 1 :], f"none-{seed}"]
        await self._api.store.apply_receipts([receipt(id_, word, at=now) for id_ in ids])

    async def refuse(self, limit: int) -> None:
        claimed = await self._api.store.claim("alpha", limit=limit, at=self._api.clock.now())
        await self._api.store.record_answers("alpha", [refused(one) for one in claimed])

    async def give(self, cents: int) -> None:
        await self._move("add", cents)

    async def take_back(self, cents: int) -> None:
        await self._move("remove", cents)

    async def _move(self, way: str, cents: int) -> None:
        members = {"apiKey": KEY, "tokenSubaccount": self._token, "credit": cents / 100}
        reply = await ask(self._api.app, "POST", f"/v1/subaccount/credit/{way}", body=[json.dumps(members).encode()])
        assert reply.status == 200 or reply.json["code"] in {7, 8}

    async def wait(self, hours: int) -> None:
        """Let time pass: what could not be submitted within 48 h is given up and refunded."""
        self._api.clock.advance(hours * HOUR_MS)
        await self._api.store.expire(self._api.clock.now())


@pytest.mark.parametrize("kind", [*KINDS, LOGGED])
def test_credits_balance_to_the_cent_whatever_happens_at_once(kind: str) -> None:
    @settings(deadline=None, max_examples=EXAMPLES[kind])
    @given(plans=PLANS, credit=st.sampled_from(["0.5", "2", "100"]))
    def whatever_happens(plans: list[list[tuple[str, int]]], credit: str) -> None:
        with tempfile.TemporaryDirectory() as folder, desk(Path(folder), kind=kind, credit=credit) as api:
            balanced(api, plans, Decimal(credit))

    whatever_happens()


def balanced(api: Desk, plans: Sequence[Sequence[tuple[str, int]]], credit: Decimal) -> None:
    """Play a plan and see where the money is."""
    api.let(creates_subaccounts=True)
    made = api.post("/v1/subaccount/create", type="simple", parameters={"email": "sub@acme", "isBuyer": 0})
    token = made.json["subaccount"]["token"]

    async def all_at_once() -> None:
        await asyncio.gather(*(Connection(api, number, token).play(plan) for number, plan in enumerate(plans)))

    api.runner.run(all_at_once())
    rows = api.runner.run(looking.rows(api.store, "SELECT state, cost FROM recipient"))
    charged = sum(int(str(cost)) for _, cost in rows)
    assert all(int(str(cost)) in ({0} if state == -1 else {45_000}) for state, cost in rows)
    own = Decimal(api.get("/v1/me").json["credits"]["balance"])
    given = Decimal(api.get("/v1/subaccount/list").json["data"][0]["credits"]["balance"])
    assert min(own, given) >= 0
    assert own + given == credit - Decimal(charged) / 1_000_000
    assert own + given == credit - PRICE * sum(1 for _, cost in rows if cost)
    assert api.runner.run(complaints(api.store)) == []
