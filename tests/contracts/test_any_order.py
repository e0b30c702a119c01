"""Any permutation, any duplication and any split into batches of the same receipts ends alike.

See architecture.md#why-order-does-not-matter.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esito.domain.states import FIRST_FINAL, MultipartRule, public_word
from esito.store.interface.store import Store
from tests.kit import looking
from tests.kit.builders import account_in, complaints, links_in, message, receipt, states_of, submitted
from tests.kit.stores import KINDS, LOGGED, a_store

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


Play = list[list[tuple[str, str]]]

EXAMPLES = {"sqlite": 40, "postgres": 25, "postgres+nats": 12}
"""By kind of store: the longer the way of a receipt, the fewer are played."""

Played = TypeVar("Played")


class Table:
    """A store that every example of a test plays on, each with an account, an operator and a message of its own."""

    def __init__(self, runner: asyncio.Runner, store: Store) -> None:
        self._runner = runner
        self._store = store
        self._games = count(1)

    def play(self, game: Callable[[Store, str], Coroutine[Any, Any, Played]]) -> Played:
        """Play one; `game` is given the store and a name that no other game uses."""
        return self._runner.run(game(self._store, f"game{next(self._games)}"))

    def close(self) -> None:
        """Look at the books of all the games."""
        assert self._runner.run(complaints(self._store)) == []


@pytest.fixture(params=[*KINDS, LOGGED])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of store."""
    return str(request.param)


@pytest.fixture
def table(kind: str, tmp_path: Path) -> Iterator[Table]:
    """One store for all examples of a test: to make one for each would take longer than to play."""
    with asyncio.Runner() as runner:
        doors = AsyncExitStack()
        opened = Table(runner, runner.run(doors.enter_async_context(a_store(kind, tmp_path))))
        try:
            yield opened
            opened.close()
        finally:
            runner.run(doors.aclose())


async def played(store: Store, name: str, batches: Play, rule: MultipartRule) -> tuple[list[tuple[int, int]], int]:
    """Return what a store holds after these batches: segments and the recipient."""
    account = await account_in(store, name)
    links = await links_in(store, name, rule=rule)
    new = message(account, segments=3, link=links[name])
    number = await submitted(store, new, ["1", "2", "3"], link=name)
    kept = 0
    for batch in batches:
        settled = await store.apply_receipts([receipt(one, word, link=name) for one, word in batch])
        kept += sum(settled.verdicts.values())
    assert kept == sum(map(len, batches))
    rows = await looking.rows(store, f"SELECT part, state FROM segment WHERE message_id = {number} ORDER BY part")
    (state,) = await states_of(store, account, number)
    return [(int(part), int(state)) for part, state in rows], state


@pytest.mark.slow
@pytest.mark.parametrize("rule", MultipartRule)
def test_the_order_of_receipts_does_not_matter(table: Table, kind: str, rule: MultipartRule) -> None:
    @settings(deadline=None, max_examples=EXAMPLES[kind])
    @given(plays=two_plays())
    def it_does_not(plays: tuple[Play, Play]) -> None:
        one, other = (table.play(partial(played, batches=batches, rule=rule)) for batches in plays)
        agree(one, other, rule)

    it_does_not()


def agree(
    one: tuple[list[tuple[int, int]], int], other: tuple[list[tuple[int, int]], int], rule: MultipartRule
) -> None:
    """Fail if two plays ended differently."""
    (segments, state), (others, other_state) = one, other
    assert segments == others
    # A recipient never falls back: a failure that was corrected while another segment is silent shows
    # in one order and not in the other. Once every segment has its last word, all orders agree.
    if rule is not MultipartRule.ANY_FAILED or all(rung >= FIRST_FINAL for _, rung in segments):
        assert public_word(state) == public_word(other_state)


async def climbed(store: Store, name: str, words: Sequence[str]) -> tuple[int, list[int]]:
    """Return the state of a recipient after these words, and those that callbacks were written for."""
    account = await account_in(store, name)
    links = await links_in(store, name)
    new = message(account, link=links[name], url_dlr="https://example.com/dlr")
    number = await submitted(store, new, ["1"], link=name)
    for word in words:
        await store.apply_receipts([receipt("1", word, link=name)])
    rows = await looking.rows(store, f"SELECT state FROM callback WHERE message_id = {number} ORDER BY id")
    (state,) = await states_of(store, account, number)
    return state, [int(row[0]) for row in rows]


def test_a_single_segment_ends_in_the_same_state_and_its_callbacks_follow_its_climb(table: Table, kind: str) -> None:
    @settings(deadline=None, max_examples=EXAMPLES[kind])
    @given(words=st.lists(st.sampled_from(WORDS[:-1]), min_size=1, max_size=6), data=st.data())
    def it_does(words: list[str], data: st.DataObject) -> None:
        shuffled = data.draw(st.permutations(words))
        state, callbacks = table.play(partial(climbed, words=shuffled))
        assert state == max(WORDS.index(word) + 1 for word in words)
        assert callbacks == sorted(callbacks)
        assert max(Counter(map(public_word, callbacks)).values(), default=0) <= 1
        assert bool(callbacks) is (state >= FIRST_FINAL)

    it_does()
