import asyncio
import dataclasses
from decimal import Decimal

import pytest

from esito.domain.errors import NotEnoughCredit
from esito.domain.states import MessageState
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, links_in, message, states_of

pytestmark = pytest.mark.anyio


async def test_recipients_come_back_in_the_order_of_the_request(store: Store) -> None:
    account = await account_in(store, credit="1000")
    links = await links_in(store, "alpha", "beta")
    msisdns = [33600000000 + (n * 7919) % 500 for n in range(500)]
    new = message(account, msisdns)
    recipients = [one._replace(link=links["beta"] if n % 3 else links["alpha"]) for n, one in enumerate(new.recipients)]
    number = await store.accept(dataclasses.replace(new, recipients=recipients))
    rows = await store.recipients_of(account.id, number)
    assert rows is not None
    assert [row[0] for row in rows] == [f"+{msisdn}" for msisdn in msisdns]
    assert {row[1:] for row in rows} == {(MessageState.WAITING, 0, str(NOW // 1000))}


async def test_ids_increase_over_many_sends_and_a_restart_of_the_block(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    numbers = await asyncio.gather(*(store.accept(message(account, cost=0)) for _ in range(1500)))
    assert numbers == sorted(set(numbers))


async def test_the_price_is_taken_off_and_never_below_zero(store: Store) -> None:
    account = await account_in(store, credit="0.10")
    await links_in(store)
    results = await asyncio.gather(*(store.accept(message(account)) for _ in range(5)), return_exceptions=True)
    assert [isinstance(result, int) for result in results] == [True, True, False, False, False]
    assert all(isinstance(result, NotEnoughCredit) for result in results[2:])
    left = await store.account_by_key(b"acme")
    assert left is not None
    assert left.credit == Decimal("0.01")


async def test_another_account_does_not_see_the_message(store: Store) -> None:
    owner, stranger = await account_in(store, "owner"), await account_in(store, "stranger")
    await links_in(store)
    number = await store.accept(message(owner))
    assert await store.recipients_of(stranger.id, number) is None
    assert await store.recipient_of(stranger.id, number, "+33612345678") is None
    assert await store.statuses_of(stranger.id, [(number, "+33612345678")]) == [None]
    assert await store.recipients_of(owner.id, number + 1) is None


async def test_a_recipient_is_found_by_its_number(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, [33611111111, 33622222222]))
    found = await store.recipient_of(account.id, number, "+33622222222")
    assert found is not None
    assert (found.msisdn, found.cost, found.stopped) == ("+33622222222", Decimal("0.045"), False)
    assert await store.recipient_of(account.id, number, "+33633333333") is None


async def test_pairs_are_answered_in_their_order(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, [33611111111]))
    found = await store.statuses_of(account.id, [(number, "+33699999999"), (number, "+33611111111"), (9, "+33")])
    assert found == [None, (MessageState.WAITING, NOW, False), None]


async def test_a_tag_gathers_messages_page_by_page(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    for msisdn in range(33600000000, 33600000007):
        await store.accept(message(account, [msisdn], tag="spring"))
    await store.accept(message(account, tag="autumn"))
    page = await store.recipients_by_tag(account.id, "spring", page=2, size=3)
    assert page is not None
    assert page.total == 7
    assert [row[0] for row in page.rows] == ["+33600000003", "+33600000004", "+33600000005"]
    beyond = await store.recipients_by_tag(account.id, "spring", page=10**9, size=3)
    assert beyond is not None
    assert beyond.rows == []
    assert await store.recipients_by_tag(account.id, "winter", page=1, size=3) is None


async def test_a_sandbox_message_costs_nothing_and_goes_nowhere(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, cost=0, sandbox=True))
    assert await states_of(store, account, number) == [MessageState.DELIVERED]
    assert await store.claim("alpha", limit=10, at=NOW) == []
    assert await store.to_send(account.id) == 0


async def test_what_waits_to_be_sent_is_counted(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account, [33611111111, 33622222222, 33633333333]))
    assert await store.to_send(account.id) == 3
    await store.claim("alpha", limit=2, at=NOW)
    assert await store.to_send(account.id) == 1
