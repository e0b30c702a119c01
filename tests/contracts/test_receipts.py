from itertools import permutations

import pytest

from esito.domain.routing import Route
from esito.domain.states import MessageState, MultipartRule
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from tests.kit.builders import NOW, accepted, account_in, links_in, message, receipt, states_of, submitted

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("words", list(permutations(["ACCEPTD", "UNDELIV", "DELIVRD"])))
async def test_any_order_of_receipts_ends_delivered(store: Store, words: tuple[str, ...]) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["0A1F"])
    for word in words:
        await store.apply_receipts([receipt("0A1F", word)])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


@pytest.mark.parametrize("together", [True, False])
async def test_verdicts_do_not_depend_on_the_batch(store: Store, together: bool) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account, url_dlr="https://example.org/dlr"), ["1001"])
    receipts = [receipt("1001", word) for word in ("ENROUTE", "UNDELIV", "ACCEPTD", "DELIVRD", "DELIVRD", "ZZZ")]
    batches = [receipts] if together else [[one] for one in receipts]
    verdicts: dict[str, int] = {}
    for batch in batches:
        for verdict, count in (await store.apply_receipts(batch)).verdicts.items():
            verdicts[verdict] = verdicts.get(verdict, 0) + count
    assert verdicts == {"moved": 3, "weaker": 1, "duplicate": 1, "unknown_word": 1}
    assert (await store.counts()).callbacks_due == 2


async def test_a_receipt_before_its_response_is_parked_and_then_settled(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    (one,) = await store.claim("alpha", limit=1, at=NOW)
    assert (await store.apply_receipts([receipt("1001", "DELIVRD")])).verdicts == {"parked": 1}
    assert await store.record_answers("alpha", [accepted(one, "1001")]) == 1
    assert await states_of(store, account, number) == [MessageState.DELIVERED]
    assert (await store.counts()).unmatched == 0


async def test_an_orphan_is_kept_counted_and_adopted_if_its_submission_appears(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    assert (await store.apply_receipts([receipt("2A", "DELIVRD")])).verdicts == {"orphan": 1}
    assert (await store.counts()).unmatched == 1
    # The response writes the same id in decimal.
    number = await submitted(store, message(account), ["42"])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]
    assert (await store.counts()).unmatched == 0


@pytest.mark.parametrize(
    ("response", "written"),
    [
        ("1001", "1001"),
        ("0a1f", "0A1F"),
        ("1001", "0000001001"),
        ("0000001001", "1001"),
        ("3e9", "1001"),
        ("1001", "3E9"),
        ("39f99dd5", "0972660181"),
        ("812FC7470000001B", "9308878062554710043"),
    ],
)
async def test_an_id_is_recognised_in_every_spelling(store: Store, response: str, written: str) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), [response])
    await store.apply_receipts([receipt(written, "DELIVRD")])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_the_address_decides_between_an_id_and_its_other_base(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    first = await submitted(store, message(account, [33612345678]), ["1000"])
    second = await submitted(store, message(account, [33612345679]), ["4096"])
    assert (await store.apply_receipts([receipt("1000", "DELIVRD")])).verdicts == {"orphan": 1}
    await store.apply_receipts([receipt("1000", "DELIVRD", addresses=("0612345678", "ESITO"))])
    assert await states_of(store, account, first) == [MessageState.DELIVERED]
    assert await states_of(store, account, second) == [MessageState.WAITING]


async def test_operators_do_not_share_ids_but_their_links_do(store: Store) -> None:
    account = await account_in(store)
    await links_in(store, "a", "a2", operator="one")
    await links_in(store, "b", operator="two")
    number = await submitted(store, message(account), ["1001"], link="a")
    assert (await store.apply_receipts([receipt("1001", "DELIVRD", link="b")])).verdicts == {"orphan": 1}
    assert await states_of(store, account, number) == [MessageState.WAITING]
    await store.apply_receipts([receipt("1001", "DELIVRD", link="a2")])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_an_id_that_comes_again_means_the_newest_unfinished_segment(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    old = await submitted(store, message(account), ["7"])
    await store.apply_receipts([receipt("7", "DELIVRD")])
    new = await submitted(store, message(account, [33612345679]), ["7"], at=NOW + 60_000)
    await store.apply_receipts([receipt("7", "UNDELIV", at=NOW + 65_000)])
    assert await states_of(store, account, old) == [MessageState.DELIVERED]
    assert await states_of(store, account, new) == [MessageState.UNDELIVERABLE]


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ("any-failed", MessageState.UNDELIVERABLE),
        ("all", MessageState.WAITING),
        ("first", MessageState.DELIVERED),
        ("last", MessageState.WAITING),
    ],
)
async def test_segments_make_the_recipient_by_rule(store: Store, rule: str, state: MessageState) -> None:
    account = await account_in(store)
    await links_in(store, rule=MultipartRule(rule))
    number = await submitted(store, message(account, segments=3), ["1", "2", "3"])
    await store.apply_receipts([receipt("1", "DELIVRD"), receipt("2", "UNDELIV")])
    assert await states_of(store, account, number) == [state]


@pytest.mark.parametrize(("left_by", "state"), [("alpha", MessageState.WAITING), ("beta", MessageState.UNDELIVERABLE)])
@pytest.mark.parametrize("told_by", ["alpha", "beta"])
async def test_the_rule_is_that_of_the_link_that_submitted(
    store: Store, left_by: str, told_by: str, state: MessageState
) -> None:
    """Links of one operator get one another's receipts."""
    rules = {"alpha": MultipartRule.ALL, "beta": MultipartRule.ANY_FAILED}
    links = await store.register_links(
        [LinkRecord(name=name, operator="one", multipart_rule=rule) for name, rule in rules.items()]
    )
    account = await account_in(store)
    number = await store.accept(message(account, segments=3, link=links[left_by]))
    for place, one in enumerate(await store.claim(left_by, limit=3, at=NOW)):
        await store.record_answers(left_by, [accepted(one, str(place + 1))])
    await store.apply_receipts([receipt("1", "DELIVRD", link=told_by), receipt("2", "UNDELIV", link=told_by)])
    assert await states_of(store, account, number) == [state]


@pytest.mark.parametrize("words", list(permutations([("1", "UNDELIV"), ("2", "DELIVRD")])))
async def test_of_two_links_the_rule_of_the_first_segment_counts(
    store: Store, words: tuple[tuple[str, str], ...]
) -> None:
    """A link went down in the middle of a message: whatever the order of the receipts, it ends the same."""
    rules = {"alpha": MultipartRule.LAST, "beta": MultipartRule.ANY_FAILED}
    await store.register_links(
        [LinkRecord(name=name, operator="one", multipart_rule=rule, prefixes=()) for name, rule in rules.items()]
    )
    route = Route("alpha", ("beta",))
    routes = await store.register_routes([route])
    account = await account_in(store)
    number = await store.accept(message(account, segments=2, link=routes[route]))
    for link, smsc_id, down in (("alpha", "1", ""), ("beta", "2", "alpha")):
        (one,) = await store.claim(link, limit=1, at=NOW, passed_over=frozenset({down}))
        await store.record_answers(link, [accepted(one, smsc_id)])
    for smsc_id, word in words:
        await store.apply_receipts([receipt(smsc_id, word)])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_one_id_may_stand_for_all_segments(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account, segments=3), ["7", "7", "7"])
    await store.apply_receipts([receipt("7", "DELIVRD")])
    assert await states_of(store, account, number) == [MessageState.DELIVERED]


async def test_an_acknowledgement_by_the_handset_moves_nobody(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["1001"])
    settled = await store.apply_receipts([receipt("1001", "DELIVRD", counts=False)])
    assert settled.verdicts == {"not_a_receipt": 1}
    assert await states_of(store, account, number) == [MessageState.WAITING]
