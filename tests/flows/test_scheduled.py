"""Two weeks of scheduled sends across a change of clocks leave at the right minute in Paris, restarts included."""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from esito.domain.timing import SECOND_MS
from esito.store.sqlite import SqliteStore
from tests.kit.builders import links_in
from tests.kit.desk import desk
from tests.kit.patience import PATIENCE
from tests.torture.house import House, until
from tests.torture.witness import Witness

PARIS = ZoneInfo("Europe/Paris")
MINUTES = [(0, 0), (1, 55), (2, 30), (3, 0), (8, 5), (12, 0), (23, 55)]


def instant(day: date, hour: int, minute: int) -> int:
    """Return the instant by the calendar: midnight by the wall, then as many hours and minutes by the wall."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)
    return int(local.timestamp()) * SECOND_MS


@pytest.mark.parametrize("first", [date(2027, 3, 21), date(2027, 10, 24)], ids=["spring", "autumn"])
def test_two_weeks_of_sends_leave_at_their_minute(tmp_path: Path, first: date) -> None:
    plan: dict[int, str] = {}
    with desk(tmp_path, now=instant(first, 0, 0) - 3_600_000, credit="1000") as api:
        for day in (first + timedelta(days=number) for number in range(14)):
            for hour, minute in MINUTES:
                number = f"+336{len(plan):08d}"
                when = {"scheduledDeliveryDate": f"{day:%d/%m/%Y}", "time": hour, "minute": minute}
                told = api.post("/v1/send", phoneNumbers=number, message="ciao", **when).json
                due = instant(day, hour, minute)
                # In spring the clocks skip 02:30: what is due then leaves when they show 03:30.
                shown = datetime.fromtimestamp(due / SECOND_MS, PARIS).strftime("%Y-%m-%d %H:%M:%S")
                assert told["scheduledDeliveryDate"] == shown
                plan[due] = number
    assert len(plan) == 14 * len(MINUTES)
    asyncio.run(_let_them_leave(tmp_path, plan))


async def _let_them_leave(folder: Path, plan: dict[int, str]) -> None:
    """Open the store anew at the moment each message is due, as after a restart."""
    for due, number in sorted(plan.items()):
        store = SqliteStore(folder / "esito.db")
        await store.open()
        await links_in(store)
        assert not await store.due("alpha", due - 1)
        assert await store.claim("alpha", limit=100, at=due - 1) == []
        left = await store.claim("alpha", limit=100, at=due)
        assert [one.msisdn for one in left] == [number]
        await store.close()


def test_a_server_killed_just_before_sends_at_the_minute_once(tmp_path: Path) -> None:
    with (
        Witness() as witness,
        House(folder=tmp_path, database=tmp_path / "esito.db", links={"alpha": witness.port}, pushable=True) as house,
    ):
        house.start()
        due = datetime.now(PARIS).replace(second=0, microsecond=0) + timedelta(days=1)
        due -= timedelta(minutes=due.minute % 5)
        when = {"scheduledDeliveryDate": f"{due:%d/%m/%Y}", "time": due.hour, "minute": due.minute}
        body = {"apiKey": house.key, "phoneNumbers": "+33612345678", "message": "ciao", **when}
        sent = httpx.post(f"{house.url}/v1/send", json=body, timeout=PATIENCE)
        assert sent.status_code == 200, sent.text
        left = due.timestamp() - datetime.now(PARIS).timestamp()
        push(house, left - PATIENCE)
        house.kill()
        assert witness.submitted == []
        house.start()
        push(house, PATIENCE)
        until(lambda: witness.submitted)
        assert now_of(house) >= int(due.timestamp()) * SECOND_MS
        until(lambda: house.status(sent.json()["message_id"]).json()["StatutResponse_List"][0]["status"] == "Delivered")
        house.kill()
        house.start()
        until(house.bound)
        assert witness.submitted == ["33612345678"]


def push(house: House, seconds: float) -> int:
    answer = httpx.post(
        f"{house.url}/v2/clock/advance",
        json={"seconds": seconds},
        headers=house.as_administrator,
        timeout=PATIENCE,
    )
    return int(answer.json()["now"])


def now_of(house: House) -> int:
    return push(house, 0)
