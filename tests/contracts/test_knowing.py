"""Which ids a store knows, and what it keeps of what cannot be read."""

import pytest

from esito.domain.errors import UnknownLink
from esito.domain.timing import VALIDITY_MS
from esito.smpp.pdu import DeliverSm
from esito.smpp.receipts import read_receipt
from esito.store.interface.store import Store
from tests.kit.builders import NOW, accepted, account_in, links_in, message, refused, submitted

pytestmark = pytest.mark.anyio


async def test_the_ids_of_an_operators_segments_are_known_in_every_spelling(store: Store) -> None:
    await links_in(store, "alpha", "beta", operator="north")
    await links_in(store, "gamma")
    await submitted(store, message(await account_in(store)), ["00ABC1"])
    asked = ["00ABC1", "abc1", "ABC1", str(0xABC1), "ABC2", "", "1"]
    for link in ("alpha", "beta"):
        assert await store.knows_ids(link, asked, at=NOW) == {"00ABC1", "abc1", "ABC1", str(0xABC1)}
    assert await store.knows_ids("gamma", asked, at=NOW) == set()
    assert await store.knows_ids("alpha", [], at=NOW) == await store.knows_ids("alpha", [""], at=NOW) == set()


async def test_while_an_answer_is_owed_every_id_may_be_known_soon(store: Store) -> None:
    await links_in(store)
    await store.accept(message(await account_in(store)))
    (one,) = await store.claim("alpha", limit=10, at=NOW)
    assert await store.knows_ids("alpha", ["1", "2", ""], at=NOW) == {"1", "2"}
    await store.record_answers("alpha", [accepted(one, "1")])
    assert await store.knows_ids("alpha", ["1", "2"], at=NOW) == {"1"}


async def test_while_an_answer_was_lost_lately_every_id_may_be_the_one_it_brought(store: Store) -> None:
    await links_in(store)
    await store.accept(message(await account_in(store)))
    assert await store.claim("alpha", limit=10, at=NOW)
    assert await store.recover(NOW) == 1
    assert await store.knows_ids("alpha", ["1"], at=NOW + 1) == {"1"}
    assert await store.knows_ids("alpha", ["1"], at=NOW + VALIDITY_MS) == set()


async def test_a_refused_segment_has_no_id_to_know(store: Store) -> None:
    await links_in(store)
    await store.accept(message(await account_in(store)))
    (one,) = await store.claim("alpha", limit=10, at=NOW)
    await store.record_answers("alpha", [refused(one)])
    assert await store.knows_ids("alpha", ["1", "0"], at=NOW) == set()


async def test_a_link_that_is_not_registered_is_unknown(store: Store) -> None:
    with pytest.raises(UnknownLink):
        await store.knows_ids("nowhere", ["1"], at=NOW)


async def test_what_cannot_be_read_is_an_orphan_with_its_octets(store: Store) -> None:
    """Segments that wait for their answer or have none do not take it either."""
    await links_in(store)
    account = await account_in(store)
    for _ in range(2):
        await store.accept(message(account))
    one, _ = await store.claim("alpha", limit=10, at=NOW)
    await store.record_answers("alpha", [accepted(one, "")])
    frames = [bytes.fromhex("00000012 00000005 00000000 00000022 4141"), bytes(range(256))]
    unread = [read_receipt(DeliverSm(unreadable=True, frame=frame), link="alpha", at=NOW) for frame in frames]
    assert (await store.apply_receipts(unread)).verdicts == {"orphan": 2}
    found = await store.orphans(after=0, limit=10)
    assert [(told.verdict, told.flags, told.smsc_message_id, told.raw) for told in found] == [
        ("orphan", "unreadable", "", frame) for frame in frames
    ]


async def test_an_id_of_255_octets_is_kept_whole_and_matched(store: Store) -> None:
    await links_in(store)
    account = await account_in(store)
    smsc_id = "ab-" * 85
    number = await submitted(store, message(account), [smsc_id])
    pdu = DeliverSm(esm_class=4, tlvs={0x1E: smsc_id.encode(), 0x427: b"\2"})
    assert (await store.apply_receipts([read_receipt(pdu, link="alpha", at=NOW + 5_000)])).verdicts == {"moved": 1}
    found = await store.evidence_of(account.id, number, "+33612345678")
    assert found is not None
    assert [(one.smsc_message_id, one.flags) for one in found.trail] == [(smsc_id, frozenset({"long_id"}))]
