"""Several links serve a number: what waits for one that is passed over leaves by another."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from esito.domain.account import Account
from esito.domain.message import NewRecipient, Submission, SubmitAnswer, SubmitOutcome
from esito.domain.routing import Route
from esito.domain.states import MessageState
from esito.domain.timing import VALIDITY_MS
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from tests.kit.builders import NOW, accepted, account_in, links_in, message, receipt, states_of
from tests.kit.stores import open_at

pytestmark = pytest.mark.anyio

ALPHA, BETA = Route("alpha", ("beta", "spare")), Route("beta", ("alpha", "spare"))
NONE, DOWN = frozenset[str](), frozenset({"alpha"})


async def routes_in(store: Store) -> dict[Route, int]:
    """Have two equal links, a spare one, and one that alpha alone serves for."""
    await store.register_links(
        [
            LinkRecord(name=name, operator=name, priority=2 if name == "spare" else 1)
            for name in ("alpha", "beta", "spare")
        ]
    )
    return await store.register_routes([ALPHA, BETA, Route("alpha")])


async def accept(store: Store, account: Account, *links: int, segments: int = 1) -> int:
    new = message(account, cost=0)
    recipients = [NewRecipient(33600000000 + seq, link, 0, segments, 0) for seq, link in enumerate(links)]
    return await store.accept(replace(new, recipients=recipients))


async def claim(store: Store, link: str, passed_over: frozenset[str] = NONE, *, limit: int = 100) -> list[Submission]:
    assert await store.due(link, NOW, passed_over) or not passed_over
    return await store.claim(link, limit=limit, at=NOW, passed_over=passed_over)


def seqs(claimed: Sequence[Submission]) -> list[int]:
    return [one.ref.seq for one in claimed]


async def test_a_route_of_one_link_has_its_number_and_all_are_stable(store: Store) -> None:
    numbers = await routes_in(store)
    links = await links_in(store, "alpha", "beta", "spare")
    assert numbers[Route("alpha")] == links["alpha"]
    assert numbers[ALPHA] < 0 > numbers[BETA] != numbers[ALPHA]
    assert await routes_in(store) == numbers


async def test_each_link_takes_its_own_while_all_are_usable(store: Store) -> None:
    numbers, account = await routes_in(store), await account_in(store)
    await accept(store, account, numbers[ALPHA], numbers[BETA], numbers[ALPHA], numbers[BETA])
    assert not await store.due("spare", NOW)
    assert seqs(await claim(store, "spare")) == []
    assert seqs(await claim(store, "beta")) == [1, 3]
    assert seqs(await claim(store, "alpha")) == [0, 2]


async def test_what_waits_for_a_link_that_is_passed_over_leaves_by_the_best_of_the_others(store: Store) -> None:
    numbers, account = await routes_in(store), await account_in(store)
    number = await accept(store, account, numbers[ALPHA], numbers[Route("alpha")], numbers[BETA])
    assert seqs(await store.claim("spare", limit=9, at=NOW, passed_over=DOWN)) == []
    taken = await claim(store, "beta", DOWN)
    assert sorted(seqs(taken)) == [0, 2]  # and not what alpha alone serves
    await store.record_answers("beta", [accepted(one, f"B{one.ref.seq}") for one in taken])
    await store.apply_receipts([receipt(f"B{seq}", "DELIVRD", link="beta") for seq in (0, 2)])
    states = [MessageState.DELIVERED, MessageState.WAITING, MessageState.DELIVERED]
    assert await states_of(store, account, number) == states
    both = frozenset({"alpha", "beta"})
    other = await accept(store, account, numbers[ALPHA], numbers[BETA])
    assert [one.ref.message_id for one in await claim(store, "spare", both)] == [other, other]
    assert seqs(await claim(store, "alpha")) == [1]


async def test_when_no_link_is_usable_each_keeps_its_own(store: Store) -> None:
    numbers, account = await routes_in(store), await account_in(store)
    await accept(store, account, numbers[ALPHA], numbers[BETA])
    everybody = frozenset({"alpha", "beta", "spare"})
    assert seqs(await store.claim("spare", limit=9, at=NOW, passed_over=everybody)) == []
    assert seqs(await claim(store, "beta", everybody)) == [1]
    assert seqs(await claim(store, "alpha", everybody)) == [0]


async def test_what_was_claimed_and_not_written_leaves_by_another(store: Store) -> None:
    numbers, account = await routes_in(store), await account_in(store)
    number = await accept(store, account, numbers[ALPHA], numbers[Route("alpha")], segments=2)
    claimed = await claim(store, "alpha", limit=3)
    back = [SubmitAnswer(ref=one.ref, answer=SubmitOutcome.LATER, at=NOW, retry_at=NOW) for one in claimed]
    await store.record_answers("alpha", back)
    taken = await claim(store, "beta", DOWN)
    assert [(one.ref.seq, one.ref.part, one.attempts) for one in taken] == [(0, 1, 0), (0, 2, 0)]  # it never left
    await store.record_answers("beta", [accepted(one, f"B{one.ref.part}") for one in taken])
    evidence = await store.evidence_of(account.id, number, "+33600000000")
    assert evidence is not None
    assert (evidence.link, evidence.operator) == ("beta", "beta")
    assert {part.link for part in evidence.submitted} == {"beta"}
    page = await store.recipients_page(account.id, number, states=[0, 1, 2], after=-1, limit=9)
    assert [line.operator for line in page or []] == ["beta", "alpha"]
    # What alpha alone serves waited for it.
    assert [(one.ref.seq, one.ref.part) for one in await claim(store, "alpha")] in ([(1, 1), (1, 2)], [(1, 2), (1, 1)])


async def test_the_other_half_of_a_text_may_leave_by_another_link(store: Store) -> None:
    numbers, account = await routes_in(store), await account_in(store)
    number = await accept(store, account, numbers[ALPHA], segments=3)
    first = await claim(store, "alpha", limit=1)
    rest = await claim(store, "beta", DOWN)
    assert [one.ref.part for one in first + rest] == [1, 2, 3]
    await store.record_answers("alpha", [accepted(one, "1") for one in first])
    await store.record_answers("beta", [accepted(one, f"{one.ref.part}") for one in rest])
    done = [receipt("1", "DELIVRD"), receipt("2", "DELIVRD", link="beta"), receipt("3", "DELIVRD", link="beta")]
    await store.apply_receipts(done)
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_before_it_left_a_recipient_is_shown_under_its_own_link(store: Store) -> None:
    numbers, account = await routes_in(store), await account_in(store)
    number = await accept(store, account, numbers[BETA])
    evidence = await store.evidence_of(account.id, number, "+33600000000")
    assert evidence is not None
    assert (evidence.link, evidence.submitted) == ("beta", ())


async def test_a_text_that_left_in_part_is_concluded_after_48_hours(store: Store) -> None:
    numbers, account = await routes_in(store), await account_in(store)
    number = await accept(store, account, numbers[ALPHA], segments=2)
    (one,) = await claim(store, "beta", DOWN, limit=1)
    await store.record_answers("beta", [accepted(one, "1")])
    await store.expire(NOW + VALIDITY_MS + 1_001)
    assert await states_of(store, account, number) == [MessageState.EXPIRED]
    assert await store.claim("beta", limit=9, at=NOW + VALIDITY_MS, passed_over=DOWN) == []


async def test_what_waits_for_links_that_are_no_more_is_taken_by_those_that_are_left(place: str) -> None:
    async with open_at(place) as store:
        numbers, account = await routes_in(store), await account_in(store)
        await accept(store, account, numbers[ALPHA])
    async with open_at(place) as store:
        await links_in(store, "beta")
        await store.register_routes([Route("beta")])
        assert seqs(await store.claim("beta", limit=9, at=NOW)) == [0]
