"""Replies: whose they are, what they answer, when they are whole, and what is told of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esito.domain.reply import (
    INCOMPLETE_AFTER_MS,
    REPEATED_WITHIN_MS,
    WINDOW_MS,
)
from esito.domain.timing import HOUR_MS
from esito.store.interface.reply_store import Incomplete, RepliesKept
from esito.store.interface.store import Store
from tests.kit import looking
from tests.kit.builders import NOW, account_in, links_in, message
from tests.kit.replying import ANNA, LATER, URL, WORDS, furnished, keep, pushed, reply, send, texts

pytestmark = pytest.mark.anyio

# -- what it answers ---------------------------------------------------------------------------


async def test_a_reply_is_pushed_as_an_answer_to_the_message(store: Store) -> None:
    account = await furnished(store)
    number = await send(store, account)
    assert await keep(store, reply("oui")) == RepliesKept(responses=1, stops=0, pushed=1)
    body = {"type": "response", "phone_number": "+33611111111", "text": "oui", "message_id": number}
    assert await pushed(store) == [(number, body)]
    assert list((await pushed(store))[0][1]) == ["type", "phone_number", "text", "message_id"]
    (shown,) = await store.replies.page(account.id, after=0, limit=10)
    assert (shown.source, shown.destination, shown.text, shown.message_id) == ("+33611111111", "36111", "oui", number)
    assert await looking.rows(store, "SELECT raw FROM reply") == [(reply("oui").raw,)]


@pytest.mark.parametrize(
    ("sent", "source"),
    [(525512345678, "5215512345678"), (5491112345678, "541112345678"), (590690111111, "+33690111111")],
)
async def test_a_reply_from_another_spelling_of_the_number_is_its_own(store: Store, sent: int, source: str) -> None:
    account = await furnished(store)
    number = await store.accept(replace(message(account, [sent], due_at=NOW, cost=0), sender="", url_response=URL))
    assert await keep(store, reply("STOP", source=source)) == RepliesKept(responses=1, stops=1, pushed=1)
    assert [(told, body["phone_number"]) for told, body in await pushed(store)] == [(number, f"+{sent}")]
    assert await store.stopped_among(account.id, [sent]) == {sent}


async def test_a_message_without_a_url_is_answered_and_nobody_told(store: Store) -> None:
    account = await furnished(store)
    await send(store, account, url=None)
    assert await keep(store, reply("oui")) == RepliesKept(responses=1)
    assert await texts(store, account) == ["oui"]
    assert await pushed(store) == []


async def test_the_newest_message_of_that_sender_is_answered(store: Store) -> None:
    account, other = await furnished(store), await account_in(store, "other")
    await send(store, account, sender="36222")
    wanted = await send(store, other, sender="36222", due_at=NOW + 2_000)
    await send(store, account, sender="36333", due_at=NOW + 3_000)
    await keep(store, reply("oui", to="36222"))
    assert [number for number, _ in await pushed(store)] == [wanted]
    assert await texts(store, account) == []
    assert await texts(store, other) == ["oui"]


async def test_an_empty_sender_is_whatever_short_code_the_operator_has(store: Store) -> None:
    account = await furnished(store)
    number = await send(store, account, sender="")
    await send(store, account, sender="ESITO")
    await keep(store, reply("oui", to="36999"))
    assert [found for found, _ in await pushed(store)] == [number]


async def test_a_sender_is_recognised_in_any_case_and_with_a_plus(store: Store) -> None:
    account = await furnished(store)
    number = await send(store, account, sender="Esito")
    await keep(store, reply("oui", to="ESITO"), reply("non", to="esito", source="+33611111111"))
    assert [found for found, _ in await pushed(store)] == [number, number]


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ({"sandbox": True}, LATER),
        ({"due_at": LATER + 1}, LATER),
        ({}, NOW + WINDOW_MS + 1),
        ({"sender": "ESITO"}, LATER),
    ],
)
async def test_what_no_subscriber_can_have_read_is_not_answered(store: Store, sent: dict[str, Any], at: int) -> None:
    account = await furnished(store)
    await send(store, account, **sent)
    assert await keep(store, reply("oui", at=at)) == RepliesKept(responses=1)
    assert await pushed(store) == []
    assert await texts(store, account) == []
    assert await looking.rows(store, "SELECT text, account, message_id FROM response") == [("oui", None, None)]


async def test_a_reply_of_a_name_is_kept_and_is_nobodys(store: Store) -> None:
    await send(store, await furnished(store))
    assert await keep(store, reply("Your voicemail", source="Orange")) == RepliesKept(responses=1)
    assert await pushed(store) == []


# -- repeated ----------------------------------------------------------------------------------


async def test_what_the_operator_repeats_is_kept_twice_and_told_once(store: Store) -> None:
    account = await furnished(store)
    await send(store, account)
    assert await keep(store, reply("oui")) == RepliesKept(responses=1, pushed=1)
    again = replace(reply("oui", at=LATER + 5_000), raw=b"another sequence" + reply("oui").raw[16:])
    assert await keep(store, again) == RepliesKept()
    assert await texts(store, account) == ["oui"]
    assert await looking.rows(store, "SELECT phase FROM reply ORDER BY id") == [(1,), (3,)]


async def test_the_same_word_a_while_later_is_another_reply(store: Store) -> None:
    account = await furnished(store)
    await send(store, account)
    await keep(store, reply("oui"))
    await keep(store, reply("oui", at=LATER + REPEATED_WITHIN_MS + 1))
    assert await texts(store, account) == ["oui", "oui"]


# -- long replies ------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    order=st.permutations([1, 2, 3, 4]), again=st.lists(st.sampled_from([1, 2, 3, 4]), max_size=4), apart=st.booleans()
)
async def test_parts_in_any_order_and_repeated_make_one_reply(
    store: Store, order: list[int], again: list[int], apart: bool
) -> None:
    global _reference  # noqa: PLW0603  one store for all examples, so each has a reference of its own
    _reference += 1
    account = (await store.accounts())[0][0] if await store.accounts() else await furnished(store)
    await send(store, account)
    before = len(await texts(store, account))
    pieces = [reply(f"<{part}>", part=(_reference, 4, part)) for part in [*again, *order]]
    whole = 0
    for batch in [[piece] for piece in pieces] if apart else [pieces]:
        whole += (await keep(store, *batch)).responses
    assert whole == 1
    assert (await texts(store, account))[before:] == ["<1><2><3><4>"]


_reference = 0


async def test_a_long_reply_is_pushed_once_and_only_when_it_is_whole(store: Store) -> None:
    number = await send(store, await furnished(store))
    assert await keep(store, reply("world", part=(7, 2, 2))) == RepliesKept()
    assert await pushed(store) == []
    assert await keep(store, reply("hello ", part=(7, 2, 1), at=LATER + 1)) == RepliesKept(responses=1, pushed=1)
    assert [(found, body["text"]) for found, body in await pushed(store)] == [(number, "hello world")]
    assert await looking.rows(store, "SELECT phase, response FROM reply") == [(1, 1), (1, 1)]


async def test_parts_of_different_texts_are_not_mixed(store: Store) -> None:
    account = await furnished(store)
    await send(store, account)
    await keep(store, reply("a1", part=(7, 2, 1)), reply("b2", part=(8, 2, 2)), reply("c1", part=(7, 3, 1)))
    await keep(store, reply("d2", part=(0x10007, 2, 2)), reply("e2", part=(7, 2, 2), source="33622222222"))
    assert await texts(store, account) == []
    await keep(store, reply("b1", part=(8, 2, 1)), reply("a2", part=(7, 2, 2)))
    assert await texts(store, account) == ["b1b2", "a1a2"]


async def test_parts_over_two_links_of_one_operator_make_one_reply(store: Store) -> None:
    account = await furnished(store)
    await links_in(store, "north-1", "north-2", operator="north")
    await send(store, account)
    assert await keep(store, reply("world", part=(7, 2, 2), link="north-2")) == RepliesKept()
    assert await keep(store, reply("hello ", part=(7, 2, 1), link="north-1")) == RepliesKept(responses=1, pushed=1)
    assert await texts(store, account) == ["hello world"]
    # What the operator repeats by its other link is a repetition too.
    assert await keep(store, reply("world", part=(7, 2, 2), link="north-1", at=LATER + 1)) == RepliesKept()
    assert await keep(store, reply("oui", link="north-1"), reply("oui", link="north-2")) == RepliesKept(
        responses=1, pushed=1
    )


async def test_parts_of_two_operators_are_not_mixed(store: Store) -> None:
    account = await furnished(store)
    await links_in(store, "north", "south")
    await send(store, account)
    await keep(store, reply("hello ", part=(7, 2, 1), link="north"), reply("world", part=(7, 2, 2), link="south"))
    assert await texts(store, account) == []
    assert await keep(store, reply("oui", link="north"), reply("oui", link="south")) == RepliesKept(
        responses=2, pushed=2
    )


async def test_an_incomplete_reply_over_two_links_is_given_up_once(store: Store) -> None:
    account = await furnished(store)
    await links_in(store, "north-1", "north-2", operator="north")
    await send(store, account)
    await keep(
        store,
        reply("three", part=(7, 3, 3), link="north-2", at=LATER - 1),
        reply("one ", part=(7, 3, 1), link="north-1"),
    )
    lost = Incomplete(link="north-2", source=f"{ANNA}", destination="36111", missing=1)
    assert await store.replies.give_up(WORDS, at=LATER + INCOMPLETE_AFTER_MS) == [lost]
    assert await texts(store, account) == ["one three"]


async def test_a_pair_of_surrogates_is_joined_across_parts(store: Store) -> None:
    account = await furnished(store)
    await send(store, account)
    await keep(store, reply("\ude00!", part=(7, 2, 2)), reply("ha \ud83d", part=(7, 2, 1)))
    assert await texts(store, account) == ["ha 😀!"]


async def test_a_long_reply_that_stays_incomplete_is_told_after_a_day(store: Store) -> None:
    account = await furnished(store)
    number = await send(store, account)
    await keep(store, reply("three", part=(7, 3, 3)), reply("one ", part=(7, 3, 1)))
    assert await store.replies.give_up(WORDS, at=LATER + INCOMPLETE_AFTER_MS - 1) == []
    lost = Incomplete(link="alpha", source=f"{ANNA}", destination="36111", missing=1)
    assert await store.replies.give_up(WORDS, at=LATER + INCOMPLETE_AFTER_MS) == [lost]
    assert await store.replies.give_up(WORDS, at=LATER + INCOMPLETE_AFTER_MS) == []
    assert [(found, body["text"]) for found, body in await pushed(store)] == [(number, "one three")]
    (shown,) = await store.replies.page(account.id, after=0, limit=10)
    assert (shown.text, shown.missing, shown.received_at) == ("one three", 1, LATER)


async def test_a_reference_that_comes_round_begins_another_reply(store: Store) -> None:
    account = await furnished(store)
    await send(store, account)
    await keep(store, reply("old", part=(7, 2, 1)), reply("new 1", part=(7, 2, 1), at=LATER + HOUR_MS))
    await keep(store, reply(", new 2", part=(7, 2, 2), at=LATER + HOUR_MS))
    assert await texts(store, account) == ["old", "new 1, new 2"]


# -- long numbers ------------------------------------------------------------------------------


async def test_a_long_number_tells_each_part_as_it_comes(store: Store) -> None:
    account = await furnished(store, numbers=("33700000001",))
    number = await send(store, account, sender="33700000001")
    await keep(store, reply("bien sur", to="+33700000001"))
    await keep(store, reply("two", to="33700000001", part=(0x10102, 2, 2)))
    (_, whole), (found, part) = await pushed(store)
    assert (found, whole.pop("messageId") != part.pop("messageId")) == (number, True)
    assert whole == {
        "msisdn": "33611111111", "to": "33700000001", "text": "bien sur", "type": "text", "keyword": "bien",
        "message-timestamp": "2027-01-15 09:01:00",
    }  # fmt: skip
    assert part == {
        "msisdn": "33611111111", "to": "33700000001", "text": "two", "type": "text", "keyword": "two",
        "message-timestamp": "2027-01-15 09:01:00",
        "concat": "true", "concat-ref": "258", "concat-total": "2", "concat-part": "2",
    }  # fmt: skip
    assert await texts(store, account) == ["bien sur"]
    await keep(store, reply("one ", to="33700000001", part=(0x10102, 2, 1)))
    assert await texts(store, account) == ["bien sur", "one two"]
    assert len(await pushed(store)) == 3


async def test_a_long_number_belongs_to_its_account_even_when_nothing_was_sent(store: Store) -> None:
    account, other = await furnished(store, numbers=("33700000001",)), await account_in(store, "other")
    await send(store, other, sender="33700000001")
    await send(store, other, sender="")
    await keep(store, reply("bonjour", to="33700000001"))
    (shown,) = await store.replies.page(account.id, after=0, limit=10)
    assert (shown.text, shown.message_id) == ("bonjour", None)
    assert await texts(store, other) == []
    assert await pushed(store) == []


# -- pages -------------------------------------------------------------------------------------


async def test_pages_are_oldest_first_and_can_be_of_one_number(store: Store) -> None:
    account = await furnished(store)
    await store.accept(message(account, [ANNA, 33622222222], cost=0))
    pieces = [reply(f"{n}", to="ESITO", source="0622222222" if n % 2 else f"{ANNA}") for n in range(5)]
    await keep(store, *pieces)
    first = await store.replies.page(account.id, after=0, limit=2)
    assert [one.text for one in first] == ["0", "1"]
    assert [one.text for one in await store.replies.page(account.id, after=first[-1].number, limit=9)] == [
        "2",
        "3",
        "4",
    ]
    mine = await store.replies.page(account.id, after=0, limit=9, source="33622222222")
    assert [(one.text, one.source) for one in mine] == [("1", "+33622222222"), ("3", "+33622222222")]
