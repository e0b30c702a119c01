"""What a callback says, and when it is tried again."""

import json
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.callback import Callback, CallbackKind, asked_pause, is_success, next_try, webhook_id
from esito.domain.slots import CallbackTarget
from esito.domain.states import MessageState
from esito.domain.timing import HOUR_MS

PLACE = CallbackTarget(sandbox=False, account=1, address="example.org", destination=1)
NOON = 1_800_000_000_000
SECONDS = [5 * 2**place for place in range(12)] + [4 * 3600] * 16


def callback(state: MessageState = MessageState.DELIVERED, **more: object) -> Callback:
    given_ = {
        "id": 815, "message_id": 4712, "seq": 3, "kind": CallbackKind.REPORT, "state": state, "at": 1_600_000_010_999,
        "attempts": 0, "tries": 0, "first_at": None, "place": PLACE, "url": "https://example.org/", "body": None,
        "tag": "order77", "msisdn": "+33611111111", "cost": 45_000, "secret": "", "sequence": 1,
    }  # fmt: skip
    return Callback(**(given_ | more))  # type: ignore[arg-type]  # of a test


def test_a_delivery_report_has_the_bytes_of_the_contract() -> None:
    assert callback().content("EUR").decode() == (
        '{"status": "delivered", "msgId": "4712", "date": 1600000010, "phone": "+33611111111", "cost": "0.045", '
        '"currency": "EUR", "tag": "order77"}'
    )


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (MessageState.DELIVERED, "delivered"),
        (MessageState.UNDELIVERABLE, "not delivered"),
        (MessageState.EXPIRED, "not delivered"),
        (MessageState.ACCEPTED, "waiting"),
        (MessageState.KO, "ko"),
    ],
)
def test_a_status_is_told_in_lower_case(state: MessageState, word: str) -> None:
    assert json.loads(callback(state).content("EUR"))["status"] == word


@pytest.mark.parametrize(("micros", "shown"), [(0, "0"), (45_000, "0.045"), (90_000, "0.09"), (3_000_000, "3")])
def test_a_cost_is_a_string(micros: int, shown: str) -> None:
    assert json.loads(callback(cost=micros).content("EUR"))["cost"] == shown


def test_without_a_tag_there_is_no_such_key() -> None:
    assert "tag" not in json.loads(callback(tag=None).content("EUR"))


def test_a_reply_is_posted_as_it_was_written() -> None:
    assert callback(kind=CallbackKind.REPLY, body='{"text":"ouï"}').content("EUR") == '{"text":"ouï"}'.encode()


def test_a_webhook_id_names_message_recipient_and_rung_and_holds_no_dot() -> None:
    assert callback().webhook_id == "msg_4712_3_8"
    assert callback(MessageState.KO).webhook_id == "msg_4712_3_ko"
    assert webhook_id(CallbackKind.REPLY, 4712, 3, 0, 815) == "msg_4712_3_reply815"


@pytest.mark.parametrize(("status", "good"), [(None, False), (199, False), (200, True), (299, True), (302, False)])
def test_any_2xx_is_a_success_and_nothing_else(status: int | None, *, good: bool) -> None:
    assert is_success(status) is good


def tried(chance: float) -> list[int]:
    """Return the instants of all attempts, from the first, when each fails at once."""
    instants, next_at = [0], next_try(tries=1, first_at=0, now=0, chance=lambda: chance)
    while next_at is not None:
        instants.append(next_at)
        next_at = next_try(tries=len(instants), first_at=0, now=next_at, chance=lambda: chance)
    return instants


def test_the_pauses_double_from_five_seconds_to_four_hours() -> None:
    assert tried(0.5) == [0, *accumulate(second * 1000 for second in SECONDS)]
    assert len(tried(0.5)) == 29


@given(st.floats(0, 1))
def test_however_the_dice_fall_the_last_attempt_is_within_72_hours(chance: float) -> None:
    instants = tried(chance)
    assert instants[-1] <= 72 * HOUR_MS
    assert len(instants) <= 29
    pauses = [later - earlier for earlier, later in pairwise(instants)]
    for pause, second in zip(pauses[:-1], SECONDS, strict=False):
        assert 800 * second - 1 <= pause <= 1200 * second


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("14401", 4 * 3600),
        ("9" * 5000, 4 * 3600),
        ("Sun, 06 Nov 1994 08:51:37 GMT", 120),
        ("Sunday, 06-Nov-94 08:51:37 GMT", 120),
        ("Sun Nov  6 08:51:37 1994", 120),
        ("Sun, 06 Nov 1994 08:49:36 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 4 * 3600),
        ("", 0),
        ("-5", 0),
        ("1.5", 0),
        ("\u0661\u0662", 0),
        ("soon", 0),
        ("Sun, 99 Nov 1994 08:51:37 GMT", 0),
    ],
)
def test_a_receiver_asks_for_a_pause_in_seconds_or_until_a_date(text: str, seconds: int) -> None:
    assert asked_pause(text, 784_111_777_000) == seconds * 1000


@given(st.text(max_size=100) | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [+-]?\w*"))
def test_whatever_is_asked_for_is_no_more_than_four_hours(text: str) -> None:
    assert 0 <= asked_pause(text, NOON) <= 4 * HOUR_MS


@given(st.floats(0, 1), st.integers(0, 4 * HOUR_MS), st.integers(1, 28), st.integers(0, 72 * HOUR_MS - 1))
def test_a_pause_that_was_asked_for_is_cut_at_the_end_alone(chance: float, asked: int, tries: int, now: int) -> None:
    usual = next_try(tries=tries, first_at=0, now=now, chance=lambda: chance)
    found = next_try(tries=tries, first_at=0, now=now, chance=lambda: chance, asked=asked)
    assert usual is not None
    assert found is not None
    assert usual <= found <= 72 * HOUR_MS
    assert found == 72 * HOUR_MS or found >= now + asked
    assert found <= max(usual, now + asked * 1.2)
