"""A clock that can be pushed, and waiting for one."""

import asyncio
import time

import pytest

from esito.clockwork import Alarm, Schedule, seconds_until, sleep_until
from esito.domain.timing import HOUR_MS, VALIDITY_MS, PushableClock, RealClock
from tests.kit.patience import A_MOMENT, PATIENCE, until


class Hand:
    """A base clock that a test sets."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at


def test_the_real_clock_tells_milliseconds_since_the_epoch() -> None:
    assert abs(RealClock().now() - time.time() * 1000) < 1000


def test_validity_is_48_hours() -> None:
    assert VALIDITY_MS == 48 * 60 * 60 * 1000


def test_a_pushable_clock_follows_its_base() -> None:
    base = Hand(1_000)
    clock = PushableClock(base)
    base.at = 1_250
    assert clock.now() == 1_250


def test_a_fast_clock_multiplies_what_passes_not_what_has_passed() -> None:
    base = Hand(1_000)
    clock = PushableClock(base, speed=60, offset_ms=5)
    assert clock.now() == 1_005
    base.at = 1_100
    assert clock.now() == 1_005 + 60 * 100


def test_a_push_adds_to_the_offset() -> None:
    clock = PushableClock(Hand(1_000), offset_ms=10)
    assert clock.advance(VALIDITY_MS) == 1_010 + VALIDITY_MS
    assert clock.offset_ms == 10 + VALIDITY_MS


def test_a_clock_is_never_pushed_back() -> None:
    clock = PushableClock(Hand(1_000))
    with pytest.raises(ValueError, match="never pushed back"):
        clock.advance(-1)
    assert clock.now() == 1_000


def test_a_clock_stands_still_while_the_machine_is_set_back() -> None:
    base = Hand(1_000)
    clock = PushableClock(base)
    clock.now()
    base.at = 400
    assert clock.now() == 1_000
    base.at = 1_001
    assert clock.now() == 1_001


def test_a_clock_has_no_negative_speed() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        PushableClock(speed=-1)


def test_listeners_hear_every_push_until_they_unsubscribe() -> None:
    clock = PushableClock(Hand(0))
    heard: list[int] = []
    unsubscribe = clock.on_push(lambda: heard.append(clock.now()))
    clock.advance(1)
    clock.advance(2)
    unsubscribe()
    unsubscribe()
    clock.advance(4)
    assert heard == [1, 3]


def test_real_seconds_depend_on_the_speed_of_the_clock() -> None:
    assert seconds_until(PushableClock(Hand(0), speed=60), HOUR_MS) == 60
    assert seconds_until(PushableClock(Hand(0), speed=0), 1) == float("inf")
    assert seconds_until(PushableClock(Hand(5), speed=0), 5) == 0
    assert seconds_until(Hand(0), 1_500) == 1.5


def test_sleepers_wake_by_themselves() -> None:
    async def scenario() -> int:
        clock = RealClock()
        instant = clock.now() + 30
        await asyncio.wait_for(sleep_until(clock, instant), PATIENCE)
        return clock.now() - instant

    assert asyncio.run(scenario()) >= 0


def test_sleepers_wake_when_the_clock_is_pushed_past_their_instant_and_not_before() -> None:
    async def scenario() -> None:
        clock = PushableClock(Hand(0), speed=0)
        sleeper = asyncio.create_task(sleep_until(clock, VALIDITY_MS))
        await asyncio.sleep(0)
        clock.advance(VALIDITY_MS - 1)
        await asyncio.sleep(0.02)
        assert not sleeper.done()
        clock.advance(1)
        await asyncio.wait_for(sleeper, PATIENCE)

    asyncio.run(scenario())


def test_a_clock_may_be_pushed_from_another_thread() -> None:
    async def scenario() -> None:
        clock = PushableClock(Hand(0), speed=0)
        sleeper = asyncio.create_task(sleep_until(clock, 10))
        await asyncio.sleep(0)
        await asyncio.to_thread(clock.advance, 10)
        await asyncio.wait_for(sleeper, PATIENCE)

    asyncio.run(scenario())


def test_a_sleeper_that_is_cancelled_lets_go_of_the_clock() -> None:
    async def scenario(clock: PushableClock) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sleep_until(clock, 10), A_MOMENT)

    clock = PushableClock(Hand(0), speed=0)
    asyncio.run(scenario(clock))
    assert clock.advance(10) == 10  # and nobody of a closed loop is called


def test_an_alarm_can_be_cancelled_and_set_again() -> None:
    async def scenario() -> list[int]:
        clock = PushableClock(Hand(0), speed=0)
        rung: list[int] = []
        alarm = Alarm(clock, lambda: rung.append(clock.now()))
        alarm.set(5)
        alarm.cancel()
        clock.advance(5)
        await asyncio.sleep(0.01)
        alarm.set(7)
        clock.advance(2)
        await until(lambda: rung)
        alarm.close()
        return rung

    assert asyncio.run(scenario()) == [7]


def test_a_schedule_hands_over_in_order_of_time_and_then_of_adding() -> None:
    async def scenario() -> list[list[str]]:
        clock = PushableClock(Hand(0), speed=0)
        handed: list[list[str]] = []
        schedule: Schedule[str] = Schedule(clock, handed.append)
        for instant, item in [(3, "c"), (1, "a"), (3, "d"), (2, "b"), (9, "e")]:
            schedule.add(instant, item)
        clock.advance(3)
        await until(lambda: len(schedule) == 1)
        clock.advance(6)
        await until(lambda: not len(schedule))
        schedule.close()
        return handed

    assert asyncio.run(scenario()) == [["a", "b", "c", "d"], ["e"]]


def test_a_schedule_hands_over_a_flood_in_portions() -> None:
    async def scenario() -> list[int]:
        clock = PushableClock(Hand(0), speed=0)
        sizes: list[int] = []
        schedule: Schedule[int] = Schedule(clock, lambda items: sizes.append(len(items)), at_most=100)
        for number in range(250):
            schedule.add(VALIDITY_MS, number)
        clock.advance(VALIDITY_MS)
        while sum(sizes) < 250:
            await asyncio.sleep(0.001)
        schedule.close()
        return sizes

    assert asyncio.run(asyncio.wait_for(scenario(), PATIENCE)) == [100, 100, 50]


def test_a_closed_schedule_hands_over_nothing() -> None:
    async def scenario() -> list[list[str]]:
        clock = PushableClock(Hand(0), speed=0)
        handed: list[list[str]] = []
        schedule: Schedule[str] = Schedule(clock, handed.append)
        schedule.add(1, "never")
        schedule.close()
        clock.advance(1)
        await asyncio.sleep(0.01)
        return handed

    assert asyncio.run(scenario()) == []
