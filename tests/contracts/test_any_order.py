"""Any permutation, any duplication and any split into batches of the same receipts ends alike (design 5)."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import FIRST_FINAL, MultipartRule, public_word
from esito.store.sqlite import SqliteStore
from tests.kit import looking
from tests.kit.builders import account_in, complaints, links_in, message, receipt, submitted

WORDS = ("ENROUTE", "ACCEPTD", "UNKNOWN", "EXPIRED", "DELETED", "REJECTD", "UNDELIV", "DELIVRD", "NONSENSE")

RECEIPTS = st.lists(st.tuples(st.sampled_from(("1", "2", "3")), st.sampled_from(WORDS)), min_size=1, max_size=7)


@st.composite
def two_plays(draw: st.DrawFn) -> tuple[list[list[tuple[str, str]]], list[list[tuple[str, str]]]]:
    """The same set of receipts twice: in other orders, repeated, and split into other batches."""
    said = draw(RECEIPTS)
    plays = []
    for _ in range(2):
        repeated = said + draw(st.lists(st.sampled_from(said), max_size=4))
        shuffled = draw(st.permutations(repeated))
        cuts = sorted(draw(st.sets(st.integers(1, len(shuffled)), max_size=3)))
        batches = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
        plays.append([batch for batch in batches if batch])
    return plays[0], plays[1]


async def played(
    batches: Sequence[Sequence[tuple[str, str]]], rule: MultipartRule
) -> tuple[list[tuple[int, int]], int]:
    """Return what a store holds after these batches: segments, the recipient, and how much of the trail counts."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "esito.db")
        await store.open()
        account = await account_in(store)
        await links_in(store, rule=rule)
        number = await submitted(store, message(account, segments=3), ["1", "2", "3"])
        kept = 0
        for batch in batches:
            receipts: list[DeliveryReceipt] = [receipt(one, word) for one, word in batch]
            settled = await store.apply_receipts(receipts)
            kept += sum(settled.verdicts.values())
        assert kept == sum(map(len, batches))
        rows = await looking.rows(store, "SELECT part, state FROM segment ORDER BY part")
        recipients = await store.recipients_of(account.id, number)
        assert recipients is not None
        assert await complaints(store) == []
        await store.close()
    return [(int(str(part)), int(str(state))) for part, state in rows], recipients[0][1]


@pytest.mark.parametrize("rule", MultipartRule)
@settings(deadline=None, max_examples=40)
@given(plays=two_plays())
def test_the_order_of_receipts_does_not_matter(
    rule: MultipartRule, plays: tuple[list[list[tuple[str, str]]], list[list[tuple[str, str]]]]
) -> None:
    (segments, state), (others, other_state) = (asyncio.run(played(batches, rule)) for batches in plays)
    assert segments == others
    # A recipient never falls back: a failure that was corrected while another segment is silent shows
    # in one order and not in the other. Once every segment has its last word, all orders agree.
    if rule is not MultipartRule.ANY_FAILED or all(rung >= FIRST_FINAL for _, rung in segments):
        assert _public(state) == _public(other_state)


def _public(state: object) -> str:
    return public_word(int(str(state)))


@settings(deadline=None, max_examples=60)
@given(words=st.lists(st.sampled_from(WORDS[:-1]), min_size=1, max_size=6), data=st.data())
def test_a_single_segment_ends_in_the_same_state_and_its_callbacks_follow_its_climb(
    words: list[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(words))

    async def play() -> tuple[int, list[int]]:
        with tempfile.TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder) / "esito.db")
            await store.open()
            account = await account_in(store)
            await links_in(store)
            number = await submitted(store, message(account, url_dlr="https://example.com/dlr"), ["1"])
            for word in shuffled:
                await store.apply_receipts([receipt("1", word)])
            recipients = await store.recipients_of(account.id, number)
            assert recipients is not None
            rows = await looking.rows(store, "SELECT state FROM callback ORDER BY id")
            assert await complaints(store) == []
            await store.close()
            return recipients[0][1], [int(str(row[0])) for row in rows]

    state, callbacks = asyncio.run(play())
    assert state == max(WORDS.index(word) + 1 for word in words)
    assert callbacks == sorted(callbacks)
    assert max(Counter(_public(one) for one in callbacks).values(), default=0) <= 1
    assert bool(callbacks) is (state >= FIRST_FINAL)
