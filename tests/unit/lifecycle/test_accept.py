"""What may be sent, what it costs, which link takes it (contract 2.5 and 2.6)."""

from decimal import Decimal
from typing import Any

import pytest

from esito.domain.account import Account
from esito.domain.errors import (
    LowCostTooLong,
    NotEnoughCredit,
    NothingToSend,
    StoreUnavailable,
    TooManyRecipients,
    TooManySegments,
)
from esito.domain.message import Range
from esito.domain.pricing import PriceList
from esito.domain.routing import Routes
from esito.domain.states import MessageState
from esito.domain.timing import HOUR_MS, PushableClock
from esito.lifecycle.accept import Acceptance, Draft
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW, account_in, links_in, states_of
from tests.unit.lifecycle.parts import allow_growth, forbid_growth

pytestmark = pytest.mark.anyio

FIRST, SECOND, THIRD = "+33612345678", "+33612345679", "+393331234567"
LANDLINE, SATELLITE = "+33123456789", "+881612345678"
BOTH = PriceList(countries={"IT": Decimal("0.045")})
"""Prices of the home country and of Italy."""


async def acceptance(
    store: SqliteStore,
    clock: PushableClock,
    prefixes: dict[str, str] | None = None,
    stop_numbers: dict[str, str] | None = None,
    **given: Any,
) -> Acceptance:
    prefixes = {"": "alpha"} if prefixes is None else prefixes
    numbers = await links_in(store, "alpha", *sorted(set(prefixes.values()) - {"alpha"}))
    return Acceptance(
        store=store,
        clock=clock,
        routes=Routes(
            prefixes=prefixes,
            numbers=numbers,
            stop_numbers={numbers[name]: number for name, number in (stop_numbers or {}).items()},
        ),
        prices=given.pop("prices", BOTH),
        **given,
    )


def draft(account: Account, *numbers: str, text: str = "ciao", **given: Any) -> Draft:
    return Draft(account=account, texts=(text,), numbers=[(number, 0) for number in numbers or (FIRST,)], **given)


async def italian_account_in(store: SqliteStore, **given: Any) -> Account:
    """Return an account that may send to Italy too."""
    await account_in(store, **given)
    return await store.change_profile("acme", {"countries": ("FR", "IT")})


async def stop(store: SqliteStore, account: Account, msisdn: str) -> None:
    await store.stops.add(account.id, int(msisdn[1:]), at=NOW)


async def credit_of(store: SqliteStore) -> Decimal:
    found = await store.account_by_key(b"acme")
    assert found is not None
    return found.credit


def problems(refused: Any) -> list[tuple[str, int]]:
    return [(one.msisdn, one.code) for one in refused.problems]


# -- what is kept ------------------------------------------------------------------------------


async def test_a_send_is_kept_in_the_order_of_its_numbers_and_paid(store: SqliteStore, clock: PushableClock) -> None:
    account = await italian_account_in(store)
    accepted = await (await acceptance(store, clock)).accept(draft(account, FIRST, THIRD, SECOND))
    assert [one.msisdn for one in accepted.recipients] == [FIRST, THIRD, SECOND]
    assert (accepted.segments, accepted.cost, accepted.currency) == (3, Decimal("0.135"), "EUR")
    assert (accepted.due_at, accepted.problems) == (None, ())
    assert await states_of(store, account, accepted.message_id) == [MessageState.WAITING] * 3
    assert await credit_of(store) == Decimal("99.865")


async def test_the_cost_of_the_whole_is_the_sum_of_its_items(store: SqliteStore, clock: PushableClock) -> None:
    account = await italian_account_in(store)
    prices = PriceList(countries={"IT": Decimal("0.061")})
    accepted = await (await acceptance(store, clock, prices=prices)).accept(
        draft(account, FIRST, THIRD, text="x" * 161)
    )
    assert [(one.segments, one.cost) for one in accepted.recipients] == [(2, Decimal("0.09")), (2, Decimal("0.122"))]
    assert accepted.cost == Decimal("0.212")


async def test_every_number_gets_its_own_text_and_pays_for_its_own_segments(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    accepting = await acceptance(store, clock)
    own = Draft(account=account, texts=("short", "l" * 200), numbers=[(FIRST, 1), (SECOND, 0)])
    accepted = await accepting.accept(own)
    assert [one.segments for one in accepted.recipients] == [2, 1]
    claimed = await store.claim("alpha", limit=9, at=NOW)
    assert [(one.msisdn, one.text) for one in claimed] == [(FIRST, "l" * 200)] * 2 + [(SECOND, "short")]


async def test_a_scheduled_send_waits_and_one_for_the_past_leaves_now(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    accepting = await acceptance(store, clock)
    later = await accepting.accept(draft(account, due_at=NOW + HOUR_MS))
    assert later.due_at == NOW + HOUR_MS
    assert await store.claim("alpha", limit=9, at=NOW + HOUR_MS - 1) == []
    past = await accepting.accept(draft(account, due_at=NOW - HOUR_MS))
    assert [one.ref.message_id for one in await store.claim("alpha", limit=9, at=NOW)] == [past.message_id]


async def test_a_sandbox_send_costs_nothing_and_leaves_by_no_link(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store, credit="0")
    accepted = await (await acceptance(store, clock)).accept(draft(account, sandbox=True))
    assert accepted.cost == 0
    assert await states_of(store, account, accepted.message_id) == [MessageState.DELIVERED]
    assert await store.claim("alpha", limit=9, at=NOW) == []


async def test_links_are_woken_after_the_commit_and_only_then(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    seen: list[int] = []
    accepting = await acceptance(store, clock, on_accepted=lambda: seen.append(1))
    with pytest.raises(NothingToSend):
        await accepting.accept(draft(account, LANDLINE))
    await forbid_growth(store)
    many = [f"+336{number:08d}" for number in range(500)]
    with pytest.raises(StoreUnavailable):
        await accepting.accept(draft(account, *many))
    assert seen == []
    await allow_growth(store)
    await accepting.accept(draft(account, *many))
    assert seen == [1]


# -- the message as a whole --------------------------------------------------------------------


async def test_five_hundred_recipients_are_taken_and_one_more_is_not(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    accepting = await acceptance(store, clock)
    numbers = [f"+336{number:08d}" for number in range(501)]
    with pytest.raises(TooManyRecipients):
        await accepting.accept(draft(account, *numbers))
    assert (await accepting.accept(draft(account, *numbers[:500]))).segments == 500


@pytest.mark.parametrize(
    ("text", "unicode", "segments"),
    [("x" * 1530, False, 10), ("x" * 1531, False, None), ("х" * 670, True, 10), ("х" * 671, True, None)],
)
async def test_ten_segments_are_taken_and_one_more_is_not(
    store: SqliteStore, clock: PushableClock, text: str, unicode: bool, segments: int | None
) -> None:
    account = await account_in(store)
    accepting = await acceptance(store, clock)
    if segments is None:
        with pytest.raises(TooManySegments):
            await accepting.accept(draft(account, text=text, unicode=unicode))
    else:
        assert (await accepting.accept(draft(account, text=text, unicode=unicode))).segments == segments


async def test_a_low_cost_text_has_160_characters_at_most(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    accepting = await acceptance(store, clock)
    accepted = await accepting.accept(draft(account, text="x" * 160, gamme=Range.LOW_COST))
    assert accepted.cost == Decimal("0.04")
    for text in ("x" * 161, "x" * 2000, "€" * 81):  # a euro sign takes two septets
        with pytest.raises(LowCostTooLong):
            await accepting.accept(draft(account, text=text, gamme=Range.LOW_COST))


async def test_the_stop_mention_is_part_of_the_text_and_counts(store: SqliteStore, clock: PushableClock) -> None:
    account = await account_in(store)
    accepted = await (await acceptance(store, clock)).accept(draft(account, text="x" * 150, stop_mention=True))
    assert accepted.segments == 2
    (first, _) = await store.claim("alpha", limit=9, at=NOW)
    assert first.text == "x" * 150 + " STOP au 36111"


BY_LINK = {"alpha": "36222", "beta": "+33700000001"}
ROUTED = {"+336": "alpha", "+39": "beta"}


async def test_a_text_names_the_number_of_the_link_that_takes_it(store: SqliteStore, clock: PushableClock) -> None:
    account = await italian_account_in(store)
    accepting = await acceptance(store, clock, ROUTED, BY_LINK)
    # With the short code it fits into one segment, with the long number it does not.
    accepted = await accepting.accept(draft(account, FIRST, THIRD, SECOND, text="x" * 146, stop_mention=True))
    assert [one.segments for one in accepted.recipients] == [1, 2, 1]
    assert (accepted.segments, accepted.cost) == (4, Decimal("0.18"))
    assert await credit_of(store) == Decimal("99.82")
    by_alpha, by_beta = [await store.claim(name, limit=9, at=NOW) for name in BY_LINK]
    assert [(one.text[146:], one.stop_number, one.segments) for one in by_alpha] == [(" STOP au 36222", "36222", 1)] * 2
    assert {(one.text[146:], one.stop_number) for one in by_beta} == {(" STOP au +33700000001", "+33700000001")}


@pytest.mark.parametrize(
    ("sender", "expected"), [("", "36222"), ("SHOP", "36222"), ("36444", "36444"), ("33700000009", "+33700000009")]
)
async def test_a_text_from_a_number_names_that(
    store: SqliteStore, clock: PushableClock, sender: str, expected: str
) -> None:
    account = await italian_account_in(store)
    accepting = await acceptance(store, clock, ROUTED, BY_LINK)
    await accepting.accept(draft(account, text="ciao", sender=sender, stop_mention=True))
    (one,) = await store.claim("alpha", limit=9, at=NOW)
    assert (one.text, one.stop_number) == (f"ciao STOP au {expected}", expected)


async def test_each_number_of_a_batch_has_its_own_text_and_the_mention_of_its_link(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await italian_account_in(store)
    accepting = await acceptance(store, clock, ROUTED, BY_LINK)
    numbers = [(FIRST, 1), (THIRD, 0), (SECOND, 0), ("+393331234568", 1)]
    await accepting.accept(Draft(account=account, texts=("A", "B"), numbers=numbers, stop_mention=True))
    claimed = [one for name in BY_LINK for one in await store.claim(name, limit=9, at=NOW)]
    assert {one.msisdn: one.text for one in claimed} == {
        FIRST: "B STOP au 36222",
        SECOND: "A STOP au 36222",
        THIRD: "A STOP au +33700000001",
        "+393331234568": "B STOP au +33700000001",
    }


async def test_a_text_that_is_too_long_with_the_mention_of_one_link_is_refused(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await italian_account_in(store)
    accepting = await acceptance(store, clock, ROUTED, BY_LINK)
    long = "x" * (1530 - len(" STOP au 36222"))
    assert (await accepting.accept(draft(account, text=long, stop_mention=True))).segments == 10
    for numbers in [(THIRD,), (FIRST, THIRD)]:
        with pytest.raises(TooManySegments):
            await accepting.accept(draft(account, *numbers, text=long, stop_mention=True))
    with pytest.raises(TooManySegments):  # whoever it goes to, and before any number is looked at
        await accepting.accept(draft(account, LANDLINE, text=long + "x", stop_mention=True))
    assert (await store.counts()).messages == 1


async def test_where_no_link_serves_a_number_the_mention_is_the_usual_one(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await italian_account_in(store)
    accepting = await acceptance(store, clock, {"+39": "beta"}, {"beta": "36222"})
    await accepting.accept(draft(account, stop_mention=True))
    overview = await store.message_of(account.id, 1)
    assert overview is not None
    assert overview.texts == ("ciao STOP au 36111",)


async def test_a_send_that_the_credit_does_not_cover_is_not_kept_at_all(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await italian_account_in(store, credit="0.09")
    accepting = await acceptance(store, clock)
    with pytest.raises(NotEnoughCredit):
        await accepting.accept(draft(account, FIRST, SECOND, THIRD))
    assert (await store.counts()).messages == 0
    assert await credit_of(store) == Decimal("0.09")
    await accepting.accept(draft(account, FIRST, SECOND))
    assert await credit_of(store) == 0


# -- number by number --------------------------------------------------------------------------


async def test_each_number_that_gets_nothing_is_told_why_and_the_others_are_sent_to(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await italian_account_in(store)
    await stop(store, account, SECOND)
    numbers = [LANDLINE, FIRST, SATELLITE, SECOND, FIRST, THIRD, LANDLINE]
    accepted = await (await acceptance(store, clock)).accept(draft(account, *numbers))
    assert problems(accepted) == [(LANDLINE, 9), (SATELLITE, 13), (SECOND, 14), (FIRST, 15), (LANDLINE, 15)]
    assert [one.msisdn for one in accepted.recipients] == [FIRST, THIRD]
    assert accepted.cost == Decimal("0.09")


async def test_where_nobody_is_left_the_send_is_refused_with_every_reason(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await italian_account_in(store)
    await stop(store, account, FIRST)
    with pytest.raises(NothingToSend) as refused:
        await (await acceptance(store, clock)).accept(draft(account, FIRST, LANDLINE))
    assert problems(refused.value) == [(FIRST, 14), (LANDLINE, 9)]
    assert (await store.counts()).messages == 0


async def test_a_country_or_range_without_a_price_is_not_served(store: SqliteStore, clock: PushableClock) -> None:
    account = await italian_account_in(store)
    french_only = PriceList(default=None, low_cost=None, countries={"FR": Decimal("0.045")})
    accepting = await acceptance(store, clock, prices=french_only)
    assert problems(await accepting.accept(draft(account, FIRST, THIRD))) == [(THIRD, 13)]
    with pytest.raises(NothingToSend):
        await accepting.accept(draft(account, FIRST, gamme=Range.LOW_COST))


async def test_an_account_sends_to_the_home_country_unless_its_list_says_otherwise(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    accepting = await acceptance(store, clock)
    assert problems(await accepting.accept(draft(account, FIRST, THIRD))) == [(THIRD, 13)]
    assert problems(await accepting.accept(draft(account, FIRST, THIRD, sandbox=True))) == [(THIRD, 13)]
    for countries, refused in ((("IT",), [FIRST]), (("*",), []), (("FR", "IT"), [])):
        account = await store.change_profile("acme", {"countries": countries})
        assert problems(await accepting.accept(draft(account, FIRST, THIRD))) == [(number, 13) for number in refused]
    account = await store.change_profile("acme", {"countries": ("BE",)})
    with pytest.raises(NothingToSend) as nothing:
        await accepting.accept(draft(account, FIRST, THIRD))
    assert problems(nothing.value) == [(FIRST, 13), (THIRD, 13)]


async def test_a_country_of_the_list_needs_a_price_of_its_own(store: SqliteStore, clock: PushableClock) -> None:
    account = await italian_account_in(store)
    accepting = await acceptance(store, clock, prices=PriceList())
    assert problems(await accepting.accept(draft(account, FIRST, THIRD))) == [(THIRD, 13)]
    accepting = await acceptance(store, clock, prices=PriceList(prefixes={"+39333": Decimal("0.1")}))
    accepted = await accepting.accept(draft(account, THIRD, "+393471234567"))
    assert (accepted.cost, problems(accepted)) == (Decimal("0.1"), [("+393471234567", 13)])


async def test_a_premium_rate_number_is_sent_nothing_whatever_has_a_price(
    store: SqliteStore, clock: PushableClock
) -> None:
    await account_in(store)
    account = await store.change_profile("acme", {"countries": ("*",)})
    prices = PriceList(countries={"IT": Decimal("0.1"), "LV": Decimal("0.1")}, prefixes={"+371": Decimal("0.1")})
    numbers = ["+39899123456", "+37190123456", "+37120123456"]
    accepted = await (await acceptance(store, clock, prices=prices)).accept(draft(account, *numbers))
    assert problems(accepted) == [(number, 9) for number in numbers[:2]]
    assert [one.msisdn for one in accepted.recipients] == numbers[2:]


async def test_who_wrote_stop_is_answered_in_any_country_with_a_price(store: SqliteStore, clock: PushableClock) -> None:
    account = await italian_account_in(store)
    accepted = await (await acceptance(store, clock)).accept(draft(account, THIRD, to_stopped=True))
    assert accepted.problems == ()


async def test_another_accounts_stop_list_is_its_own(store: SqliteStore, clock: PushableClock) -> None:
    account, other = await account_in(store), await account_in(store, "other")
    await stop(store, other, FIRST)
    assert (await (await acceptance(store, clock)).accept(draft(account, FIRST))).problems == ()


# -- which link --------------------------------------------------------------------------------


async def by_link(store: SqliteStore, *links: str) -> dict[str, list[str]]:
    return {link: [one.msisdn for one in await store.claim(link, limit=99, at=NOW)] for link in links}


async def test_the_longest_prefix_chooses_the_link(store: SqliteStore, clock: PushableClock) -> None:
    account = await italian_account_in(store)
    prefixes = {"": "alpha", "+33": "beta", "+337": "gamma"}
    await (await acceptance(store, clock, prefixes)).accept(draft(account, THIRD, FIRST, "+33712345678"))
    assert await by_link(store, "alpha", "beta", "gamma") == {
        "alpha": [THIRD], "beta": [FIRST], "gamma": ["+33712345678"],
    }  # fmt: skip


async def test_a_prefix_may_be_as_long_as_a_number(store: SqliteStore, clock: PushableClock) -> None:
    """Numbers that begin alike are worked out once; as far as prefixes reach, they must be alike indeed."""
    account = await italian_account_in(store)
    prefixes = {"": "alpha", "+33612345678": "beta"}
    await (await acceptance(store, clock, prefixes)).accept(draft(account, FIRST, SECOND))
    assert await by_link(store, "alpha", "beta") == {"alpha": [SECOND], "beta": [FIRST]}


async def test_a_number_that_no_link_serves_is_kept_and_waits(store: SqliteStore, clock: PushableClock) -> None:
    account = await italian_account_in(store)
    accepted = await (await acceptance(store, clock, {"+39": "alpha"})).accept(draft(account, FIRST, THIRD))
    assert await by_link(store, "alpha") == {"alpha": [THIRD]}
    assert await states_of(store, account, accepted.message_id) == [MessageState.WAITING] * 2
    assert await store.to_send(account.id) == 1
