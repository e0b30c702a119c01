"""What is removed with age, what is erased on request, and what stays."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from esito.config import RetentionSettings
from esito.domain.account import Account
from esito.domain.errors import NumberInUse
from esito.domain.timing import DAY_MS, HOUR_MS
from esito.lifecycle.retain import Retaining
from esito.store.base import Store
from esito.store.retention import BEGINNING, Place, Sweep
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW, account_in, complaints, links_in, message, receipt, states_of, submitted
from tests.kit.desk import Standing

pytestmark = pytest.mark.anyio

ANNA, BEA = 33611111111, 33622222222
DAYS = RetentionSettings(text_days=7, number_days=30, status_days=90)


async def aged(store: Store, days: float, settings: RetentionSettings = DAYS) -> None:
    """Let everything be looked through as if so many days had passed since NOW."""
    at = NOW + int(days * DAY_MS)
    await store.expire(at)
    await Retaining(store=store, clock=Standing(at), settings=settings, pause=0).look()


async def delivered(store: Store, account: Account, *numbers: int, **options: object) -> int:
    """Have a message delivered to numbers; return its id."""
    new = message(account, numbers or (ANNA,), **options)  # type: ignore[arg-type]  # as the builder takes them
    ids = [f"{id(new)}-{number}" for number in numbers or (ANNA,)]
    number = await submitted(store, new, ids)
    await store.apply_receipts([receipt(id_, "DELIVRD") for id_ in ids])
    return number


async def texts_of(store: Store, account: Account, number: int) -> list[str]:
    found = await store.message_of(account.id, number)
    assert found is not None
    return list(found.texts)


async def numbers_of(store: Store, account: Account, number: int) -> list[str]:
    return [row[0] for row in await store.recipients_of(account.id, number) or []]


async def octets_in(store: Store, *needles: bytes) -> bool:
    """Tell whether the database file, made whole, holds any of these octets."""
    assert isinstance(store, SqliteStore)
    connection = store._read
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    path = Path(connection.filename)
    files = [path, path.with_name(path.name + "-wal")]
    return any(needle in file.read_bytes() for file in files if file.exists() for needle in needles)


async def test_text_number_and_status_go_each_by_its_own_clock(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await delivered(store, account, ANNA, BEA)

    await aged(store, 6.9)
    assert await texts_of(store, account, number) == ["ciao"]
    await aged(store, 7)
    assert await texts_of(store, account, number) == []
    assert await numbers_of(store, account, number) == ["+33611111111", "+33622222222"]
    await aged(store, 30)
    assert await numbers_of(store, account, number) == ["+0", "+0"]
    assert await states_of(store, account, number) == [8, 8]
    overview = await store.message_of(account.id, number)
    assert overview is not None
    assert (overview.segments, overview.by_state) == (2, {8: 2})
    assert await complaints(store) == []
    await aged(store, 90)
    assert await store.recipients_of(account.id, number) is None
    assert await complaints(store) == []


async def test_what_messages_cost_is_carried_over_to_the_micro_euro(store: Store) -> None:
    account = await account_in(store, credit="10")
    await links_in(store)
    for cost in (45_001, 39_999, 7):
        await delivered(store, account, ANNA, BEA, cost=cost)
    assert await complaints(store) == []
    await aged(store, 90)
    assert await complaints(store) == []
    ((after, _),) = await store.accounts()
    assert str(after.credit) == "9.829986"


async def test_the_octets_of_receipts_go_with_the_texts_and_leave_no_trace(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account), ["one"])
    raw = b"id:one stat:DELIVRD text:a secret to 33612345678"
    await store.apply_receipts([receipt("one", "DELIVRD")._replace(raw=raw)])
    await aged(store, 8)
    known = await store.evidence_of(account.id, 1, "+33612345678")
    assert known is not None
    assert [(one.raw, one.stat, "erased" in one.flags) for one in known.trail] == [(b"", "DELIVRD", True)]
    assert await complaints(store) == []


async def test_a_row_that_was_altered_is_still_told_after_its_octets_are_gone(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    account = await account_in(store)
    await links_in(store)
    await delivered(store, account)
    await store._writer.do(
        lambda open_, payloads: [open_.execute("UPDATE trail SET raw = x'00'").fetchall() for _ in payloads], None
    )
    told = ["trail row 1 does not match its checksum: it was altered after it was written"]
    assert await complaints(store) == told
    await aged(store, 8)
    assert await complaints(store) == told
    await aged(store, 90)
    assert await complaints(store) == []


@pytest.mark.parametrize("days", [1.9, 100])
async def test_what_waits_for_its_time_or_for_its_operator_is_left_alone(store: Store, days: float) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account, due_at=NOW + int((days - 1.9) * DAY_MS)), ["one"], at=NOW + 2**40)
    hasty = RetentionSettings(text_days=1, number_days=3, status_days=3)
    await Retaining(store=store, clock=Standing(NOW + int(days * DAY_MS)), settings=hasty, pause=0).look()
    assert await texts_of(store, account, number) == ["ciao"]
    assert await numbers_of(store, account, number) == ["+33612345678"]


async def test_a_message_with_a_callback_to_make_stays_until_that_is_done(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await delivered(store, account, url_dlr="https://example.org/dlr")
    await aged(store, 100)
    assert await numbers_of(store, account, number) == ["+33611111111"]
    assert await texts_of(store, account, number) == ["ciao"]


async def test_sandbox_messages_are_gone_after_a_day(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, sandbox=True, cost=0))
    await aged(store, 0.9)
    assert await store.recipients_of(account.id, number) is not None
    await aged(store, 1)
    assert await store.recipients_of(account.id, number) is None
    assert await complaints(store) == []


async def test_orphans_lose_their_numbers_and_then_go(store: Store) -> None:
    await links_in(store)
    await store.apply_receipts([receipt("nobody's", "DELIVRD", addresses=("+33611111111", "38000"))])
    await aged(store, 8)
    (orphan,) = await store.orphans(after=0, limit=10)
    assert (orphan.raw, orphan.source_addr) == (b"", "+33611111111")
    await aged(store, 31)
    (orphan,) = await store.orphans(after=0, limit=10)
    assert (orphan.source_addr, orphan.destination_addr) == ("", "")
    assert await complaints(store) == []
    await aged(store, 91)
    assert await store.orphans(after=0, limit=10) == []
    assert await complaints(store) == []


async def sweep(store: Store, kind: Sweep, before: int, beyond: Place) -> Place | None:
    return await store.retention.sweep(kind, before=before, beyond=beyond)


async def until_done(act: Callable[[Place], Awaitable[Place | None]], after: Callable[[], Awaitable[None]]) -> int:
    """Perform every transaction of a sweep with something between them; return how many there were."""
    count = 0
    place: Place | None = BEGINNING
    while place is not None:
        place = await act(place)
        await after()
        count += 1
    return count


async def test_the_books_balance_between_the_transactions_of_a_long_message(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await delivered(store, account, *range(33611000000, 33611000500))
    later = NOW + 90 * DAY_MS
    await store.expire(later)

    async def look() -> None:
        assert await complaints(store) == []

    for kind in (Sweep.TEXTS, Sweep.NUMBERS, Sweep.STATUSES):
        steps = await until_done(partial(sweep, store, kind, later), look)
        assert steps >= (1 if kind is Sweep.TEXTS else 2)
    assert await store.recipients_of(account.id, number) is None


async def test_a_process_killed_between_two_transactions_goes_on_where_it_was(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "esito.db")
    await first.open()
    account = await account_in(first)
    await links_in(first)
    number = await delivered(first, account, *range(33611000000, 33611000400))
    later = NOW + 90 * DAY_MS
    await first.expire(later)
    await first.retention.sweep(Sweep.TEXTS, before=later)
    await first.retention.sweep(Sweep.NUMBERS, before=later)  # one transaction of several
    await first.close()

    second = SqliteStore(tmp_path / "esito.db")
    await second.open()
    shown = await numbers_of(second, account, number)
    assert 0 < shown.count("+0") < 400
    await aged(second, 89)
    assert set(await numbers_of(second, account, number)) == {"+0"}
    assert await complaints(second) == []
    await second.close()


async def test_looking_again_changes_nothing(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await delivered(store, account)
    await aged(store, 40)
    before = await store.recipients_of(account.id, number)
    await aged(store, 40)
    assert await store.recipients_of(account.id, number) == before


# -- erasing -------------------------------------------------------------------------------


async def erase(store: Store, account: Account | None, *, forget_stop: bool = False) -> tuple[int, int, int]:
    erased = await store.retention.erase(
        f"+{ANNA}",
        account_id=account and account.id,
        forget_stop=forget_stop,
        actor="test",
        at=NOW + DAY_MS,
    )
    return tuple(erased)


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
    assert orphan.source_addr == str(ANNA)
    await erase(store, None)
    (orphan,) = await store.orphans(after=0, limit=10)
    assert (orphan.source_addr, orphan.raw) == ("", b"")
    assert await complaints(store) == []


async def test_an_erased_number_is_nowhere_in_the_file(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account, (ANNA,), text="a very private text"), ["one"])
    await store.apply_receipts([receipt("one", "DELIVRD")._replace(raw=b"to 33611111111 text:a very private")])
    needles = (b"33611111111", b"a very private")
    await erase(store, None)
    await store.close()
    await store.open()
    assert not await octets_in(store, *needles)
