"""Longest prefix, then the lowest priority among usable links; weights share equals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.routing import Route, Serving, Share, Wheel, shares_by_prefix, takers

A, B, C = "alpha", "beta", "gamma"


@pytest.mark.parametrize("name", ["alpha", "alpha>beta", "alpha>beta,gamma"])
def test_a_route_is_read_as_it_is_named(name: str) -> None:
    assert Route.named(name).name == name


def test_links_of_the_best_priority_share_a_prefix_and_all_may_take_its_place() -> None:
    links = [
        Serving(A, ("+33", "+32"), 3),
        Serving(B, ("+33",), 1),
        Serving(C, ("+33", "+33"), priority=2),
        Serving("rest"),
    ]
    assert shares_by_prefix(links) == {
        "+33": (Share(Route(A, (B, C)), 3), Share(Route(B, (A, C)), 1)),
        "+32": (Share(Route(A), 3),),
        "": (Share(Route("rest"), 1),),
    }


@pytest.mark.parametrize(
    ("passed_over", "expected"),
    [
        (set(), {A}),
        ({B, C, "delta"}, {A}),
        ({A}, {B, C}),
        ({A, B}, {C}),
        ({A, B, C}, {"delta"}),
        ({A, B, C, "delta"}, {A}),
    ],
)
def test_the_best_usable_links_take_what_the_own_one_cannot(passed_over: set[str], expected: set[str]) -> None:
    route = Route(A, (B, "delta", C))
    priorities = {A: 1, B: 1, C: 1, "delta": 2}
    assert takers(route, priorities, frozenset(passed_over)) == expected


def test_a_link_that_is_no_more_is_replaced_by_those_that_are() -> None:
    assert takers(Route("gone", (A, B)), {A: 2, B: 5}, frozenset()) == {A}
    assert takers(Route("gone", ("too",)), {A: 1}, frozenset()) == {"gone"}


@given(
    weights=st.lists(st.integers(1, 20), min_size=1, max_size=6),
    counts=st.lists(st.integers(1, 500), min_size=1, max_size=40),
)
def test_a_wheel_deals_everything_out_and_is_never_far_from_the_weights(weights: list[int], counts: list[int]) -> None:
    wheel = Wheel(weights)
    dealt = [0] * len(weights)
    for count in counts:
        got = wheel.split(count)
        assert sum(got) == count
        assert min(got) >= 0
        dealt = [before + more for before, more in zip(dealt, got, strict=True)]
        for one, weight in zip(dealt, weights, strict=True):
            assert abs(one - sum(dealt) * weight / sum(weights)) < len(weights)


@given(st.sets(st.sampled_from([A, B, C])), st.dictionaries(st.sampled_from([A, B, C]), st.integers(1, 3)))
def test_somebody_may_always_take_it_and_nobody_passed_over_while_another_is_not(
    passed_over: set[str], priorities: dict[str, int]
) -> None:
    found = takers(Route(A, (B, C)), priorities, frozenset(passed_over))
    assert found
    if priorities.keys() - passed_over:
        assert not found & passed_over
        assert found <= priorities.keys()
