"""What is removed with age, what is erased on request, and what stays."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from esito.config import RetentionSettings
from esito.domain.timing import DAY_MS
from esito.lifecycle.retain import RetentionJob
from esito.store.interface.retention_store import BEGINNING, Sweep, SweepPosition
from esito.store.interface.store import Store
from tests.kit import looking
from tests.kit.builders import NOW, account_in, complaints, expire, links_in, message, receipt, states_of, submitted
from tests.kit.desk import Standing
from tests.kit.kept import delivered, numbers_of, texts_of, texts_of_replies
from tests.kit.replying import furnished, keep, reply, send
from tests.kit.stores import store_at

pytestmark = pytest.mark.anyio

ANNA, BEA = 33611111111, 33622222222
DAYS = RetentionSettings(text_days=7, number_days=30, status_days=90)


async def aged(store: Store, days: float, settings: RetentionSettings = DAYS) -> None:
    """Let everything be looked through as if so many days had passed since NOW."""
    at = NOW + int(days * DAY_MS)
    await expire(store, at)
    await RetentionJob(store=store, clock=Standing(at), settings=settings, pause=0).look()


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
    account = await account_in(store)
    await links_in(store)
    await delivered(store, account)
    await looking.change(store, "UPDATE trail SET raw = substr(raw, 2)")
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
    await RetentionJob(store=store, clock=Standing(NOW + int(days * DAY_MS)), settings=hasty, pause=0).look()
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
    assert (orphan.raw, orphan.addresses[0]) == (b"", "+33611111111")
    await aged(store, 31)
    (orphan,) = await store.orphans(after=0, limit=10)
    assert orphan.addresses == ("", "")
    assert await complaints(store) == []
    await aged(store, 91)
    assert await store.orphans(after=0, limit=10) == []
    assert await complaints(store) == []


async def test_replies_lose_their_texts_then_their_numbers_and_then_go(store: Store) -> None:
    account = await furnished(store)
    await send(store, account, url=None)
    await keep(store, reply("a private answer"))
    await aged(store, 6)
    assert await texts_of_replies(store, account) == [("+33611111111", "a private answer")]
    await aged(store, 8)
    assert await texts_of_replies(store, account) == [("+33611111111", "")]
    assert await looking.rows(store, "SELECT source, raw, text FROM reply") == [("33611111111", b"", b"")]
    await aged(store, 31)
    assert await texts_of_replies(store, account) == [("", "")]
    assert await looking.rows(store, "SELECT source, destination FROM reply") == [("", "")]
    await aged(store, 91)
    assert await looking.rows(store, "SELECT id FROM reply UNION SELECT id FROM response") == []
    assert await texts_of_replies(store, account) == []


async def sweep(store: Store, kind: Sweep, before: int, beyond: SweepPosition) -> SweepPosition | None:
    return await store.retention.sweep(kind, before=before, beyond=beyond)


async def until_done(
    act: Callable[[SweepPosition], Awaitable[SweepPosition | None]], after: Callable[[], Awaitable[None]]
) -> int:
    """Perform every transaction of a sweep with something between them; return how many there were."""
    count = 0
    place: SweepPosition | None = BEGINNING
    while place is not None:
        place = await act(place)
        await after()
        count += 1
    return count


@pytest.mark.parametrize("size", [400, 401, 500])
async def test_the_books_balance_between_the_transactions_of_a_long_message(store: Store, size: int) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await delivered(store, account, *range(33611000000, 33611000000 + size))
    later = NOW + 90 * DAY_MS
    await expire(store, later)

    async def look() -> None:
        assert await complaints(store) == []

    for kind in (Sweep.TEXTS, Sweep.NUMBERS, Sweep.STATUSES):
        steps = await until_done(partial(sweep, store, kind, later), look)
        assert steps >= (2 if kind is Sweep.STATUSES else 1)
    assert await store.recipients_of(account.id, number) is None


async def test_a_process_killed_between_two_transactions_goes_on_where_it_was(place: str) -> None:
    first = store_at(place)
    await first.open()
    account = await account_in(first)
    await links_in(first)
    number = await delivered(first, account, *range(33611000000, 33611000500))
    later = NOW + 90 * DAY_MS
    await expire(first, later)
    await first.retention.sweep(Sweep.TEXTS, before=later)
    await first.retention.sweep(Sweep.NUMBERS, before=later)  # one transaction of several
    await first.close()

    second = store_at(place)
    await second.open()
    shown = await numbers_of(second, account, number)
    assert 0 < shown.count("+0") < 500
    await aged(second, 89)
    assert set(await numbers_of(second, account, number)) == {"+0"}
    assert await complaints(second) == []
    await second.close()


RETAIN = """
import asyncio, sys
from esito.config import RetentionSettings
from esito.lifecycle.retain import RetentionJob
from tests.kit.desk import Standing
from tests.kit.stores import store_at

async def main():
    store = store_at(sys.argv[1])
    await store.open()
    print("begun", flush=True)
    settings = RetentionSettings(text_days=7, number_days=30, status_days=90)
    await RetentionJob(store=store, clock=Standing(int(sys.argv[2])), settings=settings, pause=0.001).look()

asyncio.run(main())
"""
"""A process that removes what is too old."""


def _begin_and_kill(place: str, at: int, seconds: float) -> None:
    with subprocess.Popen([sys.executable, "-c", RETAIN, place, str(at)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1])
async def test_kill_dash_nine_in_the_middle_leaves_books_that_balance(place: str, seconds: float) -> None:
    first = store_at(place)
    await first.open()
    account = await account_in(first)
    await links_in(first)
    numbers = [await delivered(first, account, *range(33611000000, 33611000400)) for _ in range(4)]
    later = NOW + 90 * DAY_MS
    await expire(first, later)
    await first.close()

    await asyncio.to_thread(_begin_and_kill, place, later, seconds)

    second = store_at(place)
    await second.open()
    assert await complaints(second) == []
    await aged(second, 90)
    assert [await second.recipients_of(account.id, number) for number in numbers] == [None] * 4
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
