"""Whom the addresses of a receipt name: the recipient, our own sender, or somebody else."""

from dataclasses import replace

import pytest

from esito.domain.account import Account
from esito.domain.states import MessageState as S
from esito.domain.timing import MINUTE_MS
from esito.store.interface.store import Store
from tests.contracts.submissions import PARIS, ROME, answered, dated, lost, sent, state_of
from tests.kit.builders import NOW, account_in, links_in, message, receipt

pytestmark = pytest.mark.anyio


@pytest.fixture
async def account(store: Store) -> Account:
    await links_in(store)
    return await account_in(store)


async def test_a_sender_that_is_a_number_names_nobody(store: Store, account: Account) -> None:
    """Where an operator leaves out whom a receipt is about, the other address is our own."""
    await store.accept(replace(message(account, [PARIS]), sender="+33700900900"))
    (one,) = await store.claim("alpha", limit=10, at=NOW)
    await answered(store, one, "1001", at=NOW + 500)
    stranger = receipt("1001", "DELIVRD", addresses=("", "33700900901"))
    assert (await store.apply_receipts([stranger])).verdicts == {"orphan": 1}
    ours = receipt("1001", "DELIVRD", addresses=("", "33700900900"))
    assert (await store.apply_receipts([ours])).verdicts == {"moved": 1}


async def test_our_own_number_in_both_addresses_names_nobody(store: Store, account: Account) -> None:
    await store.accept(replace(message(account, [PARIS]), sender="+33700900900"))
    (one,) = await store.claim("alpha", limit=10, at=NOW)
    await answered(store, one, "1001", at=NOW + 500)
    ours = receipt("1001", "DELIVRD", addresses=("0700900900", "33700900900"))
    assert (await store.apply_receipts([ours])).verdicts == {"moved": 1}


async def test_the_number_of_a_sender_is_believed_of_its_own_messages_only(store: Store, account: Account) -> None:
    """Who sends may be sent to: a receipt about what he has sent names him second, and moves nothing sent to him."""
    sender, other = 33700900900, 393331234567
    await sent(store, account, other, at=NOW - MINUTE_MS)
    (to_sender,) = await sent(store, account, sender, at=NOW)
    await lost(store, to_sender, at=NOW + MINUTE_MS)
    about_another = receipt("77", "DELIVRD", at=NOW + 2 * MINUTE_MS, addresses=(str(other), str(sender)))
    assert (await store.apply_receipts([about_another])).verdicts == {"parked": 1}
    assert await state_of(store, account, to_sender) == S.WAITING
    with_its_id = await sent(store, account, sender, at=NOW + 3 * MINUTE_MS)
    await answered(store, with_its_id[0], "78", at=NOW + 3 * MINUTE_MS)
    about_another = receipt("78", "DELIVRD", at=NOW + 4 * MINUTE_MS, addresses=(str(other), str(sender)))
    assert (await store.apply_receipts([about_another])).verdicts == {"parked": 1}
    assert await state_of(store, account, with_its_id[0]) == S.WAITING


@pytest.mark.parametrize("lost_response", [False, True])
async def test_addresses_that_are_not_turned_round_name_the_recipient_second(
    store: Store, account: Account, lost_response: bool
) -> None:
    await store.accept(replace(message(account, [PARIS]), sender="+33700900900"))
    (one,) = await store.claim("alpha", limit=10, at=NOW)
    if lost_response:
        await lost(store, one, at=NOW + 500)
    else:
        await answered(store, one, "1001", at=NOW + 500)
    said = receipt("1001", "DELIVRD", at=NOW + 600, addresses=("33700900900", str(PARIS)))
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    assert await state_of(store, account, one) == S.DELIVERED


async def test_a_receipt_with_an_id_of_ours_for_another_number_says_so(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, one, "1001", at=NOW + 500)
    await store.apply_receipts([dated("1001", ROME, at=NOW + 600, submitted_at=NOW)])
    (orphan,) = await store.orphans(after=0, limit=10)
    assert orphan.flags == "other_number"
    assert await state_of(store, account, one) == S.WAITING


@pytest.mark.parametrize("his", ["owed", "lost", "a stranger's"])
async def test_who_sends_from_his_number_is_not_overlooked_as_a_recipient(
    store: Store, account: Account, his: str
) -> None:
    """He sends under an id, and the receipt of a message to him has it too: its ids have come round."""
    sender = 33700900900
    await store.accept(replace(message(account, [PARIS]), sender=f"+{sender}"))
    (by_him,) = await store.claim("alpha", limit=10, at=NOW)
    await answered(store, by_him, "50", at=NOW + 500)
    at = NOW + 10 * MINUTE_MS
    to_him = await sent(store, account, sender, at=at) if his != "a stranger's" else []
    if his == "lost":
        await lost(store, *to_him, at=at + MINUTE_MS)
    said = receipt("50", "UNDELIV", at=at + 2 * MINUTE_MS, addresses=(str(sender), "ESITO"))
    await store.apply_receipts([said])
    if his == "owed":
        await answered(store, to_him[0], "50", at=at + 3 * MINUTE_MS)
    assert await state_of(store, account, by_him) == S.WAITING
    assert [await state_of(store, account, one) for one in to_him] == [S.UNDELIVERABLE] * len(to_him)


@pytest.mark.parametrize("known", [False, True])
async def test_a_sender_is_left_out_whether_the_form_of_ids_is_known_or_not(
    store: Store, account: Account, known: bool
) -> None:
    sender, other = 33700900900, 33611111111
    for number in range(3 * known):
        (one,) = await sent(store, account, ROME, at=NOW)
        await answered(store, one, f"90{number}", at=NOW + 10)
        await store.apply_receipts([dated(f"90{number}", ROME, at=NOW + 20, submitted_at=NOW)])
    await store.accept(replace(message(account, [other]), sender=f"+{sender}"))
    (by_him,) = await store.claim("alpha", limit=10, at=NOW)
    await answered(store, by_him, "50", at=NOW + 500)
    at = NOW + 60 * MINUTE_MS
    (to_him,) = await sent(store, account, sender, at=at)
    await lost(store, to_him, at=at + MINUTE_MS)
    said = receipt("50", "DELIVRD", at=at + 2 * MINUTE_MS, addresses=(str(other), str(sender)))
    await store.apply_receipts([said._replace(submitted_at=at)])
    assert [await state_of(store, account, one) for one in (by_him, to_him)] == [S.DELIVERED, S.WAITING]


async def test_an_international_number_that_reads_like_a_national_one_of_ours_is_somebody_elses(
    store: Store, account: Account
) -> None:
    american, chinese = 13012345678, "+8613012345678"
    (one,) = await sent(store, account, american, at=NOW)
    await answered(store, one, "7", at=NOW + 10)
    await store.apply_receipts([receipt("7", "UNDELIV", at=NOW + 20, addresses=(chinese, "ESITO"))])
    (two,) = await sent(store, account, american, at=NOW + 30)
    await lost(store, two, at=NOW + MINUTE_MS)
    await store.apply_receipts([receipt("8", "UNDELIV", at=NOW + 2 * MINUTE_MS, addresses=(chinese, "ESITO"))])
    assert [await state_of(store, account, each) for each in (one, two)] == [S.WAITING, S.WAITING]


async def test_digits_that_are_one_number_whole_and_another_within_its_country_are_the_whole_one(
    store: Store, account: Account
) -> None:
    (american,) = await sent(store, account, 13012345678, at=NOW)
    (chinese,) = await sent(store, account, 8613012345678, at=NOW)
    await lost(store, american, chinese, at=NOW + MINUTE_MS)
    await store.apply_receipts([receipt("8", "DELIVRD", at=NOW + 2 * MINUTE_MS, addresses=("13012345678", "ESITO"))])
    assert [await state_of(store, account, each) for each in (american, chinese)] == [S.DELIVERED, S.WAITING]


async def test_the_whole_one_is_meant_of_two_that_were_given_one_id(store: Store, account: Account) -> None:
    (american,) = await sent(store, account, 13012345678, at=NOW)
    (chinese,) = await sent(store, account, 8613012345678, at=NOW + 10)
    for each in (american, chinese):
        await answered(store, each, "8", at=NOW + 20)
    await store.apply_receipts([receipt("8", "DELIVRD", at=NOW + 2 * MINUTE_MS, addresses=("13012345678", "ESITO"))])
    assert [await state_of(store, account, each) for each in (american, chinese)] == [S.DELIVERED, S.WAITING]


async def test_a_national_number_of_six_digits_is_a_number(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, 376312345, at=NOW)
    await answered(store, one, "9", at=NOW + 10)
    await store.apply_receipts([receipt("9", "UNDELIV", at=NOW + 20, addresses=("654321", "ESITO"))])
    assert await state_of(store, account, one) == S.WAITING
    await store.apply_receipts([receipt("9", "DELIVRD", at=NOW + 30, addresses=("312345", "ESITO"))])
    assert await state_of(store, account, one) == S.DELIVERED


@pytest.mark.parametrize("sender", ["", "ESITO", "+33700900900"])
@pytest.mark.parametrize("known_to_us", [False, True])
async def test_a_number_of_the_operators_own_before_the_recipients_names_nobody(
    store: Store, account: Account, *, sender: str, known_to_us: bool
) -> None:
    """Operators send from a long number of theirs, and some leave the addresses of the submit_sm as they were.

    Somebody may have sent something to that number too: under an id of its own.
    """
    theirs = 33644600500
    if known_to_us:
        (to_them,) = await sent(store, account, theirs, at=NOW - MINUTE_MS)
        await answered(store, to_them, "1000", at=NOW - MINUTE_MS + 10)
    await store.accept(replace(message(account, [PARIS]), sender=sender))
    (one,) = await store.claim("alpha", limit=10, at=NOW)
    await answered(store, one, "1001", at=NOW + 500)
    said = receipt("1001", "DELIVRD", at=NOW + 600, addresses=(str(theirs), str(PARIS)))
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
    assert await state_of(store, account, one) == S.DELIVERED


@pytest.mark.parametrize("his", ["owed", "lost", "reused"])
@pytest.mark.parametrize(
    ("recipient", "written", "sender"),
    [
        (393331234567, "393331234567", 33612345678),
        (33612345678, "0612345678", 4915112345678),  # in national form, the sender of another country
        (33612345678, "330612345678", 33698765432),
        (33612345678, "+33(0)612345678", 33698765432),
        (5511987654321, "01511987654321", 5511912345678),  # behind a carrier's code
    ],
)
async def test_a_receipt_about_somebody_is_not_believed_of_who_sent_to_him(
    store: Store, account: Account, *, his: str, recipient: int, written: str, sender: int
) -> None:
    """The sender is a recipient too, and has the id, or his response was lost as well."""
    (to_sender,) = await sent(store, account, sender, at=NOW)
    await answered(store, to_sender, "77", at=NOW + 10)
    (lost_one,) = await sent(store, account, sender, at=NOW + 20)
    await lost(store, lost_one, at=NOW + 30)
    await store.accept(replace(message(account, [recipient], due_at=NOW + 40), sender=f"+{sender}"))
    (about,) = await store.claim("alpha", limit=10, at=NOW + 40)
    if his == "lost":
        await lost(store, about, at=NOW + 50)
    elif his == "reused":
        await answered(store, about, "77", at=NOW + 50)
    said = receipt("77", "DELIVRD", at=NOW + MINUTE_MS, addresses=(written, str(sender)))
    await store.apply_receipts([said])
    if his == "owed":
        await answered(store, about, "77", at=NOW + MINUTE_MS + 10)
    states = [await state_of(store, account, one) for one in (to_sender, lost_one, about)]
    assert states == [S.WAITING, S.WAITING, S.DELIVERED]


async def test_a_recipient_who_is_named_behind_another_waits_until_that_one_has_his_id(
    store: Store, account: Account
) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, one, "1001", at=NOW + 5)
    (other,) = await sent(store, account, ROME, at=NOW + 10)
    said = receipt("1001", "DELIVRD", at=NOW + 600, addresses=(str(ROME), str(PARIS)))
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await answered(store, other, "1002", at=NOW + 700)
    assert [await state_of(store, account, each) for each in (one, other)] == [S.DELIVERED, S.WAITING]
