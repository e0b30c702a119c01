"""Erasing one number: what goes, what stays, what is refused."""

import pytest

from esito.domain.account import Account
from esito.domain.errors import NumberInUse
from esito.domain.timing import DAY_MS, HOUR_MS
from esito.store.interface.store import Store
from tests.kit import looking
from tests.kit.builders import NOW, accepted, account_in, complaints, links_in, message, receipt, states_of, submitted
from tests.kit.kept import delivered, numbers_of, texts_of, texts_of_replies
from tests.kit.replying import furnished, keep, reply, send

pytestmark = pytest.mark.anyio

ANNA, BEA = 33611111111, 33622222222


async def erase(store: Store, account: Account | None, *, forget_stop: bool = False) -> tuple[int, int, int]:
    erased = await store.retention.erase(
        f"+{ANNA}",
        account_id=None if account is None else account.id,
        forget_stop=forget_stop,
        actor="test",
        at=NOW + DAY_MS,
    )
    return erased.recipients, erased.replies, erased.stops


async def test_an_erased_number_leaves_its_status_and_its_count(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    shared = await delivered(store, account, ANNA, BEA)
    alone = await delivered(store, account, ANNA, text="for you only")
    await store.stops.add(account.id, ANNA, at=NOW)

    assert await erase(store, account) == (2, 0, 0)
    assert await numbers_of(store, account, shared) == ["+0", "+33622222222"]
    assert await numbers_of(store, account, alone) == ["+0"]
    assert await states_of(store, account, shared) == [8, 8]
    assert await texts_of(store, account, shared) == ["ciao"]
    assert await texts_of(store, account, alone) == []
    assert [one.msisdn for one in await store.stops.list(account.id)] == [f"+{ANNA}"]
    assert await complaints(store) == []
    (line,) = [one for one in await store.ledger.audit(limit=10) if one.act == "number erased"]
    assert (line.actor, line.subject) == ("test", "********1111")
    assert line.details == "2 recipients, 0 replies, 0 entries of STOP lists"


async def test_the_stop_entry_goes_only_when_that_is_asked_for(store: Store) -> None:
    account = await account_in(store)
    await store.stops.add(account.id, ANNA, at=NOW)
    assert await erase(store, account, forget_stop=True) == (0, 0, 1)
    assert await store.stops.list(account.id) == []


async def test_one_account_erases_its_own_data_only(store: Store) -> None:
    mine, other = await account_in(store, "mine"), await account_in(store, "other")
    await links_in(store)
    theirs = await delivered(store, other)
    assert await erase(store, mine) == (0, 0, 0)
    assert await numbers_of(store, other, theirs) == ["+33611111111"]
    assert await erase(store, None) == (1, 0, 0)
    assert await numbers_of(store, other, theirs) == ["+0"]


async def test_a_number_with_something_unfinished_is_refused_and_nothing_is_removed(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    done = await delivered(store, account)
    await submitted(store, message(account, (ANNA,)), ["two"])
    with pytest.raises(NumberInUse) as refused:
        await erase(store, account)
    assert refused.value.until == NOW + 48 * HOUR_MS
    assert await numbers_of(store, account, done) == ["+33611111111"]
    assert await store.ledger.audit(limit=10) == [
        one for one in await store.ledger.audit(limit=10) if "erased" not in one.act
    ]


async def test_orphans_of_an_erased_number_lose_it_when_all_accounts_are_meant(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    odd = receipt("nobody's", "DELIVRD", addresses=(str(ANNA), "38000"))._replace(raw=b"to 33611111111")
    await store.apply_receipts([odd])
    await erase(store, account)
    (orphan,) = await store.orphans(after=0, limit=10)
    assert orphan.addresses[0] == str(ANNA)
    await erase(store, None)
    (orphan,) = await store.orphans(after=0, limit=10)
    assert (orphan.addresses[0], orphan.raw) == ("", b"")
    assert await complaints(store) == []


async def test_replies_of_an_erased_number_lose_number_and_text_and_are_counted(store: Store) -> None:
    account = await furnished(store)
    number = await send(store, account, url=None)
    await keep(store, reply("a private answer"))
    (sent,) = await store.claim("alpha", limit=9, at=NOW)
    await store.record_answers("alpha", [accepted(sent, "one")])
    await store.apply_receipts([receipt("one", "DELIVRD")])
    assert await erase(store, account) == (1, 1, 0)
    assert await texts_of_replies(store, account) == [("", "")]
    assert await looking.rows(store, "SELECT source, raw, text FROM reply") == [("", b"", b"")]
    assert await numbers_of(store, account, number) == ["+0"]


async def test_a_late_word_about_an_erased_number_counts_and_tells_nobody(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account, (ANNA,), url_dlr="https://example.org/dlr"), ["one"])
    await store.apply_receipts([receipt("one", "UNDELIV")])
    await looking.change(store, "UPDATE callback SET phase = 4, done_at = 1")  # as if it had been told and answered
    assert await erase(store, account) == (1, 0, 0)
    await store.apply_receipts([receipt("one", "DELIVRD", at=NOW + 9_000)])
    assert await states_of(store, account, number) == [8]
    assert await looking.rows(store, "SELECT * FROM callback") == []
    assert await complaints(store) == []
