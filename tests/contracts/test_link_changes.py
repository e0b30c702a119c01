"""What commands have changed of links is kept, and what waits for a link flows to who serves the same."""

import asyncio
from dataclasses import replace

import pytest

from esito.domain.account import Account
from esito.domain.errors import LinkChanged, LinkInUse
from esito.domain.message import NewRecipient, SubmitAnswer, SubmitOutcome
from esito.domain.operator_habits import IdForm
from esito.domain.routing import Route
from esito.domain.states import MessageState
from esito.store.interface.link_store import KeptLink, LinkRecord, LinkWork
from esito.store.interface.store import Store
from tests.kit.builders import NOW, accepted, account_in, message, receipt, states_of
from tests.kit.stores import open_at

pytestmark = pytest.mark.anyio

ONE = KeptLink("south", added=True, settings='{"host":"a"}')
OTHER = KeptLink("south", added=True, settings='{"host":"b"}')
DOWN = frozenset({"alpha"})


async def keep(store: Store, after: KeptLink, before: KeptLink | None = None) -> None:
    await store.links.keep(after, before=before, act="link added", details="host = a", actor="cli:tests", at=NOW)


async def test_what_is_kept_of_a_link_outlives_the_process_and_is_in_the_audit_log(place: str) -> None:
    async with open_at(place) as store:
        assert await store.links.all() == []
        await keep(store, ONE)
        await keep(store, KeptLink("alpha", added=False, settings='{"enabled":false}'))
    async with open_at(place) as store:
        assert await store.links.all() == [KeptLink("alpha", added=False, settings='{"enabled":false}'), ONE]
        await store.links.remove(ONE, forced=False, details="", actor="cli:tests", at=NOW)
        assert [one.name for one in await store.links.all()] == ["alpha"]
        lines = [(one.actor, one.act, one.subject, one.details) for one in await store.ledger.audit(limit=9)]
        assert lines == [
            ("cli:tests", "link removed", "south", ""),
            ("cli:tests", "link added", "alpha", "host = a"),
            ("cli:tests", "link added", "south", "host = a"),
        ]


async def test_nobody_changes_what_somebody_else_has_changed_meanwhile(store: Store) -> None:
    await keep(store, ONE)
    with pytest.raises(LinkChanged, match="somebody else has changed link south"):
        await keep(store, OTHER)
    await keep(store, OTHER, ONE)
    for refused in (keep(store, ONE, ONE), store.links.remove(ONE, forced=True, details="", actor="cli:tests", at=NOW)):
        with pytest.raises(LinkChanged):
            await refused
    assert await store.links.all() == [OTHER]
    assert len(await store.ledger.audit(limit=9)) == 2


async def test_of_two_at_once_one_is_refused(place: str) -> None:
    async with open_at(place) as store, open_at(place) as beside:
        done = await asyncio.gather(keep(store, ONE), keep(beside, OTHER), return_exceptions=True)
        assert [type(one) for one in done if one is not None] == [LinkChanged]
        assert len(await store.links.all()) == 1


async def test_when_nothing_goes_over_the_file_any_more_nothing_is_kept(store: Store) -> None:
    over = KeptLink("alpha", added=False, settings='{"window":5}')
    await keep(store, over)
    await keep(store, KeptLink("alpha", added=False, settings="{}"), over)
    assert await store.links.all() == []


# -- what waits ------------------------------------------------------------------------------------


def record(name: str, *prefixes: str, operator: str = "", priority: int = 1) -> LinkRecord:
    return LinkRecord(name=name, operator=operator or name, prefixes=prefixes, priority=priority)


async def accept(store: Store, account: Account, *routes: int) -> int:
    new = message(account, cost=0)
    recipients = [NewRecipient(33600000000 + seq, route, 0, 1, 0) for seq, route in enumerate(routes)]
    return await store.accept(replace(new, recipients=recipients))


async def taken(store: Store, link: str, passed_over: frozenset[str] = frozenset()) -> list[int]:
    return [one.ref.seq for one in await store.claim(link, limit=9, at=NOW, passed_over=passed_over)]


async def test_a_link_is_not_removed_while_anything_waits_for_it_or_for_an_answer(store: Store) -> None:
    account = await account_in(store)
    numbers = await store.register_links([record("south", "+33"), record("beta", "+32")])
    routes = await store.register_routes([Route("south", ("beta",))])
    await keep(store, ONE)
    assert await store.links.work("south") == await store.links.work("nobody") == LinkWork(0, 0, 0)
    await accept(store, account, numbers["south"], numbers["south"], numbers["beta"], *routes.values())
    assert await store.links.work("south") == LinkWork(3, 0, 0)
    with pytest.raises(LinkInUse):
        await store.links.remove(ONE, forced=False, details="", actor="cli:tests", at=NOW)
    claimed = await store.claim("south", limit=9, at=NOW)
    assert await store.links.work("south") == LinkWork(0, 0, 3)
    with pytest.raises(LinkInUse):
        await store.links.remove(ONE, forced=False, details="", actor="cli:tests", at=NOW)
    again = SubmitAnswer(
        ref=claimed[0].ref, answer=SubmitOutcome.LATER, at=NOW, retry_at=NOW, attempts=claimed[0].attempts
    )
    await store.record_answers("south", [again, *(accepted(one, str(one.ref)) for one in claimed[1:])])
    assert await store.links.work("south") == LinkWork(0, 1, 0)
    with pytest.raises(LinkInUse):
        await store.links.remove(ONE, forced=False, details="", actor="cli:tests", at=NOW)
    assert await store.links.all() == [ONE]
    await store.links.remove(ONE, forced=True, details="forced", actor="cli:tests", at=NOW)
    assert await store.links.all() == []


async def test_a_link_that_serves_all_that_another_serves_stands_in_for_it(store: Store) -> None:
    account = await account_in(store)
    numbers = await store.register_links([record("alpha", "+33", "+32"), record("half", "+33")])
    await accept(store, account, numbers["alpha"], numbers["alpha"])
    assert await taken(store, "half", DOWN) == []
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    later = SubmitAnswer(ref=one.ref, answer=SubmitOutcome.LATER, at=NOW, retry_at=NOW, attempts=one.attempts)
    await store.record_answers("alpha", [later])
    await store.register_links([record("whole", "+32", "+33", "+34")])
    assert await taken(store, "whole") == []
    assert await store.due("whole", NOW, DOWN)
    assert sorted(await taken(store, "whole", DOWN)) == [0, 1]


async def test_what_a_link_has_served_counts_while_anything_waits_for_it(store: Store) -> None:
    account = await account_in(store)
    numbers = await store.register_links([record("alpha", "+33", "+32"), record("half", "+33")])
    await accept(store, account, numbers["alpha"])
    await store.register_links([record("alpha", "+33")])
    assert await taken(store, "half", DOWN) == [], "what waits may be for +32"
    assert await taken(store, "alpha") == [0]
    await store.register_links([record("alpha", "+33")])
    await accept(store, account, numbers["alpha"])
    assert await taken(store, "half", DOWN) == [0]


async def test_a_link_that_is_retired_leaves_what_waits_to_whom_its_numbers_lead_now(place: str) -> None:
    async with open_at(place) as store:
        account = await account_in(store)
        numbers = await store.register_links([record("alpha", "+336"), record("france", "+33"), record("rest")])
        await accept(store, account, numbers["alpha"])
        assert await taken(store, "france", DOWN) == await taken(store, "rest", DOWN) == []
        await store.retire_links(["alpha"])
        assert await taken(store, "rest") == []
        assert await taken(store, "france") == [0]
        await accept(store, account, numbers["alpha"])
    async with open_at(place) as store:  # and after a restart
        await store.register_links([record("rest")])
        assert await taken(store, "rest") == [0]


async def test_receipts_for_what_a_link_submitted_count_when_it_is_retired_and_after_a_restart(place: str) -> None:
    async with open_at(place) as store:
        account = await account_in(store)
        numbers = await store.register_links([record("alpha", operator="orange"), record("beta")])
        number = await accept(store, account, numbers["alpha"], numbers["alpha"])
        claimed = await store.claim("alpha", limit=9, at=NOW)
        await store.record_answers("alpha", [accepted(one, f"A{one.ref.seq}") for one in claimed])
        await store.retire_links(["alpha"])
        await store.apply_receipts([receipt("A0", "DELIVRD")])
    async with open_at(place) as store:
        await store.register_links([record("beta")])
        await store.apply_receipts([receipt("A1", "UNDELIV")])  # as from a log that still had it
        assert await states_of(store, account, number) == [MessageState.DELIVERED, MessageState.UNDELIVERABLE]


async def test_a_locked_form_of_ids_is_open_again_when_no_link_names_one(store: Store) -> None:
    await store.register_links([replace(record("alpha"), message_id_form=IdForm.HEX_TO_DEC)])
    assert (await store.id_forms())["alpha"].locked is IdForm.HEX_TO_DEC
    await store.register_links([record("alpha")])
    assert (await store.id_forms())["alpha"].locked is IdForm.AUTO
