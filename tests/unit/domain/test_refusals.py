"""Refusals of a segment are counted by the line of the table: what another one did before uses up nothing."""

from hypothesis import given
from hypothesis import strategies as st

from esito.domain import retrying
from esito.domain.retrying import GENERIC_NACK, Refusals, RetryTable


@given(st.lists(st.sampled_from([0x08, 0x58, GENERIC_NACK])))
def test_it_is_how_many_by_the_same_line_came_before(lines: list[int | str]) -> None:
    counts = Refusals()
    for place, line in enumerate(lines):
        assert counts.before("segment", line) == lines[:place].count(line)


def test_segments_are_counted_apart_and_forgotten() -> None:
    counts = Refusals()
    assert [counts.before(one, 8) for one in ("a", "b", "a", "a")] == [0, 0, 1, 2]
    counts.forget("a")
    assert [counts.before(one, 8) for one in ("a", "b")] == [0, 1]


def test_only_so_many_are_counted() -> None:
    counts = Refusals()
    for segment in range(retrying.MOST_COUNTED + 1):
        counts.before(segment, 8)
    assert counts.before(0, 8) == 0
    assert counts.before(retrying.MOST_COUNTED, 8) == 1


def test_a_passing_fault_after_long_throttling_is_tried_again_as_often_as_alone() -> None:
    counts, table = Refusals(), RetryTable()
    for _ in range(100):
        counts.before("segment", 0x58)
    for status, nack in ((3, True), (0x08, False), (0x04, False), (0x102, False)):
        rule = table.rule(status, nack=nack)
        assert rule is not None
        times = [rule.retry_at(0, counts.before("segment", table.line(status))) for _ in range(rule.times + 1)]
        assert times[0] == round(rule.after * 1000)
        assert [one is None for one in times] == [False] * rule.times + [True]


@given(st.lists(st.sampled_from([0x08, 0x64, 3, 5, 0x4000]), min_size=60, max_size=60))
def test_refusals_that_take_turns_end_too(statuses: list[int]) -> None:
    """Twice twenty tries, and three for a generic_nack of whatever status: then one is the last word."""
    counts, table = Refusals(), RetryTable()
    rules = [table.rule(status, nack=True) for status in statuses]
    retries = [
        rule is not None and rule.retry_at(0, counts.before("segment", table.line(status))) is not None
        for rule, status in zip(rules, statuses, strict=True)
    ]
    assert retries.count(True) <= 20 + 20 + 3
