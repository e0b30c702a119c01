"""A subscriber's STOP: whose list it goes on, and what is answered."""

from dataclasses import replace

import pytest

from esito.domain.account import Account
from esito.domain.message import NewRecipient, SegmentRef
from esito.domain.reply import STOP_WINDOW_MS
from esito.domain.routing import Route
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.reply_store import RepliesKept
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, message
from tests.kit.replying import ANNA, LATER, furnished, keep, pushed, reply, send

pytestmark = pytest.mark.anyio


async def test_a_stop_puts_the_number_on_the_list_and_is_told_as_stop(store: Store) -> None:
    account = await furnished(store)
    number = await send(store, account)
    assert await keep(store, reply("Stop")) == RepliesKept(responses=1, stops=1, pushed=1)
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
    assert await keep(store, reply("STOP")) == RepliesKept(responses=1)
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


# -- by which link it left ---------------------------------------------------------------------


NORTH = LinkRecord(name="north", operator="north", sender="36222", stop_number="36222")
SOUTH = LinkRecord(name="south", operator="south", sender="36333", stop_number="36333")
EAST = LinkRecord(name="east", operator="east")
WEST = LinkRecord(name="west", operator="west")


async def sent_by(store: Store, account: Account, link: int, *, sender: str = "", due_at: int = NOW) -> int:
    new = message(account, [ANNA], link=link, due_at=due_at, cost=0)
    return await store.accept(replace(new, sender=sender))


async def stopped(store: Store, *accounts: Account) -> list[int]:
    return [len(await store.stops.list(one.id)) for one in accounts]


async def test_what_a_claim_brings_tells_the_number_of_its_mention(store: Store) -> None:
    account = await furnished(store)
    texts, numbers = ("ciao STOP au 36222", "ciao"), ("36222", "")
    recipients = [NewRecipient(ANNA, 1, 0, 1, 0), NewRecipient(ANNA + 1, 1, 1, 1, 0)]
    await store.accept(replace(message(account), texts=texts, stop_numbers=numbers, recipients=recipients))
    claimed = await store.claim("alpha", limit=9, at=NOW)
    assert [(one.ref, one.text, one.stop_number) for one in claimed] == [
        (SegmentRef(claimed[0].ref.message_id, seq, 1), text, number)
        for seq, (text, number) in enumerate(zip(texts, numbers, strict=True))
    ]


@pytest.mark.parametrize("sender", ["", "SHOP"])
async def test_a_stop_to_a_links_number_is_for_who_sent_by_that_link(store: Store, sender: str) -> None:
    account, other = await furnished(store), await account_in(store, "other")
    links = await store.register_links([NORTH, SOUTH])
    await sent_by(store, account, links["north"], sender=sender)
    await sent_by(store, other, links["south"], sender=sender, due_at=NOW + 1)
    await keep(store, reply("STOP", to="36222", link="north"))
    assert await stopped(store, account, other) == [1, 0]
    await keep(store, reply("STOP", to="36333", link="south"))
    assert await stopped(store, account, other) == [1, 1]


async def test_a_stop_counts_for_the_link_that_took_the_text_in_anothers_place(store: Store) -> None:
    account, other = await furnished(store), await account_in(store, "other")
    links = await store.register_links([NORTH, SOUTH])
    route = Route("north", ("south",))
    ways = await store.register_routes([route])
    await sent_by(store, account, ways[route])
    (one,) = await store.claim("south", limit=9, at=NOW, passed_over=frozenset({"north"}))
    assert one.ref.seq == 0
    await sent_by(store, other, links["north"], due_at=NOW + 1)
    await keep(store, reply("STOP", to="36333", link="south"))
    assert await stopped(store, account, other) == [1, 0]


async def test_where_operators_choose_the_address_a_stop_is_for_who_sent_by_its_operator(store: Store) -> None:
    account, other = await furnished(store), await account_in(store, "other")
    links = await store.register_links([EAST, WEST])
    await sent_by(store, account, links["east"])
    await sent_by(store, other, links["west"], due_at=NOW + 1)
    await keep(store, reply("STOP", to="38000", link="east"))
    assert await stopped(store, account, other) == [1, 0]


async def test_of_two_who_named_one_number_the_later_is_meant(store: Store) -> None:
    account, other = await furnished(store), await account_in(store, "other")
    links = await store.register_links([NORTH])
    await sent_by(store, account, links["north"])
    await sent_by(store, other, links["north"], sender="SHOP", due_at=NOW + 1)
    await keep(store, reply("STOP", to="36222", link="north"))
    assert await stopped(store, account, other) == [0, 1]


async def test_a_reply_answers_who_wrote_from_the_address_it_goes_to(store: Store) -> None:
    account = await furnished(store)
    links = await store.register_links([NORTH, SOUTH])
    wanted = await sent_by(store, account, links["north"])
    later = await sent_by(store, account, links["south"], due_at=NOW + 1)
    await keep(store, reply("oui", to="36222", link="north"), reply("non", to="36333", link="south"))
    shown = await store.replies.page(account.id, after=0, limit=9)
    assert [(one.text, one.message_id) for one in shown] == [("oui", wanted), ("non", later)]


async def test_a_reply_to_an_address_that_nobody_has_answers_the_newest_without_a_sender(store: Store) -> None:
    account = await furnished(store)
    links = await store.register_links([NORTH, SOUTH])
    await sent_by(store, account, links["north"])
    newest = await sent_by(store, account, links["south"], due_at=NOW + 1)
    await keep(store, reply("oui", to="99999"))
    (shown,) = await store.replies.page(account.id, after=0, limit=9)
    assert shown.message_id == newest


@pytest.mark.parametrize("text", ["STOP au 36222", "stop 36 333", "STOP au +33700000001"])
async def test_a_stop_may_name_the_number_of_any_link_or_mention(store: Store, text: str) -> None:
    account = await furnished(store)
    links = await store.register_links([NORTH, SOUTH])
    new = replace(message(account, [ANNA], link=links["north"], cost=0), stop_numbers=("+33700000001",))
    await store.accept(new)
    await keep(store, reply(text, to="99999"))
    assert await stopped(store, account) == [1]


async def test_a_number_of_nobody_behind_stop_is_a_sentence(store: Store) -> None:
    account = await furnished(store)
    await store.register_links([NORTH])
    await send(store, account)
    await keep(store, reply("stop 75011"))
    assert await stopped(store, account) == [0]
