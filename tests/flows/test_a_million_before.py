"""A million recipients wait for one link; a message of another account leaves within two seconds all the same."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx

from esito.domain.timing import RealClock
from esito.store.sqlite import SqliteStore
from tests.kit.builders import account_in, links_in, message
from tests.kit.patience import PATIENCE
from tests.torture.house import OPERATOR, House, until
from tests.torture.witness import Witness

THROUGHPUT, SECONDS = 100, 2
MESSAGES, EACH = 2_000, 500


async def fill(path: Path) -> None:
    """Accept a campaign of a million recipients."""
    store = SqliteStore(path)
    await store.open()
    await links_in(store, operator="witness")
    account = await account_in(store, "campaigns", credit="100000000")
    at = RealClock().now()
    campaign = replace(message(account, [33_700_000_000 + one for one in range(EACH)]), created_at=at, due_at=at)
    for _ in range(MESSAGES):
        await store.accept(campaign)
    await store.close()


def test_a_message_of_another_account_leaves_before_what_two_seconds_allow(tmp_path: Path) -> None:
    links = {"alpha": f"{OPERATOR}\nthroughput = {THROUGHPUT}"}
    with (
        Witness(delivers=False) as witness,
        House(
            folder=tmp_path, database=tmp_path / "esito.db", links={"alpha": witness.port}, link_settings=links
        ) as house,
    ):
        asyncio.run(fill(house.database))
        house.start()
        until(lambda: len(witness.submitted) > THROUGHPUT)
        for one in range(3):
            number = f"3361234567{one}"
            body = {"apiKey": house.key, "phoneNumbers": f"+{number}", "message": "your code"}
            assert httpx.post(f"{house.url}/v1/send", json=body, timeout=PATIENCE).status_code == 200
            before = len(witness.submitted)
            until(partial(witness.submitted.__contains__, number))
            assert witness.submitted.index(number) - before <= THROUGHPUT * SECONDS
        assert len(set(witness.submitted)) < 2 * EACH
        house.stop()
