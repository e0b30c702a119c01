"""What `esito check` says when something does not add up: each of its sentences, by the damage that calls for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from esito.store.interface.store import Store
from tests.kit import looking
from tests.kit.builders import account_in, complaints, links_in, message, receipt, submitted
from tests.kit.stores import KINDS, a_store

pytestmark = pytest.mark.anyio

ALTERED = "trail row 1 does not match its checksum: it was altered after it was written"
TAKEN = "account acme: 0.135 was taken off the credit, but the prices of its recipients sum to {}"

DAMAGE = [
    ("UPDATE account SET credit = credit + 45000", [TAKEN.replace("0.135", "0.09").format("0.135")]),
    ("UPDATE recipient SET cost = cost - 1 WHERE message_id = {second}", [TAKEN.format("0.134999")]),
    ("DELETE FROM recipient WHERE message_id = {second}", [TAKEN.format("0.09"), "message {second} has no recipients"]),
    (
        "UPDATE recipient SET seq = 2 WHERE message_id = {first} AND seq = 1; DELETE FROM segment WHERE seq = 1",
        [
            "message {first} has 2 recipients, but their numbering says 3",
            "recipient {first}/2 waits, but nothing will ever submit it",
        ],
    ),
    (
        "DELETE FROM message WHERE id = {second}",
        [TAKEN.format("0.09"), "recipient {second}/0 belongs to no message of its account"],
    ),
    (
        "UPDATE recipient SET account = account + 1 WHERE message_id = {first} AND seq = 1",
        ["recipient {first}/1 belongs to no message of its account"],
    ),
    ("DELETE FROM outgoing", ["recipient {second}/0 waits, but nothing will ever submit it"]),
    (
        "DELETE FROM segment WHERE message_id = {first}",
        ["recipient {first}/1 waits, but nothing will ever submit it"],
    ),
    (
        "UPDATE recipient SET state = 77 WHERE seq = 1",
        [
            "1 recipients have the unknown state 77",
            "recipient {first}/1 stands at 77, but its only segment at WAITING",
            "recipient {first}/1 stands at 77, but no callback was written for it",
        ],
    ),
    (
        "UPDATE segment SET state = 77 WHERE message_id = {first} AND seq = 1",
        [
            "segment {first}/1/1 stands at 77, but its trail leads to WAITING",
            "recipient {first}/1 stands at WAITING, but its only segment at 77",
        ],
    ),
    (
        "UPDATE segment SET state = 2 WHERE message_id = {first} AND seq = 0",
        [
            "segment {first}/0/1 stands at ACCEPTED, but its trail leads to DELIVERED",
            "recipient {first}/0 stands at DELIVERED, but its only segment at ACCEPTED",
        ],
    ),
    (
        "UPDATE recipient SET state = 0 WHERE message_id = {first} AND seq = 0",
        ["recipient {first}/0 stands at WAITING, but its only segment at DELIVERED"],
    ),
    ("DELETE FROM callback", ["recipient {first}/0 stands at DELIVERED, but no callback was written for it"]),
    ("DELETE FROM unmatched", ["trail row 2 (orphan) belongs neither to a recipient nor to the orphans"]),
    ("UPDATE trail SET received_at = received_at - 1 WHERE id = 1", [ALTERED]),
    ("UPDATE trail SET smsc_id = '1003' WHERE id = 1", [ALTERED]),
    ("UPDATE trail SET error = '001' WHERE id = 1", [ALTERED]),
    (
        "UPDATE trail SET verdict = 'weaker' WHERE id = 1",
        ["segment {first}/0/1 stands at DELIVERED, but its trail leads to WAITING", ALTERED],
    ),
]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty, open store, whose books will not balance in the end."""
    async with a_store(request.param, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(("damage", "sentences"), DAMAGE)
async def test_the_books_name_what_does_not_add_up(store: Store, damage: str, sentences: list[str]) -> None:
    account = await account_in(store)
    await links_in(store)
    two = message(account, (33612345678, 33612345679), url_dlr="https://example.org/dlr")
    first = await submitted(store, two, ["1001", "1002"])
    await store.apply_receipts([receipt("1001", "DELIVRD"), receipt("9999", "DELIVRD")])
    second = await store.accept(message(account))
    assert await complaints(store) == []
    await looking.change(store, damage.format(first=first, second=second))
    assert await complaints(store) == [one.format(first=first, second=second) for one in sentences]
