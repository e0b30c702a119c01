"""Our own limit, and what a throttling operator teaches us."""

import math

import pytest

from esito.smpp.pace import SLOWEST, Pace


def sent_in(pace: Pace, seconds: float, *, start: float = 0.0, step: float = 0.01) -> int:
    """Send all that may leave, every hundredth of a second."""
    sent = 0
    for number in range(round(seconds / step)):
        now = start + number * step
        count = min(pace.allowance(now), 1000)
        pace.take(count, now)
        sent += count
    return sent


def test_without_a_limit_nothing_waits() -> None:
    pace = Pace()
    assert pace.allowance(0) > 1000
    assert pace.next_at(5) == 5
    assert math.isinf(pace.rate)


@pytest.mark.parametrize("throughput", [1, 10, 100, 1000])
def test_a_limit_is_kept_but_for_a_tenth_of_a_second_of_burst(throughput: int) -> None:
    sent = sent_in(Pace(throughput), 10)
    assert 10 * throughput * 0.95 <= sent <= 10 * throughput + max(1, throughput / 10)


def test_it_tells_when_the_next_may_leave() -> None:
    pace = Pace(10)
    pace.take(pace.allowance(0), 0)
    assert pace.allowance(0) == 0
    assert pace.next_at(0) == pytest.approx(0.1)
    assert pace.allowance(0.1001) == 1


def test_throttling_halves_the_pace_once_a_second() -> None:
    pace = Pace(100)
    pace.throttled(10.0)
    pace.throttled(10.5)
    assert pace.rate == pytest.approx(50, rel=0.1)
    pace.throttled(11.5)
    assert pace.rate < 30


def test_throttling_without_a_limit_halves_what_was_really_sent() -> None:
    pace = Pace()
    for number in range(100):
        pace.allowance(number / 100)
        pace.take(10, number / 100)
    pace.throttled(0.99)
    assert pace.rate == pytest.approx(500, rel=0.1)


def test_it_never_gets_slower_than_the_slowest() -> None:
    pace = Pace(2)
    for second in range(0, 20, 2):
        pace.throttled(float(second))
    assert pace.rate >= SLOWEST


@pytest.mark.parametrize("throughput", [0, 100])
def test_the_pace_recovers(throughput: int) -> None:
    pace = Pace(throughput)
    pace.take(50, 0.0)
    pace.throttled(0.5)
    slowed = pace.rate
    pace.allowance(5)
    assert pace.rate > slowed
    pace.allowance(120)
    assert pace.rate == (throughput or math.inf)
