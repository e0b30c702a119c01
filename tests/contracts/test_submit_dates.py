"""Submit dates of another zone, or of a wrong clock: whoever runs the link is told."""

import pytest

from esito.domain.account import Account
from esito.domain.operator_habits import MISLEAD, SURE
from esito.domain.timing import HOUR_MS, MINUTE_MS
from esito.store.interface.store import Store
from tests.contracts.submissions import PARIS, ROME, answered, dated, sent
from tests.kit.builders import NOW, accepted, account_in, links_in, message

pytestmark = pytest.mark.anyio

EARLIER = NOW - 12 * HOUR_MS


@pytest.fixture
async def account(store: Store) -> Account:
    await links_in(store)
    return await account_in(store)


async def told(store: Store, account: Account, count: int, *, ahead: int, first: int = 0) -> None:
    """Let messages be delivered whose receipts are dated so many milliseconds ahead of us."""
    for place in range(count):
        at = EARLIER + (first + place) * MINUTE_MS
        (one,) = await sent(store, account, ROME, at=at)
        await answered(store, one, f"90{first + place:04}", at=at + 1)
        said = dated(f"90{first + place:04}", ROME, at=at + 2_000, submitted_at=at + ahead)
        assert (await store.apply_receipts([said])).verdicts == {"moved": 1}


async def mislead(store: Store) -> bool:
    return (await store.id_forms())["alpha"].dates.mislead


async def test_a_few_wrong_dates_say_nothing_and_many_are_told(store: Store, account: Account) -> None:
    await told(store, account, MISLEAD - 1, ahead=HOUR_MS)
    assert not await mislead(store)
    await told(store, account, 1, ahead=-HOUR_MS, first=20)
    assert await mislead(store)


async def test_dates_that_are_right_again_are_good(store: Store, account: Account) -> None:
    """Somebody has corrected `receipt_timezone`."""
    await told(store, account, 2 * SURE, ahead=HOUR_MS)
    await told(store, account, SURE - MISLEAD + 1, ahead=0, first=100)
    assert not await mislead(store)


async def test_dates_that_were_right_for_long_are_found_wrong_as_soon(store: Store, account: Account) -> None:
    """A clock change that only one side knows of."""
    await told(store, account, 2 * SURE, ahead=0)
    await told(store, account, SURE + MISLEAD, ahead=HOUR_MS, first=100)
    assert await mislead(store)


@pytest.mark.parametrize("at_once", [1, 200])
async def test_the_count_is_the_same_however_receipts_come_together(
    store: Store, account: Account, at_once: int
) -> None:
    """One in ten is of another zone."""
    await told(store, account, SURE, ahead=0)
    await store.accept(message(account, range(33600000000, 33600000200)))
    claimed = await store.claim("alpha", limit=1000, at=NOW)
    await store.record_answers("alpha", [accepted(one, f"B{place:04}") for place, one in enumerate(claimed)])
    batch = [
        dated(f"B{n:04}", int(one.msisdn.lstrip("+")), at=NOW + 5_000, submitted_at=NOW + HOUR_MS * (not n % 10))
        for n, one in enumerate(claimed)
    ]
    for begin in range(0, len(batch), at_once):
        await store.apply_receipts(batch[begin : begin + at_once])
    assert not await mislead(store)


async def test_a_receipt_that_comes_again_is_counted_once(store: Store, account: Account) -> None:
    (one,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, one, "7", at=NOW + 1)
    await store.apply_receipts([dated("7", PARIS, at=NOW + 2, submitted_at=NOW + HOUR_MS)] * 2 * MISLEAD)
    assert not await mislead(store)


@pytest.mark.parametrize(
    ("in_response", "in_receipt", "addresses"),
    [
        ("{0:x}", "{0}", ("{1}", "ESITO")),
        ("000{0}", "{0}", ("{1}", "ESITO")),
        ("A{0}B", "a{0}b", ("{1}", "ESITO")),
        ("{0}", "{0}", ("ESITO", "{1}")),
        ("{0}", "{0}", ("", "")),
    ],
)
async def test_they_are_told_of_whatever_way_an_operator_writes(
    store: Store, account: Account, *, in_response: str, in_receipt: str, addresses: tuple[str, str]
) -> None:
    for place in range(3 * MISLEAD):
        at, number = NOW + place * MINUTE_MS, 33600000000 + place
        (one,) = await sent(store, account, number, at=at)
        await answered(store, one, in_response.format(7_300_000 + place), at=at + 1)
        said = dated(in_receipt.format(7_300_000 + place), number, at=at + 2, submitted_at=at + HOUR_MS)
        source, destination = (each.format(0, number) for each in addresses)
        await store.apply_receipts([said._replace(addresses=(source, destination))])
    assert await mislead(store)
