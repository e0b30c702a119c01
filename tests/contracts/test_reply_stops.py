"""A subscriber's STOP: whose list it goes on, and what is answered."""

import pytest

from esito.domain.reply import STOP_WINDOW_MS
from esito.store.base import Store
from esito.store.replies import Kept
from tests.kit.builders import NOW, account_in
from tests.kit.replying import LATER, furnished, keep, pushed, reply, send

pytestmark = pytest.mark.anyio


async def test_a_stop_puts_the_number_on_the_list_and_is_told_as_stop(store: Store) -> None:
    account = await furnished(store)
    number = await send(store, account)
    assert await keep(store, reply("Stop")) == Kept(responses=1, stops=1, pushed=1)
    assert [one.msisdn for one in await store.stops.list(account.id)] == ["+33611111111"]
    body = {"type": "stop", "phone_number": "+33611111111", "text": "Stop", "message_id": number}
    assert await pushed(store) == [(number, body)]
    assert await store.replies.stop_answers() == []


async def test_a_stop_to_the_short_code_is_for_who_sent_last_under_whatever_name(store: Store) -> None:
    account, other = await furnished(store), await account_in(store, "other")
    await send(store, account, sender="ESITO")
    await send(store, other, sender="SHOP", due_at=NOW + 1)
    await keep(store, reply("STOP", to="36111"))
    assert await store.stops.list(account.id) == []
    assert [one.msisdn for one in await store.stops.list(other.id)] == ["+33611111111"]


async def test_a_stop_is_for_who_sent_last_unless_it_goes_to_a_senders_own_address(store: Store) -> None:
    account, other = await furnished(store), await account_in(store, "other")
    await send(store, account, sender="36222")
    await send(store, account, sender="SHOP", due_at=NOW + 1)
    await send(store, other, sender="ESITO", due_at=NOW + 2)
    await keep(store, reply("STOP", to="36222"))
    assert [len(await store.stops.list(one.id)) for one in (account, other)] == [1, 0]
    await keep(store, reply("STOP", to="36111"))
    assert [len(await store.stops.list(one.id)) for one in (account, other)] == [1, 1]


async def test_a_stop_is_obeyed_for_longer_than_a_reply_is_matched(store: Store) -> None:
    account = await furnished(store)
    number = await send(store, account)
    await keep(store, reply("oui", at=NOW + STOP_WINDOW_MS), reply("STOP", at=NOW + STOP_WINDOW_MS))
    assert [(found, body["type"]) for found, body in await pushed(store)] == [(number, "stop")]
    assert len(await store.stops.list(account.id)) == 1


@pytest.mark.parametrize("text", ["STOP ESITO", "STOP au 36111", "stop 36111", "Arrêt, acme!"])
async def test_a_stop_may_name_the_service(store: Store, text: str) -> None:
    account = await furnished(store)
    await send(store, account, sender="ESITO")
    await keep(store, reply(text))
    assert len(await store.stops.list(account.id)) == 1


async def test_a_stop_that_nobody_is_concerned_by_stops_nobody(store: Store) -> None:
    account = await furnished(store)
    assert await keep(store, reply("STOP")) == Kept(responses=1)
    assert await store.stops.list(account.id) == []


async def test_a_stop_on_a_long_number_is_for_its_account(store: Store) -> None:
    account = await furnished(store, numbers=("33700000001",), stop_answer="Done")
    await keep(store, reply("STOP", to="33700000001"))
    assert [one.msisdn for one in await store.stops.list(account.id)] == ["+33611111111"]
    (answer,) = await store.replies.stop_answers()
    assert (answer.msisdn, answer.sender, answer.text) == ("+33611111111", "33700000001", "Done")


async def test_the_first_stop_of_a_number_is_answered_and_no_other(store: Store) -> None:
    account = await furnished(store, stop_answer="Vous ne recevrez plus de SMS.")
    await send(store, account, sender="36111")
    await keep(store, reply("STOP"))
    await keep(store, reply("stop!"))
    (answer,) = await store.replies.stop_answers()
    assert (answer.account.id, answer.msisdn, answer.sender) == (account.id, "+33611111111", "36111")
    await store.replies.stop_answered(answer.number, None)
    assert await store.replies.stop_answers() == []


async def test_what_answered_a_stop_is_not_what_the_next_reply_answers(store: Store) -> None:
    account = await furnished(store, stop_answer="Done")
    number = await send(store, account)
    await keep(store, reply("STOP"))
    (answer,) = await store.replies.stop_answers()
    await store.replies.stop_answered(answer.number, await send(store, account, due_at=LATER + 1, url=None))
    await keep(store, reply("merci", at=LATER + 2))
    assert [(found, body["text"]) for found, body in await pushed(store)] == [(number, "STOP"), (number, "merci")]


async def test_the_number_of_the_mention_is_known_wherever_a_stop_goes(store: Store) -> None:
    account = await furnished(store)
    await send(store, account)
    await keep(store, reply("STOP au 36 111, merci", to="36222"))
    assert len(await store.stops.list(account.id)) == 1
