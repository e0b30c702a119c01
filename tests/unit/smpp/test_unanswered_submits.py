from esito.smpp.session import UnansweredSubmits

WINDOW = 10


def tries_one(submits: UnansweredSubmits) -> bool:
    return submits.one_at_a_time


def test_one_that_is_overdue_has_others_tried_one_at_a_time() -> None:
    submits = UnansweredSubmits()
    assert not tries_one(submits)
    assert not submits.overdue(1.0, 1.0, 1, window=WINDOW, now=60.0)
    assert tries_one(submits)
    submits.answered(61.0)
    assert not tries_one(submits)


def test_what_was_away_with_the_first_is_no_second_try() -> None:
    submits = UnansweredSubmits()
    assert not submits.overdue(1.0, 1.0, 1, window=WINDOW, now=60.0)
    assert not submits.overdue(1.2, 1.3, 3, window=WINDOW, now=60.3)
    assert submits.overdue(61.0, 61.0, 1, window=WINDOW, now=121.0)


def test_a_whole_window_that_is_overdue_ends_the_session_however_it_came() -> None:
    submits = UnansweredSubmits()
    assert not submits.overdue(1.0, 1.0, WINDOW - 1, window=WINDOW, now=60.0)
    assert submits.overdue(1.1, 1.1, 1, window=WINDOW, now=60.1)


def test_an_answer_since_then_leaves_the_session_alone() -> None:
    submits = UnansweredSubmits()
    submits.answered(30.0)
    assert not submits.overdue(1.0, 29.0, WINDOW, window=WINDOW, now=60.0)
    assert not tries_one(submits)


def test_after_a_session_that_was_given_up_one_is_enough() -> None:
    submits = UnansweredSubmits(suspect=True)
    assert tries_one(submits)
    assert submits.overdue(1.0, 1.0, 1, window=WINDOW, now=60.0)
