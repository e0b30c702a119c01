"""The outbox of callbacks: claimed once, in order, fairly; recorded, given up, replayed."""

from collections import Counter
from collections.abc import Sequence
from itertools import count

import pytest

from esito.domain.account import Account
from esito.domain.callback import Callback, Outcome
from esito.domain.errors import NoSuchCallback
from esito.domain.slots import Slots
from esito.domain.timing import DAY_MS, MINUTE_MS
from esito.store.interface.callback_store import ClaimRequest
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, links_in, message, receipt, submitted

pytestmark = pytest.mark.anyio

URL = "https://example.org/dlr?secret=1"
_ids = count(1)


async def told(store: Store, account: Account, *words: str, url: str = URL, numbers: int = 1, tag: str = "") -> int:
    """Send a message and have the operator say these words of each recipient; return its id."""
    await links_in(store)
    ids = [f"C{next(_ids)}" for _ in range(numbers)]
    new = message(account, [33612345678 + seq for seq in range(numbers)], url_dlr=url, tag=tag or None)
    number = await submitted(store, new, ids)
    for word in words:
        await store.apply_receipts([receipt(id_, word) for id_ in ids])
    await store.callbacks.route(NOW)
    return number


async def claim(
    store: Store, *, at: int = NOW, most: int = 8000, usual: int = 1000, slots: Slots | None = None, **more: object
) -> list[Callback]:
    given = slots or Slots(most=most, usual=usual)
    wanted = ClaimRequest(at=at, lease_ms=MINUTE_MS, slots=given, **more)  # type: ignore[arg-type]  # of a test
    return (await store.callbacks.claim(wanted)).callbacks


async def end(
    store: Store, claimed: Sequence[Callback], status: int | None, *, at: int = NOW, next_at: int | None = None
) -> int:
    return await store.callbacks.record(
        [
            Outcome(callback=one, at=at, ended_at=at, milliseconds=7, status=status, next_at=next_at, answer=b"said")
            for one in claimed
        ]
    )


def hosts(claimed: Sequence[Callback]) -> dict[str, int]:
    return Counter(one.place.address.partition(".")[0] for one in claimed)


def of_accounts(claimed: Sequence[Callback]) -> dict[int, int]:
    return Counter(one.place.account for one in claimed)


def states(claimed: Sequence[Callback]) -> list[int]:
    return [one.state for one in claimed]


async def test_a_callback_carries_what_the_receiver_is_told(store: Store) -> None:
    account = await account_in(store)
    number = await told(store, account, "DELIVRD", tag="order77")
    (one,) = await claim(store)
    assert one.content("EUR").decode() == (
        f'{{"status": "delivered", "msgId": "{number}", "date": {NOW // 1000 + 5}, "phone": "+33612345678", '
        '"cost": "0.045", "currency": "EUR", "tag": "order77"}'
    )
    assert (one.url, one.webhook_id, one.sequence, one.attempts) == (URL, f"msg_{number}_0_8", 1, 0)


async def test_a_claimed_callback_is_claimed_by_nobody_else_until_its_lease_ends(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD")
    (one,) = await claim(store)
    assert await claim(store, at=NOW + MINUTE_MS - 1) == []
    # Whoever makes it keeps it, however long that takes.
    assert await claim(store, at=NOW + MINUTE_MS, holding=frozenset({one.id})) == []
    assert await claim(store, at=NOW + MINUTE_MS) == [one]


async def test_after_a_restart_what_was_out_is_due_and_nothing_else(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD", numbers=3)
    first, second, third = await claim(store)
    await end(store, [first], 204)
    await end(store, [second], 500, next_at=NOW + DAY_MS)
    assert await store.callbacks.free_leases(NOW + MINUTE_MS) == 1
    assert await claim(store, at=NOW + MINUTE_MS) == [third]


async def test_callbacks_of_a_recipient_go_out_one_by_one_oldest_first(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "UNDELIV", "DELIVRD")
    first = await claim(store)
    assert states(first) == [7]
    assert await claim(store) == []
    await end(store, first, 503, next_at=NOW + 5_000)
    assert await claim(store, at=NOW + 4_999) == []
    again = await claim(store, at=NOW + 5_000)
    assert [(one.state, one.attempts, one.tries, one.first_at) for one in again] == [(7, 1, 1, NOW)]
    await end(store, again, 200, at=NOW + 5_000)
    (last,) = await claim(store, at=NOW + 5_000)
    assert (last.state, last.sequence) == (8, 2)


async def test_a_callback_goes_when_the_one_before_it_was_given_up(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "UNDELIV", "DELIVRD")
    assert await end(store, await claim(store), 500) == 1
    assert states(await claim(store)) == [8]


async def test_a_line_keeps_its_order_when_its_parts_are_sorted_apart(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account, url_dlr=URL), ["77"])
    for word in ("UNDELIV", "DELIVRD"):
        await store.apply_receipts([receipt("77", word)])
    assert await store.callbacks.route(NOW, limit=1) == 1
    first = await claim(store)
    assert await store.callbacks.route(NOW, limit=1) == 1
    assert await claim(store) == []
    await end(store, first, 200)
    assert states(await claim(store)) == [8]


async def test_a_destination_with_much_to_get_starves_no_other(store: Store) -> None:
    account = await account_in(store)
    for _ in range(4):
        await told(store, account, "DELIVRD", numbers=100, url="https://slow.example/")
    await told(store, account, "DELIVRD", numbers=3, url="https://quick.example/")
    slots = Slots()
    claimed = await claim(store, slots=slots)
    assert hosts(claimed) == {"slow": 32, "quick": 3}
    await told(store, account, "DELIVRD", url="https://quick.example/")
    # The claim has taken what it leased: the slow one has no slot left.
    assert hosts(await claim(store, slots=slots)) == {"quick": 1}
    for one in claimed:
        slots.free(one.place)
    slow = next(one.destination for one in claimed if "slow" in one.url)
    assert hosts(await claim(store, slots=slots, fast={slow})) == {"slow": 64}


async def test_an_account_with_many_destinations_leaves_the_others_their_turn(store: Store) -> None:
    """An account gets a quarter of what the others leave, and one address half of that."""
    one, two, three = [await account_in(store, name, credit="1000") for name in ("one", "two", "three")]
    for port in range(20):
        await told(store, one, "DELIVRD", numbers=20, url=f"https://a{port}.example/")
    for account in (two, three):
        await told(store, account, "DELIVRD", numbers=20, url="https://b.example/")
    slots = Slots(most=64)
    first = await claim(store, slots=slots)
    assert of_accounts(first) == {one.id: 12, two.id: 7, three.id: 6}
    assert await claim(store, slots=slots) == []
    for callback in first:
        slots.free(callback.place)
    again = await claim(store, slots=slots)
    assert {callback.destination for callback in again if callback.place.account == one.id}.isdisjoint(
        callback.destination for callback in first
    )  # the rest of them are next


async def test_ports_of_one_address_share_half_of_what_their_account_has(store: Store) -> None:
    account = await account_in(store, credit="1000")
    for port in range(4):
        await told(store, account, "DELIVRD", numbers=20, url=f"https://a.example:{8000 + port}/")
    await told(store, account, "DELIVRD", numbers=20, url="https://b.example/")
    assert hosts(await claim(store, slots=Slots(most=64))) == {"a": 8, "b": 8}


async def test_what_the_sandbox_tells_comes_last_and_takes_no_other_slot(store: Store) -> None:
    account = await account_in(store, credit="1000")
    await links_in(store)
    numbers = [33610000000 + 10 * seq for seq in range(40)]
    await store.accept(message(account, numbers, cost=0, url_dlr="https://a.example/", sandbox=True))
    await told(store, account, "DELIVRD", numbers=40, url="https://a.example/")
    claimed = await claim(store, slots=Slots(most=64, in_sandbox=32))
    assert [one.place.sandbox for one in claimed] == [False] * 8 + [True] * 4
    assert len({one.destination for one in claimed}) == 1


async def test_the_next_claim_goes_on_where_the_slots_ran_out(store: Store) -> None:
    account = await account_in(store)
    for letter in "abcdef":
        await told(store, account, "DELIVRD", numbers=2, url=f"https://{letter}.example/")
    seen = [one.url[8] for _ in range(6) for one in await claim(store, most=1)]
    assert sorted(seen) == list("abcdef")


async def test_accounts_take_turns_where_the_slots_run_out(store: Store) -> None:
    accounts = [await account_in(store, name) for name in "abcdef"]
    for account in accounts:
        await told(store, account, "DELIVRD", numbers=2)
    seen = [one.place.account for _ in range(6) for one in await claim(store, most=1)]
    assert sorted(seen) == [account.id for account in accounts]


async def test_a_claim_says_when_the_next_is_due(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD")
    await end(store, await claim(store), 500, next_at=NOW + 5_000)
    found = await store.callbacks.claim(ClaimRequest(at=NOW, lease_ms=1, slots=Slots()))
    assert (found.callbacks, found.next_at) == ([], NOW + 5_000)


async def test_what_is_done_is_recorded_once_and_never_claimed_again(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD")
    claimed = await claim(store)
    await end(store, claimed, 204)
    await end(store, claimed, 500, next_at=NOW)  # somebody whose lease had ended
    (line,) = await store.callbacks.page(account.id)
    found = await store.callbacks.one(account.id, line.id)
    assert found is not None
    assert [(one.number, one.status, one.milliseconds, one.answer) for one in found.log] == [(1, 204, 7, b"said")]
    assert (found.phase.name, found.done_at, found.attempts) == ("DONE", NOW, 1)
    assert await claim(store, at=NOW + DAY_MS) == []
    assert await store.callbacks.waiting() == (0, 0)


async def test_five_days_without_a_success_disable_the_destination(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD", numbers=2)
    await end(store, await claim(store, most=1), 500, next_at=NOW + DAY_MS)
    later = NOW + 5 * DAY_MS
    await end(store, await claim(store, at=later - 1, most=1), None, at=later - 1, next_at=later)
    (place,) = await store.callbacks.destinations(account.id)
    assert (place.disabled_at, place.failing_since) == (None, NOW)
    await end(store, await claim(store, at=later, most=1), None, at=later, next_at=later + 1)
    (place,) = await store.callbacks.destinations(account.id)
    assert (place.disabled_at, place.reason) == (later, "five days without a success")


async def test_a_success_ends_a_time_of_failures(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD", numbers=2)
    await end(store, await claim(store, most=1), 500, next_at=NOW + DAY_MS)
    await end(store, await claim(store), 200, at=NOW + 9)
    (place,) = await store.callbacks.destinations(account.id)
    assert (place.failing_since, place.last_success) == (None, NOW + 9)


@pytest.mark.parametrize("url", ["ftp://example.org/", "https://", "http://example.org:99999/", "nothing"])
async def test_a_url_that_cannot_be_called_is_dead_at_once(store: Store, url: str) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD", url=url)
    (dead,) = await store.callbacks.page(account.id, status="dead")
    assert (dead.reason, dead.attempts) == ("its URL cannot be called", 0)
    assert await claim(store) == []


async def test_a_replayed_callback_begins_anew_under_the_same_webhook_id(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD")
    (one,) = await claim(store)
    await end(store, [one], 410)
    assert await store.callbacks.replay(account.id, one.id, NOW + 9) == 1
    (again,) = await claim(store, at=NOW + 9)
    assert again.webhook_id == one.webhook_id
    assert (again.attempts, again.tries, again.first_at) == (1, 0, None)
    (place,) = await store.callbacks.destinations(account.id)
    assert place.disabled_at is None
    assert await store.callbacks.replay(account.id, one.id, NOW + 9) == 0  # it is being made
    await end(store, [again], 200)


async def test_replayed_callbacks_of_a_recipient_keep_their_order(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "UNDELIV", "DELIVRD")
    await end(store, await claim(store), 500)
    await end(store, await claim(store), 503, next_at=NOW + DAY_MS)
    oldest = (await store.callbacks.page(account.id))[-1]
    assert await store.callbacks.replay(account.id, oldest.id, NOW) == 1
    for state in (7, 8):
        out = await claim(store)
        assert states(out) == [state]
        await end(store, out, 200)


async def test_everything_finished_since_a_moment_is_replayed_or_only_the_dead(store: Store) -> None:
    account = await account_in(store)
    await told(store, account, "DELIVRD", numbers=4)
    at = (await store.callbacks.page(account.id))[0].at
    one, two, *rest = await claim(store)
    await end(store, [one], 200)
    await end(store, [two], 500)
    await end(store, rest[:1], 500, next_at=NOW + DAY_MS)
    outbox = store.callbacks
    assert await outbox.replay_since(account.id, at + 1, NOW) == 0
    assert await outbox.replay_since(account.id, at, NOW, dead_only=True) == 1
    out = await claim(store)
    assert [callback.id for callback in out] == [two.id]
    await end(store, out, 200)
    assert await outbox.replay_since(account.id, at, NOW) == 2
    assert sorted(callback.id for callback in await claim(store)) == [one.id, two.id]


async def test_an_account_sees_and_replays_its_own_alone(store: Store) -> None:
    mine, other = await account_in(store), await account_in(store, "other")
    number = await told(store, mine, "DELIVRD")
    (one,) = await claim(store)
    await end(store, [one], 500)
    outbox = store.callbacks
    assert await outbox.page(other.id) == await outbox.page(other.id, message_id=number) == []
    assert await outbox.one(other.id, one.id) is None
    assert await outbox.destinations(other.id) == []
    assert await outbox.replay_since(other.id, 0, NOW) == 0
    for account_id, number in ((other.id, one.id), (mine.id, 999)):
        with pytest.raises(NoSuchCallback):
            await outbox.replay(account_id, number, NOW)
    assert await outbox.waiting() == (0, 1)


async def test_pages_go_from_the_newest_to_the_oldest(store: Store) -> None:
    account = await account_in(store)
    for letter in "ab":
        await told(store, account, "DELIVRD", numbers=3, url=f"https://{letter}.example/")
    seen: list[int] = []
    mark: tuple[int, int] | None = None
    while page := await store.callbacks.page(account.id, before=mark, limit=2):
        seen += [one.id for one in page]
        mark = (page[-1].at, page[-1].id)
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 6
    waiting = await store.callbacks.page(account.id, status="waiting", limit=4)
    assert [one.id for one in waiting] == seen[:4]
    assert await store.callbacks.page(account.id, status="nonsense") == []


async def test_lists_over_many_destinations_come_in_pages(store: Store) -> None:
    account, other = await account_in(store, credit="1000"), await account_in(store, "other", credit="1000")
    await links_in(store)
    for host in range(30):
        for one in (account, other):
            # Some in the sandbox, which is listed like all else.
            url = f"https://host{host}.example/"
            await store.accept(message(one, [33610000000], cost=0, url_dlr=url, sandbox=True))
    for host in range(30):
        await told(store, account, "DELIVRD", url=f"https://host{host}.example/")
    claimed = [one for one in await claim(store) if one.place.account == account.id]
    await end(store, claimed[0:20], 200)
    await end(store, claimed[20:25], 500)
    counted = {"waiting": 60 - 25, "done": 20, "dead": 5, "": 60}
    for status, wanted in counted.items():
        seen: list[int] = []
        mark: tuple[int, int] | None = None
        while page := await store.callbacks.page(account.id, status=status, before=mark, limit=7):
            assert [(one.at, one.id) for one in page] == sorted(((one.at, one.id) for one in page), reverse=True)
            assert mark is None or (page[0].at, page[0].id) < mark
            seen += [one.id for one in page]
            mark = (page[-1].at, page[-1].id)
        assert len(set(seen)) == len(seen) == wanted
    assert await store.callbacks.replay_since(account.id, 0, NOW) == 25


async def test_what_waits_is_counted_sorted_or_not(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account, [33612345678, 33612345679], url_dlr=URL), ["88", "89"])
    await store.apply_receipts([receipt("88", "DELIVRD"), receipt("89", "DELIVRD"), receipt("89", "UNDELIV")])
    assert (await store.counts()).callbacks_due == 2
    await store.callbacks.route(NOW)
    assert (await store.counts()).callbacks_due == 2
    one, two = await claim(store)
    await end(store, [one], 200)
    await end(store, [two], 500)
    found = await store.counts()
    assert (found.callbacks_due, found.callbacks_dead) == (0, 1)


async def test_a_rehearsal_in_the_sandbox_is_told_its_statuses_too(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    numbers = [33611110000, 33611110002, 33611110005]
    number = await store.accept(message(account, numbers, cost=0, url_dlr=URL, sandbox=True))
    await store.callbacks.route(NOW)
    assert [one.webhook_id for one in await claim(store)] == [f"msg_{number}_0_8", f"msg_{number}_1_7"]
