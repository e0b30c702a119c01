"""Refusals of a segment are counted by kind: what another one did before uses up nothing."""

from hypothesis import given
from hypothesis import strategies as st

from esito.domain import retrying
from esito.domain.retrying import GENERIC_NACK, InARow, RetryTable


@given(st.lists(st.sampled_from("abc")))
def test_it_is_how_many_came_right_before(kinds: list[str]) -> None:
    counts = InARow()
    for place, kind in enumerate(kinds):
        before = kinds[:place][::-1]
        expected = next((number for number, one in enumerate(before) if one != kind), len(before))
        assert counts.refused("segment", kind) == expected


def test_segments_are_counted_apart_and_forgotten() -> None:
    counts = InARow()
    assert [counts.refused(one, 8) for one in ("a", "b", "a", "a")] == [0, 0, 1, 2]
    counts.forget("a")
    assert [counts.refused(one, 8) for one in ("a", "b")] == [0, 1]


def test_only_so_many_are_counted() -> None:
    counts = InARow()
    for segment in range(retrying.MOST_COUNTED + 1):
        counts.refused(segment, 8)
    assert counts.refused(0, 8) == 0
    assert counts.refused(retrying.MOST_COUNTED, 8) == 1


def test_a_passing_fault_after_long_throttling_is_tried_again_as_often_as_alone() -> None:
    counts, table = InARow(), RetryTable()
    for _ in range(100):
        counts.refused("segment", 0x58)
    for status, nack in ((3, True), (0x08, False), (0x04, False), (0x102, False)):
        rule = table.rule(status, nack=nack)
        assert rule is not None, GENERIC_NACK
        times = [rule.retry_at(0, counts.refused("segment", status)) for _ in range(rule.times + 1)]
        assert times[0] == round(rule.after * 1000)
        assert [one is None for one in times] == [False] * rule.times + [True]
