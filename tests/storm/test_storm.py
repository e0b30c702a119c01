"""The storm's own parts: what it plans, what it finds wrong, and a storm of seconds in which all must hold."""

import asyncio
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.storm import Weather, storm
from benchmarks.storm_plan import OPERATORS, PLAN, STORM, Gust, pressed, well_spells
from benchmarks.storm_report import LEAST, Offered, Pace, Told, faults, lines, paces, taken_of, waits
from esito.simulator.trouble import Trouble, TroubleKind

AWAY = Trouble(kind=TroubleKind.AWAY)


def test_the_plan_has_every_kind_of_trouble_and_leaves_a_half_of_the_operators_away_at_once() -> None:
    assert {one.trouble.kind for one in PLAN} == set(TroubleKind) - {TroubleKind.REFUSING}
    away = {one.operator for one in PLAN if one.trouble.kind is TroubleKind.AWAY and one.begins <= 250 < one.ends}
    assert len(away) == OPERATORS // 2


def test_every_operator_is_well_for_more_than_a_minute_at_the_end_of_ten() -> None:
    for operator in range(OPERATORS):
        *_, (since, until) = well_spells(PLAN, operator, STORM, 60)
        assert until == STORM
        assert until - since >= 60


@given(seconds=st.floats(1, 2000))
def test_a_shorter_storm_is_the_same_pressed_together(seconds: float) -> None:
    plan = pressed(PLAN, seconds)
    assert len(plan) == len(PLAN)
    assert all(one.begins <= other.begins for one, other in pairwise(plan))
    assert max(one.ends for one in plan) <= min(seconds, STORM)


@given(
    gusts=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 20)), max_size=6),
    until=st.integers(0, 120),
    well_for=st.integers(0, 30),
)
def test_an_operator_is_well_exactly_where_nothing_went_wrong_for_long_enough(
    gusts: list[tuple[int, int]], until: int, well_for: int
) -> None:
    plan = [Gust(begins, lasts, 0, AWAY) for begins, lasts in gusts] + [Gust(0, 200, 1, AWAY)]
    spells = list(well_spells(plan, 0, until, well_for))
    for moment in range(until):
        middle = moment + 0.5
        recently = [one for one in plan if one.operator == 0 and one.begins < middle and one.ends > middle - well_for]
        well = middle >= well_for and not recently
        within = any(begins < middle < min(ends, until) for begins, ends in spells)
        assert within == well


def _told(**changes: object) -> Told:
    """Return what is known when all is well: a number of each account, taken and delivered."""
    told = Told(
        offered={"1": Offered("campaigns", 0, 0.0), "2": Offered("logins", 0, 1.0)},
        taken={"1": [0.5], "2": [3.0]},
        delivered=frozenset({"1"}),
        states={"1": "DELIVERED", "2": "WAITING"},
    )
    return replace(told, **changes)  # type: ignore[arg-type]  # each test names fields that are there


def test_nothing_is_wrong_when_all_is_well() -> None:
    assert faults(_told(), [Pace(0, 0.0, LEAST)]) == []
    assert waits(_told()) == {"campaigns": [0.5], "logins": [2.0]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"books": ["4 credits are missing"]}, "the books: 4 credits are missing"),
        ({"taken": {"1": [0.5, 9.0], "2": [3.0]}}, "1 messages were taken twice, 1 among them"),
        ({"taken": {"1": [0.5]}}, "1 messages never came to an operator, 2 among them"),
        ({"taken": {"1": [0.5], "2": [3.0], "3": [4.0]}}, "came to an operator and to nobody's account, 3 among them"),
        ({"states": {"1": "WAITING"}}, "1 receipts of DELIVRD are acknowledged and lost, that of 1 among them"),
    ],
)
def test_what_does_not_hold_is_said(changes: dict[str, object], said: str) -> None:
    (sentence,) = faults(_told(**changes), [])
    assert said in sentence


def test_a_message_whose_answer_was_lost_need_not_have_come() -> None:
    assert faults(_told(taken={"1": [0.5]}, uncertain=frozenset({"2"})), []) == []


def test_a_slow_link_is_named_with_its_worst_window() -> None:
    (sentence,) = faults(_told(), [Pace(0, 60.0, 0.79), Pace(2, 90.0, 0.1), Pace(1, 70.0, 0.9)])
    assert sentence.startswith("2 times a link was below 80% of what its operator would take: link 2 at 90 s did 10%")


def test_a_pace_is_taken_only_where_work_was_waiting() -> None:
    offered = {f"{place}": Offered("campaigns", 0, 0.0) for place in range(40)}
    taken = {f"{place}": [20 + place / 2] for place in range(40)}  # two a second from 20 s to 40 s
    told = _told(offered=offered, taken=taken)
    # Of the last window's work less is waiting than fits into one.
    assert list(paces(told, [(0, 20.1, 60.0)], 2, window=5.0)) == [
        Pace(0, 20.1, 1.0),
        Pace(0, 25.1, 1.0),
    ]
    assert list(paces(told, [(0, 0.0, 20.0)], 2, window=10.0)) == [Pace(0, 0.0, 0.0), Pace(0, 10.0, 0.05)]
    assert list(paces(told, [(1, 0.0, 60.0)], 2)) == []


def test_what_is_uncertain_is_no_work_that_waits() -> None:
    offered = {f"{place}": Offered("campaigns", 0, 0.0) for place in range(40)}
    told = _told(offered=offered, taken={}, uncertain=frozenset(offered))
    assert list(paces(told, [(0, 0.0, 60.0)], 1)) == []


def test_an_operators_log_tells_when_each_number_was_taken_and_who_is_delivered(tmp_path: Path) -> None:
    log = tmp_path / "smsc.log"
    events: list[dict[str, object]] = [
        {"event": "submit_sm", "to": "+331", "status": 0x58, "at": 1000},
        {"event": "submit_sm", "to": "331", "status": 0, "at": 2500},
        {"event": "receipt_sent", "to": "331", "stat": "DELIVRD", "at": 3000},
        {"event": "submit_sm", "to": "332", "status": 0, "at": 3000},
        {"event": "receipt_acknowledged", "to": "332", "stat": "UNDELIV", "at": 3000},
        {"event": "receipt_acknowledged", "to": "331", "stat": "DELIVRD", "at": 3000},
    ]
    log.write_text("\n".join(json.dumps(event) for event in events))
    assert taken_of(log, 1000) == ({"331": [1.5], "332": [2.0]}, {"331"})


@pytest.mark.slow
def test_all_holds_in_a_storm_of_seconds(tmp_path: Path) -> None:
    weather = Weather(seconds=6, per_second=20, drain=60, response_timeout=2)
    report, wrong = asyncio.run(storm(weather, tmp_path))
    assert wrong == []
    firsts = [line.split(":")[0] for line in report]
    assert firsts[:6] == ["account campaigns", "account logins", "link 0", "link 1", "link 2", "link 3"]
    assert "DELIVERED" in report[6]


def test_the_report_says_where_nothing_could_be_judged() -> None:
    said = list(lines(_told(), []))
    assert "link 0: no window with work waiting while its operator was well for long enough" in said
    assert any(line.startswith("account logins: 1 messages waited p50 2.00 s") for line in said)
