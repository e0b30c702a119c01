"""Asking by query_sm: what comes up when, and what the answers do, on every store."""

import pytest

from esito.domain.account import Account
from esito.domain.explanation import explain
from esito.domain.message import SegmentRef, SubmitAnswer, SubmitOutcome
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.domain.status_query import ASK_AGAIN_MS, LAST_BEFORE_MS, Query, QueryAnswer
from esito.domain.timing import DAY_MS, HOUR_MS, MINUTE_MS, VALIDITY_MS
from esito.domain.vocabulary import ErrorTable, Vocabulary
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, links_in, message, receipt, states_of, submitted

pytestmark = pytest.mark.anyio

S = MessageState
PARIS, ROME = 33612345678, 393331234567
URL = "https://shop.example/dlr"


async def asking(store: Store, *, wait_ms: int = VALIDITY_MS) -> Account:
    """Have an account, and a link that asks after an hour."""
    await store.register_links([LinkRecord(name="alpha", operator="alpha", query_after_ms=HOUR_MS, wait_ms=wait_ms)])
    return await account_in(store)


async def due(store: Store, at: int, *, limit: int = 99) -> list[Query]:
    claimed = await store.claim_queries("alpha", limit=limit, at=at)
    assert claimed == [] or not await store.queries_due("alpha", at) or limit < 99
    return claimed


def answer(
    query: Query, state: MessageState | None, *, at: int = NOW + HOUR_MS, done_at: int | None = None
) -> QueryAnswer:
    said = DeliveryReceipt(
        link="alpha", smsc_message_id=query.smsc_message_id, state=state, stat="message_state 2", done_at=done_at,
        received_at=at, raw=b"query_sm_resp",
    )  # fmt: skip
    return QueryAnswer(query.ref, said)


async def trail(store: Store, account: Account, number: int, msisdn: int = PARIS) -> list[tuple[str, object, str]]:
    known = await store.evidence_of(account.id, number, f"+{msisdn}")
    assert known is not None
    return [(one.verdict.value, one.state, " ".join(sorted(one.flags))) for one in known.trail]


async def next_at(store: Store, account: Account, number: int) -> int | None:
    known = await store.evidence_of(account.id, number, f"+{PARIS}")
    assert known is not None
    return known.submitted[0].query_at


# -- what comes up -----------------------------------------------------------------------------


async def test_a_segment_comes_up_once_it_has_been_away_for_so_long(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account), ["4711"])
    assert not await store.queries_due("alpha", NOW + HOUR_MS - 1)
    assert await due(store, NOW + HOUR_MS - 1) == []
    assert await store.queries_due("alpha", NOW + HOUR_MS)
    assert await due(store, NOW + HOUR_MS) == [Query(SegmentRef(number, 0, 1), "4711", "ESITO")]


async def test_what_was_handed_out_comes_up_again_if_no_answer_is_kept(store: Store) -> None:
    account = await asking(store)
    await submitted(store, message(account), ["4711"])
    first = await due(store, NOW + HOUR_MS)
    assert await due(store, NOW + HOUR_MS + ASK_AGAIN_MS - 1) == []
    assert await due(store, NOW + HOUR_MS + ASK_AGAIN_MS) == first


async def test_a_link_that_does_not_ask_has_nothing_come_up(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account), ["4711"])
    assert not await store.queries_due("alpha", NOW + 9 * DAY_MS)
    assert await due(store, NOW + 9 * DAY_MS) == []


async def test_what_has_its_last_word_or_no_id_does_not_come_up(store: Store) -> None:
    account = await asking(store)
    await submitted(store, message(account, [PARIS]), ["4711"])
    await submitted(store, message(account, [ROME]), [""])
    await store.accept(message(account, [ROME]))
    (lost,) = await store.claim("alpha", limit=9, at=NOW)
    await store.record_answers("alpha", [SubmitAnswer(ref=lost.ref, answer=SubmitOutcome.UNCERTAIN, at=NOW)])
    await store.apply_receipts([receipt("4711", "UNDELIV")])
    assert await due(store, NOW + HOUR_MS) == []
    assert not await store.queries_due("alpha", NOW + 9 * DAY_MS)


async def test_an_uncertain_segment_comes_up_once_a_receipt_has_brought_its_id(store: Store) -> None:
    account = await asking(store)
    number = await store.accept(message(account))
    (lost,) = await store.claim("alpha", limit=9, at=NOW)
    await store.record_answers("alpha", [SubmitAnswer(ref=lost.ref, answer=SubmitOutcome.UNCERTAIN, at=NOW)])
    await store.apply_receipts([receipt("77", "ENROUTE", addresses=(str(PARIS), "ESITO"))])
    assert await due(store, NOW + HOUR_MS) == [Query(SegmentRef(number, 0, 1), "77", "ESITO")]


async def test_a_claim_is_bounded_and_the_rest_comes_up_next(store: Store) -> None:
    account = await asking(store)
    numbers = [33600000000 + n for n in range(250)]
    await submitted(store, message(account, numbers), [str(5000 + n) for n in range(250)])
    await store.apply_receipts([receipt(str(5000 + n), "DELIVRD") for n in range(247)])
    found: list[Query] = []
    for _ in range(9):
        found += await due(store, NOW + HOUR_MS, limit=2)
    assert [one.smsc_message_id for one in found] == ["5247", "5248", "5249"]
    assert not await store.queries_due("alpha", NOW + HOUR_MS)


async def test_one_id_of_all_segments_is_asked_about_once(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account, segments=3), ["9", "9", "9"])
    (query,) = await due(store, NOW + HOUR_MS)
    await store.record_query_answers("alpha", [answer(query, S.DELIVERED)])
    assert await states_of(store, account, number) == [S.DELIVERED]
    assert await due(store, NOW + HOUR_MS + ASK_AGAIN_MS) == []
    await store.apply_receipts([receipt("9", "DELIVRD", at=NOW + 2 * HOUR_MS)])
    assert [verdict for verdict, _, _ in await trail(store, account, number)] == ["queried", "moved"]


# -- answers -----------------------------------------------------------------------------------


async def test_an_answer_moves_the_recipient_and_tells_its_sender(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account, url_dlr=URL), ["4711"])
    (query,) = await due(store, NOW + HOUR_MS)
    assert await store.record_query_answers("alpha", [answer(query, S.DELIVERED, done_at=NOW + 9_000)]) == 1
    assert await states_of(store, account, number) == [S.DELIVERED]
    assert await trail(store, account, number) == [("queried", S.DELIVERED, "")]
    assert (await store.counts()).callbacks_due == 1
    assert await next_at(store, account, number) is None
    known = await store.evidence_of(account.id, number, f"+{PARIS}")
    assert known is not None
    assert known.submitted[0].done_at == NOW + 9_000


async def test_enroute_keeps_waiting_and_the_distance_grows(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account), ["4711"])
    at = NOW + HOUR_MS
    asked = []
    while claimed := await due(store, at):
        asked.append((at - NOW) // MINUTE_MS)
        await store.record_query_answers("alpha", [answer(claimed[0], S.ENROUTE, at=at)])
        found = await next_at(store, account, number)
        if found is None:
            break
        at = found
    assert asked == [60, 120, 240, 480, 960, 1920, (VALIDITY_MS - LAST_BEFORE_MS) // MINUTE_MS]
    assert await states_of(store, account, number) == [S.ENROUTE]
    assert await store.expire(NOW + VALIDITY_MS) == 1
    assert await states_of(store, account, number) == [S.EXPIRED]


@pytest.mark.parametrize("state", [None, S.UNKNOWN, S.ACCEPTED])
async def test_an_answer_that_says_too_little_leaves_the_recipient_waiting(
    store: Store, state: MessageState | None
) -> None:
    account = await asking(store)
    number = await submitted(store, message(account), ["4711"])
    (query,) = await due(store, NOW + HOUR_MS)
    await store.record_query_answers("alpha", [answer(query, state)])
    assert (await states_of(store, account, number))[0] < S.UNKNOWN
    assert await next_at(store, account, number) == NOW + 2 * HOUR_MS


async def test_a_receipt_of_the_same_rung_takes_the_place_of_the_answer(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account, url_dlr=URL), ["4711"])
    (query,) = await due(store, NOW + HOUR_MS)
    await store.record_query_answers("alpha", [answer(query, S.DELIVERED, done_at=NOW + 9_000)])
    late = receipt("4711", "DELIVRD", at=NOW + 2 * HOUR_MS)._replace(done_at=NOW + 8_000)
    for _ in range(2):
        await store.apply_receipts([late])
    assert [verdict for verdict, _, _ in await trail(store, account, number)] == ["queried", "moved", "duplicate"]
    known = await store.evidence_of(account.id, number, f"+{PARIS}")
    assert known is not None
    assert (known.submitted[0].done_at, known.submitted[0].error) == (NOW + 8_000, "000")
    assert (await store.counts()).callbacks_due == 1


async def test_an_answer_after_its_receipt_changes_nothing(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account), ["4711"])
    (query,) = await due(store, NOW + HOUR_MS)
    await store.apply_receipts([receipt("4711", "DELIVRD", at=NOW + HOUR_MS)])
    assert await store.record_query_answers("alpha", [answer(query, S.UNDELIVERABLE)]) == 0
    assert await states_of(store, account, number) == [S.DELIVERED]
    assert await trail(store, account, number) == [("moved", S.DELIVERED, ""), ("queried", S.UNDELIVERABLE, "")]
    await store.apply_receipts([receipt("4711", "DELIVRD", at=NOW + 2 * HOUR_MS)])
    assert (await trail(store, account, number))[-1][0] == "duplicate"


async def test_an_answer_for_an_id_that_was_given_again_is_not_believed(store: Store) -> None:
    account = await asking(store)
    first = await submitted(store, message(account, [PARIS]), ["1"])
    (query,) = await due(store, NOW + HOUR_MS)
    await submitted(store, message(account, [ROME]), ["1"], at=NOW + HOUR_MS)
    await store.record_query_answers("alpha", [answer(query, S.DELIVERED)])
    assert await states_of(store, account, first) == [S.WAITING]
    assert await trail(store, account, first) == [("queried", None, "reused_id")]


async def test_an_answer_that_was_final_before_we_submitted_is_not_believed(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account), ["4711"])
    (query,) = await due(store, NOW + HOUR_MS)
    await store.record_query_answers("alpha", [answer(query, S.DELIVERED, done_at=NOW - DAY_MS)])
    assert await states_of(store, account, number) == [S.WAITING]
    assert await trail(store, account, number) == [("queried", None, "reused_id")]


async def test_what_could_not_be_asked_before_its_expiry_is_asked_once_after_it(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account, url_dlr=URL), ["4711"])
    at = NOW + VALIDITY_MS + HOUR_MS
    await store.expire(at)
    assert await states_of(store, account, number) == [S.EXPIRED]
    (query,) = await due(store, at)
    await store.record_query_answers("alpha", [answer(query, S.DELIVERED, at=at)])
    assert await states_of(store, account, number) == [S.DELIVERED]
    assert (await store.counts()).callbacks_due == 2
    assert await due(store, at + DAY_MS) == []


async def test_an_expiry_that_the_operator_reported_is_not_asked_about(store: Store) -> None:
    account = await asking(store)
    await submitted(store, message(account), ["4711"])
    await store.apply_receipts([receipt("4711", "EXPIRED")])
    assert await due(store, NOW + HOUR_MS) == []


async def test_nothing_is_asked_for_ever(store: Store) -> None:
    account = await asking(store)
    await submitted(store, message(account), ["4711"])
    assert len(await due(store, NOW + VALIDITY_MS + DAY_MS)) == 1
    assert await due(store, NOW + VALIDITY_MS + DAY_MS + ASK_AGAIN_MS) == []
    assert not await store.queries_due("alpha", NOW + 90 * DAY_MS)


async def test_an_operator_that_is_waited_for_longer_is_asked_for_longer(store: Store) -> None:
    account = await asking(store, wait_ms=72 * HOUR_MS)
    number = await submitted(store, message(account), ["4711"])
    at = NOW + 60 * HOUR_MS
    (query,) = await due(store, at)
    await store.record_query_answers("alpha", [answer(query, S.ENROUTE, at=at)])
    assert await next_at(store, account, number) == NOW + 72 * HOUR_MS - LAST_BEFORE_MS


async def test_it_is_explained_that_we_asked_when_and_when_we_ask_next(store: Store) -> None:
    account = await asking(store)
    number = await submitted(store, message(account), ["4711"])

    async def told() -> str:
        known = await store.evidence_of(account.id, number, f"+{PARIS}")
        assert known is not None
        return " ".join(explain(known, Vocabulary(ErrorTable(), {}), now=NOW).sentences)

    assert "Should no report come, we ask the operator at 2027-01-15 09:00:00 UTC." in await told()
    (query,) = await due(store, NOW + HOUR_MS)
    await store.record_query_answers("alpha", [answer(query, None)])
    assert "We asked once, last at 2027-01-15 09:00:00 UTC." in await told()
    assert "we ask the operator again at 2027-01-15 10:00:00 UTC." in await told()
    (query,) = await due(store, NOW + 2 * HOUR_MS)
    await store.record_query_answers("alpha", [answer(query, S.DELIVERED, at=NOW + 2 * HOUR_MS)])
    assert "did not report what became of it by itself, so we asked. It answered" in await told()
    assert "that was at 2027-01-15 10:00:00 UTC." in await told()
