"""In which order writes come to a transaction: together where they may, and who is patient lets others have a turn."""

import asyncio
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from esito.store.write_queue import LONGEST_REST, MAX_JOBS, REST, Job, WriteQueue, WriteRequest


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


NOBODY = cast("asyncio.Future[Any]", None)
"""Who waits for the end of these jobs."""


def job(name: Any, *, alone: bool = False, patient: bool = False) -> Job:
    return WriteRequest(lambda _, requests: requests, name, NOBODY, alone=alone, patient=patient)


def names(batch: list[Job] | None) -> list[Any]:
    return [] if batch is None else [one.request for one in batch if isinstance(one, WriteRequest)]


def test_what_waits_comes_together_and_what_is_patient_by_itself() -> None:
    waiting = WriteQueue(Clock())
    for name in "abc":
        waiting.put(job(name))
    for name in "xy":
        waiting.put(job(name, patient=True))
    assert len(waiting) == 5
    assert [names(waiting.next()) for _ in range(3)] == [["x"], ["y"], ["a", "b", "c"]]
    assert len(waiting) == 0


def test_what_must_be_alone_keeps_its_neighbours_from_nothing() -> None:
    waiting = WriteQueue(Clock())
    for name, alone in (("a", False), ("b", False), ("c", True), ("d", True), ("e", False)):
        waiting.put(job(name, alone=alone))
    assert [names(waiting.next()) for _ in range(3)] == [["a", "b"], ["c", "d"], ["e"]]


def test_others_have_their_time_after_it() -> None:
    waiting = WriteQueue(clock := Clock())
    waiting.put(job("x", patient=True))
    waiting.put(job("y", patient=True))
    first = waiting.next()
    assert names(first) == ["x"]
    waiting.put(job("a"))
    clock.now += 0.02
    waiting.ended(first or [], 0.02 / REST)
    assert names(waiting.next()) == ["a"]
    waiting.put(job("b"))
    clock.now += 0.015
    assert names(waiting.next()) == ["b"]
    waiting.put(job("c"))
    clock.now += 0.006
    assert names(waiting.next()) == ["y"], "however much there is for others, it has its turn"
    assert names(waiting.next()) == ["c"]


def test_a_long_one_keeps_the_next_no_longer_than_a_moment() -> None:
    waiting = WriteQueue(clock := Clock())
    waiting.put(job("x", patient=True))
    first = waiting.next()
    waiting.put(job("a"))
    waiting.put(job("y", patient=True))
    waiting.ended(first or [], 60.0)
    assert names(waiting.next()) == ["a"]
    waiting.put(job("b"))
    clock.now += LONGEST_REST
    assert names(waiting.next()) == ["y"]


def test_nobody_rests_while_there_is_nobody_else() -> None:
    waiting = WriteQueue(Clock())
    for name in range(10):
        waiting.put(job(name, patient=True))
    for name in range(10):
        batch = waiting.next()
        assert names(batch) == [name]
        waiting.ended(batch or [], 1.0)


def test_whoever_rests_goes_on_when_nobody_else_comes() -> None:
    waiting = WriteQueue()
    waiting.put(job("x", patient=True))
    batch = waiting.next()
    waiting.put(job("a"))
    waiting.put(job("y", patient=True))
    waiting.ended(batch or [], 0.01)
    assert names(waiting.next()) == ["a"]
    assert names(waiting.next()) == ["y"]


KINDS = st.sampled_from(["usual", "alone", "patient"])


@given(st.lists(st.tuples(KINDS, st.floats(0, 0.3)), max_size=40), st.data())
def test_everything_comes_once_and_in_its_order(jobs: list[tuple[str, float]], data: st.DataObject) -> None:
    waiting = WriteQueue(clock := Clock())
    come: list[Job] = []
    left = [
        job((kind, number), alone=kind == "alone", patient=kind == "patient") for number, (kind, _) in enumerate(jobs)
    ]
    given_out = list(left)
    while left:
        for _ in range(data.draw(st.integers(1, len(left)))):
            waiting.put(left.pop(0))
        if not left:
            waiting.put(None)
        elif not data.draw(st.booleans()):
            continue
        while len(waiting):
            batch = waiting.next()
            if batch is None:
                break
            assert len(batch) == 1 or not batch[0].patient
            assert len({one.alone for one in batch}) == 1
            assert len(batch) <= MAX_JOBS
            took = jobs[len(come)][1]
            clock.now += took
            waiting.ended(batch, took)
            clock.now += data.draw(st.sampled_from([0.0, 0.3]))
            come += batch
            if left:
                break
    for patient in (False, True):
        assert [one for one in come if one.patient is patient] == [one for one in given_out if one.patient is patient]


def test_the_end_comes_after_all_that_waits() -> None:
    waiting = WriteQueue(Clock())
    waiting.put(job("x", patient=True))
    first = waiting.next()
    waiting.put(job("a"))
    waiting.put(job("y", patient=True))
    waiting.put(None)
    waiting.ended(first or [], 60.0)
    assert sorted(names(waiting.next()) + names(waiting.next())) == ["a", "y"]
    assert waiting.next() is None
