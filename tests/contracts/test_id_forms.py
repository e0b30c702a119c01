"""How an operator spells ids in its receipts is learned from the first matches; what stays ambiguous is refused."""

import pytest

from esito.domain.operator_habits import IdForm
from esito.domain.states import MessageState as S
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from esito.store.transactions import settling
from tests.kit.builders import NOW, accepted, account_in, links_in, message, receipt, states_of, submitted

pytestmark = pytest.mark.anyio

NUMBERS = range(0xA1F0, 0xA1F4)

ENCODINGS = [
    ("as written", "{0}", "{0}", IdForm.AS_IS),
    ("other case", "{0:x}-f", "{0:X}-F", IdForm.AS_IS),
    ("receipt padded", "{0}", "{0:012}", IdForm.STRIP_ZEROS),
    ("response padded", "{0:012}", "{0}", IdForm.STRIP_ZEROS),
    ("hexadecimal, then decimal", "{0:x}", "{0}", IdForm.HEX_TO_DEC),
    ("decimal, then hexadecimal", "{0}", "{0:x}", IdForm.DEC_TO_HEX),
]


async def form_of(store: Store) -> IdForm:
    return (await store.id_forms())["alpha"].form


@pytest.mark.parametrize(
    ("response", "said", "form"), [one[1:] for one in ENCODINGS], ids=[one[0] for one in ENCODINGS]
)
async def test_an_encoding_is_found_with_no_configuration(store: Store, response: str, said: str, form: IdForm) -> None:
    account = await account_in(store)
    await links_in(store)
    for number in NUMBERS:
        sent = await submitted(store, message(account), [response.format(number)])
        await store.apply_receipts([receipt(said.format(number), "DELIVRD", addresses=("", ""))])
        assert await states_of(store, account, sent) == [S.DELIVERED]
    assert await form_of(store) is form


async def ambiguous_pair(store: Store) -> tuple[int, int]:
    """Submit two segments, one of whose ids is the other's in another base, and have a receipt that may mean both."""
    account = await account_in(store)
    first = await submitted(store, message(account), ["1000"])
    second = await submitted(store, message(account), ["4096"])
    settled = await store.apply_receipts([receipt("1000", "DELIVRD", addresses=("", ""))])
    assert settled.verdicts == {"orphan": 1}
    assert await states_of(store, account, first) == await states_of(store, account, second) == [S.WAITING]
    return first, second


async def test_an_ambiguous_pair_is_refused_counted_and_kept(store: Store) -> None:
    await links_in(store)
    await ambiguous_pair(store)
    assert (await store.id_forms())["alpha"].ambiguous == 1
    assert (await store.counts()).unmatched == 1


@pytest.mark.parametrize(("response", "said", "meant"), [("{0}", "{0}", 0), ("{0}", "{0:x}", 1)], ids=["as-is", "hex"])
async def test_what_was_ambiguous_is_settled_once_the_form_is_known(
    store: Store, response: str, said: str, meant: int
) -> None:
    await links_in(store)
    pair = await ambiguous_pair(store)
    (account, _), *_ = await store.accounts()
    for number in NUMBERS:
        await submitted(store, message(account), [response.format(number)])
        await store.apply_receipts([receipt(said.format(number), "DELIVRD", addresses=("", ""))])
    states = [(await states_of(store, account, one))[0] for one in pair]
    assert states[meant] == S.DELIVERED
    assert states[1 - meant] == S.WAITING
    assert (await store.counts()).unmatched == 0


async def test_a_locked_form_admits_no_other(store: Store) -> None:
    account = await account_in(store)
    await store.register_links([LinkRecord(name="alpha", operator="alpha", message_id_form=IdForm.HEX_TO_DEC)])
    decimal = await submitted(store, message(account), ["4096"])
    await store.apply_receipts([receipt("4096", "DELIVRD")])
    assert await states_of(store, account, decimal) == [S.WAITING]
    # The segment that was meant comes later: the receipt has waited for it.
    hexadecimal = await submitted(store, message(account), ["1000"])
    assert await states_of(store, account, hexadecimal) == [S.DELIVERED]


async def test_an_id_in_another_base_for_another_number_is_not_believed(store: Store) -> None:
    """The segment that is meant may not be known yet: it is kept, not guessed."""
    account = await account_in(store)
    await links_in(store)
    sent = await submitted(store, message(account), ["4096"])
    await store.apply_receipts([receipt("1000", "DELIVRD", addresses=("33699999999", "ESITO"))])
    assert await states_of(store, account, sent) == [S.WAITING]
    assert (await store.counts()).unmatched == 1


async def test_a_known_form_does_not_overrule_the_recipients_address(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    for number in NUMBERS:
        await submitted(store, message(account), [str(number)])
        await store.apply_receipts([receipt(str(number), "DELIVRD", addresses=("", ""))])
    assert await form_of(store) is IdForm.AS_IS
    same_id = await submitted(store, message(account, [33611111111]), ["4096"])
    same_number = await submitted(store, message(account, [33622222222]), ["1000"])
    await store.apply_receipts([receipt("4096", "DELIVRD", addresses=("33622222222", "ESITO"))])
    assert await states_of(store, account, same_id) == [S.WAITING]
    assert await states_of(store, account, same_number) == [S.DELIVERED]


async def test_a_lost_response_is_made_good_by_the_recipients_address(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    await store.claim("alpha", limit=10, at=NOW)
    assert await store.recover(NOW) == 1
    said = receipt("77", "ACCEPTD", addresses=("33612345678", "ESITO"))
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    # From now on its id is known, whatever the address.
    assert (await store.apply_receipts([receipt("77", "DELIVRD", addresses=("", ""))])).verdicts == {"moved": 1}
    assert await states_of(store, account, number) == [S.DELIVERED]


async def test_two_lost_responses_to_one_number_are_told_apart_by_the_submit_date_or_not_at_all(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    first = await store.accept(message(account))
    await store.claim("alpha", limit=10, at=NOW)
    second = await store.accept(message(account))
    await store.claim("alpha", limit=10, at=NOW + 600_000)
    assert await store.recover(NOW) == 2
    said = receipt("77", "DELIVRD", at=NOW + 601_000, addresses=("33612345678", ""))
    assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    assert await states_of(store, account, first) == [S.WAITING]
    dated = receipt("78", "DELIVRD", at=NOW + 602_000, addresses=("33612345678", ""))
    dated = dated._replace(submitted_at=NOW + 600_000)
    assert (await store.apply_receipts([dated])).verdicts == {"moved": 1}
    assert await states_of(store, account, second) == [S.DELIVERED]
    # And so the first of them is told apart too: there is no other left.
    assert await states_of(store, account, first) == [S.DELIVERED]


async def test_however_many_receipts_wait_for_the_form_all_are_looked_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decimal ids from 1, and receipts that name nobody: many mean two segments until the form is known."""
    monkeypatch.setattr(settling, "AT_ONCE", 3)
    count = 120
    await links_in(store)
    account = await account_in(store)
    number = await store.accept(message(account, [33600000000 + place for place in range(count)]))
    claimed = await store.claim("alpha", limit=count, at=NOW)
    await store.record_answers("alpha", [accepted(one, str(place + 1)) for place, one in enumerate(claimed)])
    said = [receipt(str(place + 1), "DELIVRD", at=NOW + place) for place in range(count)]
    for begin in range(0, count, 10):
        await store.apply_receipts(said[begin : begin + 10])
    states = await states_of(store, account, number)
    assert S.WAITING in states, "some have waited for the form"
    for _ in range(count):
        await store.expire(NOW + count)
    assert set(await states_of(store, account, number)) == {S.DELIVERED}
