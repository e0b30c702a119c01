"""Whose segment leaves next."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.message import Range
from esito.domain.turns import (
    LOW_COST_TURNS,
    SCHEDULED,
    SMALL,
    Halves,
    RouteLane,
    Turns,
    WaitingAccount,
    account_of,
    by_account,
    lane_of,
    smalls_and_larges,
    turns_of,
)


def lane(account: int, *, priority: int = 0, gamme: int = 1, recipients: int = 1) -> int:
    return lane_of(account, priority=priority, gamme=gamme, recipients=recipients)


def waiting(weights: dict[int, int], gammes: dict[int, int] | None = None) -> dict[int, WaitingAccount]:
    gammes = gammes or {}
    return by_account((RouteLane(lane(one, gamme=gammes.get(one, 1)), 1), weight) for one, weight in weights.items())


def serve(turns: Turns, accounts: dict[int, WaitingAccount], slots: int, *, most: int = 16) -> Counter[int]:
    """Let everybody who is given slots use them all."""
    got: Counter[int] = Counter()
    for account, share in turns.shares(accounts, slots, most=most):
        one = accounts[account]
        turns.take(account, one.weight, share * turns_of(one.places[0].lane))
        got[account] += share
    return got


def test_lanes_count_up_by_what_goes_first() -> None:
    order = [
        lane(9, priority=3, gamme=2, recipients=500),
        lane(1, priority=2),
        lane(1, priority=2, recipients=SMALL + 1),
        lane(1),
        lane(2, recipients=SMALL),
        lane(1, recipients=SMALL + 1),
        lane(1, gamme=2),
    ]
    assert sorted(order) == order
    assert [account_of(one) for one in order] == [9, 1, 1, 1, 2, 1, 1]
    assert all(one > SCHEDULED for one in order)
    assert [turns_of(one) for one in order] == [LOW_COST_TURNS, 1, 1, 1, 1, 1, LOW_COST_TURNS]
    assert turns_of(lane(1, gamme=Range.LOW_COST)) == LOW_COST_TURNS


@pytest.mark.parametrize(("weights", "shares"), [({1: 1, 2: 1}, {1: 50, 2: 50}), ({1: 3, 2: 1}, {1: 75, 2: 25})])
def test_accounts_share_by_weight(weights: dict[int, int], shares: dict[int, int]) -> None:
    assert serve(Turns(), waiting(weights), 100) == shares


def test_low_cost_comes_after_premium_and_all_the_same_comes() -> None:
    got = serve(Turns(), waiting({1: 1, 2: 1}, {1: 2}), 90)
    assert got == {1: 10, 2: 80}


def test_one_alone_gets_everything() -> None:
    assert Turns().shares(waiting({7: 1}), 30, most=16) == [(7, 30)]


def test_who_comes_new_is_next_whatever_the_others_have_had() -> None:
    turns = Turns()
    for _ in range(1000):
        serve(turns, waiting({1: 1}), 100)
    first = turns.shares(waiting({1: 1, 2: 1}), 1, most=16)
    assert first == [(2, 1)]


def test_silence_is_not_paid_for() -> None:
    turns = Turns()
    serve(turns, waiting({1: 1, 2: 1}), 2)
    for _ in range(100):
        serve(turns, waiting({1: 1}), 10)
    assert serve(turns, waiting({1: 1, 2: 1}), 40)[2] <= 25


@given(
    weights=st.dictionaries(st.integers(1, 60), st.integers(1, 5), min_size=2, max_size=40),
    absent=st.lists(st.sets(st.integers(1, 60)), min_size=1, max_size=40),
    slots=st.integers(1, 30),
    most=st.integers(1, 16),
)
def test_nobody_with_work_waits_longer_than_all_others_take(
    weights: dict[int, int], absent: list[set[int]], slots: int, most: int
) -> None:
    """Others come and go: between two segments of an account, none of the others gets more than two rounds."""
    turns = Turns()
    steady = min(weights)
    waited = 0
    most_waited = 0
    for away in absent * 5:
        present = {one: weight for one, weight in weights.items() if one == steady or one not in away}
        got = serve(turns, waiting(present), slots, most=most)
        waited = 0 if got[steady] else waited + sum(got.values())
        most_waited = max(most_waited, waited)
    assert most_waited <= 2 * sum(weights.values()) + slots


@given(st.lists(st.integers(1, 40), min_size=1, max_size=50))
def test_of_two_kinds_neither_is_left_waiting(slots: list[int]) -> None:
    halves = Halves()
    second = [halves.second(one) for one in slots]
    assert all(0 <= kept < one or one == 1 for kept, one in zip(second, slots, strict=True))
    singles = [kept for kept, one in zip(second, slots, strict=True) if one == 1]
    assert all(first != then for first, then in pairwise(singles))


def test_small_and_large_of_one_class_stand_side_by_side() -> None:
    small, large, cheap = RouteLane(lane(1), 1), RouteLane(lane(1, recipients=99), 1), RouteLane(lane(1, gamme=2), 2)
    assert smalls_and_larges(sorted([cheap, large, small])) == [([small], [large]), ([cheap], [])]


def test_those_who_have_long_gone_are_forgotten() -> None:
    turns = Turns()
    for account in range(1, 10_000):
        serve(turns, waiting({account: 1}), 1)
    serve(turns, waiting({10_000: 1, 10_001: 1}), 50)
    assert len(turns._reached) < 5_000
