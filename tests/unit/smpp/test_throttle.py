"""Our own limit, and what a throttling operator teaches us."""

import math
from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.smpp.throttle import SLOWEST, Throttle


def sent_in(pace: Throttle, seconds: float, *, start: float = 0.0, step: float = 0.01) -> int:
    """Send all that may leave, every hundredth of a second."""
    sent = 0
    for number in range(round(seconds / step)):
        now = start + number * step
        count = min(pace.allowance(now), 1000)
        pace.take(count, now)
        sent += count
    return sent


def steadily(pace: Throttle, per_second: int, seconds: int) -> None:
    """Send so many every second, evenly, from instant 0."""
    for number in range(seconds * 100):
        now = number / 100
        pace.take(min(pace.allowance(now), per_second // 100), now)


def test_without_a_limit_nothing_waits() -> None:
    pace = Throttle()
    assert pace.allowance(0) > 1000
    assert pace.next_at(5) == 5
    assert math.isinf(pace.rate)


@pytest.mark.parametrize("throughput", [1, 10, 100, 1000])
def test_a_limit_is_kept_but_for_a_tenth_of_a_second_of_burst(throughput: int) -> None:
    sent = sent_in(Throttle(throughput), 10)
    assert 10 * throughput * 0.95 <= sent <= 10 * throughput + max(1, throughput / 10)


def test_it_tells_when_the_next_may_leave() -> None:
    pace = Throttle(10)
    pace.take(pace.allowance(0), 0)
    assert pace.allowance(0) == 0
    assert pace.next_at(0) == pytest.approx(0.1)
    assert pace.allowance(0.1001) == 1


def test_throttling_halves_the_pace_once_a_second() -> None:
    pace = Throttle(100)
    pace.throttled(10.0)
    pace.throttled(10.5)
    assert pace.rate == pytest.approx(50, rel=0.1)
    pace.throttled(11.5)
    assert pace.rate < 30


def test_throttling_without_a_limit_halves_what_was_really_sent() -> None:
    pace = Throttle()
    for number in range(100):
        pace.allowance(number / 100)
        pace.take(10, number / 100)
    pace.throttled(0.99)
    assert pace.rate == pytest.approx(500, rel=0.1)


def test_what_left_in_the_second_before_counts_when_a_new_one_has_just_begun() -> None:
    pace = Throttle()
    steadily(pace, 1000, 3)
    pace.throttled(3.05)
    assert pace.rate == pytest.approx(500, rel=0.1)


def test_it_never_gets_slower_than_the_slowest() -> None:
    pace = Throttle(2)
    for second in range(0, 20, 2):
        pace.throttled(float(second))
    assert pace.rate >= SLOWEST


def test_a_limit_below_the_slowest_is_kept_in_a_storm() -> None:
    pace = Throttle(0.5)
    pace.throttled(1.0)
    assert pace.rate <= 0.5
    assert pace.next_at(1.0) >= 3.0


def test_after_a_storm_of_twelve_seconds_a_link_of_a_thousand_is_back_within_a_minute() -> None:
    pace = Throttle(1000)
    for tenth in range(120):
        pace.throttled(tenth / 10)
    assert pace.rate < 50
    curve = []
    for second in range(12, 72, 5):
        pace.allowance(float(second))
        curve.append(pace.rate)
    assert [later - earlier for earlier, later in pairwise(curve[:9])] == pytest.approx([100.0] * 8, rel=0.01)
    pace.allowance(71.9)
    assert pace.rate == 1000


STORMS = st.lists(st.floats(0.01, 30.0), min_size=1, max_size=60)
"""Seconds between one answer that throttles and the next."""


@given(throughput=st.floats(2, 10_000), pauses=STORMS)
def test_after_any_storm_the_pace_is_back_within_a_minute(throughput: float, pauses: list[float]) -> None:
    pace = Throttle(throughput)
    now = 0.0
    for pause in pauses:
        now += pause
        pace.throttled(now)
        assert SLOWEST <= pace.rate <= throughput
    pace.allowance(now + 60)
    assert pace.rate >= 0.9 * throughput


@given(per_second=st.integers(1, 20).map(lambda hundreds: hundreds * 100), pauses=STORMS)
def test_after_any_storm_a_link_without_a_limit_is_back_within_a_minute(per_second: int, pauses: list[float]) -> None:
    pace = Throttle()
    steadily(pace, per_second, 3)
    now = 3.0
    for pause in pauses:
        pace.throttled(now)
        now += pause
    pace.throttled(now)
    before = pace.rate
    pace.allowance(now + 20)
    assert pace.rate >= before
    pace.allowance(now + 60)
    assert pace.rate >= 0.9 * per_second


@given(throughput=st.floats(2, 10_000), pauses=STORMS, steps=st.lists(st.floats(0.01, 5.0), min_size=2, max_size=20))
def test_the_pace_only_rises_while_nothing_throttles_it(
    throughput: float, pauses: list[float], steps: list[float]
) -> None:
    pace = Throttle(throughput)
    now = 0.0
    for pause in pauses:
        now += pause
        pace.throttled(now)
    rate = pace.rate
    for step in steps:
        now += step
        pace.allowance(now)
        assert rate <= pace.rate <= throughput
        assert pace.rate - rate <= throughput / 50 * step * 1.01 + throughput * 1e-9
        rate = pace.rate


def test_a_pace_that_was_pushed_to_the_floor_counts_as_throttled_for_some_seconds() -> None:
    pace = Throttle(50.0)
    assert not pace.is_at_floor(0.0)
    for second in range(10):
        pace.throttled(float(second) * 2)
    assert pace.is_at_floor(19.0)
    assert pace.is_at_floor(22.0)
    assert not pace.is_at_floor(60.0)


@pytest.mark.parametrize("latency", [0.1, 0.9, 1.5, 2.5, 3.0])
@pytest.mark.parametrize("takes", [20, 100])
def test_an_operator_that_answers_late_gets_most_of_what_it_takes(takes: int, latency: float) -> None:
    """The link has no throughput of its own; how many were too many is heard only `latency` seconds later."""
    pace, bucket, taken = Throttle(), float(takes), 0
    answers: deque[tuple[float, bool]] = deque()
    step, length = 0.02, 400.0
    for now in (1000 + step * number for number in range(int(length / step))):
        bucket = min(takes, bucket + step * takes)
        refused = False
        while answers and answers[0][0] <= now:
            refused |= answers.popleft()[1]
        if refused:
            pace.throttled(now)
        leaving = min(5 * takes - len(answers), pace.allowance(now))
        pace.take(leaving, now)
        for _ in range(leaving):
            fits = bucket >= 1
            bucket -= fits
            taken += fits and now > 1000 + length / 2
            answers.append((now + latency, not fits))
    assert taken > 0.8 * takes * length / 2
