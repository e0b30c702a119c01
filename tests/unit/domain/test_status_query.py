"""When an operator is asked, and what is believed of its answer."""

from hypothesis import given
from hypothesis import strategies as st

from esito.domain.choosing import Candidate
from esito.domain.receipt import SKEW_MS, DeliveryReceipt
from esito.domain.states import MessageState
from esito.domain.status_query import LAST_BEFORE_MS, Reluctance, believed, is_too_late, next_query
from esito.domain.timing import DAY_MS, HOUR_MS, MINUTE_MS, VALIDITY_MS
from tests.kit.builders import NOW

S = MessageState


def test_the_distance_doubles_and_the_last_question_comes_before_we_stop_waiting() -> None:
    at: int | None = NOW + HOUR_MS
    asked = []
    while at is not None:
        asked.append((at - NOW) / HOUR_MS)
        at = next_query(NOW, at, VALIDITY_MS)
    assert asked == [1, 2, 4, 8, 16, 32, 48 - LAST_BEFORE_MS / HOUR_MS]


@given(st.integers(-10, 72 * HOUR_MS), st.integers(HOUR_MS, 200 * HOUR_MS))
def test_every_question_is_later_than_the_one_before_until_the_last(away: int, wait: int) -> None:
    last = NOW + wait - LAST_BEFORE_MS
    at: int | None = NOW + away
    for _ in range(40):
        before = at
        at = next_query(NOW, at, wait) if at is not None else None
        if at is None:
            assert before is not None
            assert before >= last
            return
        assert before is not None
        assert before < at <= last
    raise AssertionError("it never ends")


def test_what_could_not_be_asked_in_time_is_asked_for_a_day_more() -> None:
    assert not is_too_late(NOW, NOW + VALIDITY_MS + DAY_MS, VALIDITY_MS)
    assert is_too_late(NOW, NOW + VALIDITY_MS + DAY_MS + 1, VALIDITY_MS)


# -- what is believed --------------------------------------------------------------------------


def owner(smsc_message_id: str = "4711", *, message_id: int = 1, submitted_at: int = NOW) -> Candidate:
    return Candidate(message_id, 0, 1, smsc_message_id, "33612345678", S.WAITING, submitted_at, S.WAITING, 0, (0,))


def answer(state: MessageState | None = S.DELIVERED, *, done_at: int | None = None, said: str = "") -> DeliveryReceipt:
    return DeliveryReceipt(link="alpha", smsc_message_id=said, state=state, done_at=done_at, received_at=NOW + HOUR_MS)


def verdict(said: DeliveryReceipt, *namesakes: Candidate, mine: Candidate | None = None) -> tuple[object, str]:
    mine = mine or owner()
    found = believed(said, mine, [mine, *namesakes])
    return found.state, found.flags


def test_an_answer_is_believed_that_nothing_contradicts() -> None:
    assert verdict(answer()) == (S.DELIVERED, "")
    assert verdict(answer(done_at=NOW - SKEW_MS, said="4711")) == (S.DELIVERED, "")


def test_an_answer_that_was_final_before_the_segment_left_is_about_another() -> None:
    assert verdict(answer(done_at=NOW - SKEW_MS - 1)) == (None, "reused_id")


def test_an_answer_is_about_the_newest_message_with_the_id() -> None:
    assert verdict(answer(), owner(message_id=2, submitted_at=NOW + MINUTE_MS)) == (None, "reused_id")
    assert verdict(answer(), owner(message_id=2, submitted_at=NOW - MINUTE_MS)) == (S.DELIVERED, "")


def test_an_answer_that_names_another_id_is_not_believed() -> None:
    assert verdict(answer(said="4712")) == (None, "other_id")
    assert verdict(answer(said="004711")) == (S.DELIVERED, "")
    assert verdict(answer(said="26431"), mine=owner("673F")) == (S.DELIVERED, "")


def test_unknown_is_no_answer_to_go_by() -> None:
    assert verdict(answer(S.UNKNOWN)) == (None, "undecided")


def test_a_date_to_come_is_not_used() -> None:
    said = answer(done_at=NOW + 2 * HOUR_MS)
    assert believed(said, owner(), [owner()]) == said._replace(done_at=None, flags="skewed_date")


# -- an operator that does not answer ----------------------------------------------------------


def test_the_pauses_double_up_to_an_hour() -> None:
    one, at, pauses = Reluctance(), NOW, []
    for _ in range(9):
        one.refused(at)
        pauses.append((one.until - at) // 1000)
        at = one.until
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_what_was_asked_before_a_pause_does_not_lengthen_it_and_an_answer_ends_it() -> None:
    one = Reluctance()
    one.refused(NOW)
    until = one.until
    one.refused(NOW + 1)
    assert one.until == until
    assert one.holds(until - 1)
    assert not one.holds(until)
    one.refused(until)
    one.answered()
    assert not one.holds(until)
    one.refused(until)
    assert one.until - until == Reluctance.SHORTEST_MS
