"""The parts of `make hostile`, and an attack of seconds on each store in which nothing may go wrong."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.hostile.calls import CALLS, Operation, Things
from benchmarks.hostile.report import ATTACKED, QUIET, Memory, Seen, broken, lines, slow
from benchmarks.hostile.run import Plan, hostile
from benchmarks.hostile.strangers import bodies
from esito.api.endpoints import ENDPOINTS
from esito.api.http.openapi import document
from esito.api.v2.clock_advance import ADVANCE
from tests.kit.place import prepare
from tests.kit.stores import KINDS, a_place

SHORT = Plan(
    messages=2_000, rounds=1, quiet=0, attacked=0, between=0, least=20, times=1, silent=70, others=10, receivers=8,
    at_once=16, bodies=1, pause=0.5, good_messages=2, good_recipients=10,
)  # fmt: skip


def test_every_documented_call_is_made() -> None:
    documented = document([one for one in ENDPOINTS if one is not ADVANCE], error_status=400)["paths"]
    assert set(CALLS) == {(method.upper(), path) for path, methods in documented.items() for method in methods}


@pytest.mark.parametrize("operation", CALLS, ids=" ".join)
def test_a_call_is_the_one_it_stands_for(operation: Operation) -> None:
    method, path = operation
    pattern = re.sub(r"\{\w+\}", "[^/{}]+", path)
    for _ in range(5):
        asked = CALLS[operation](Things("key", 1000, ["http://127.0.0.1:9/dlr"]))
        assert asked.method == method
        assert re.fullmatch(pattern, asked.path)


def test_a_megabyte_of_brackets_is_one() -> None:
    assert len(bodies()["nested JSON"]) > 1_000_000


def seen(**changes: object) -> Seen:
    """Return what is seen when all is well."""
    well = Seen(
        store="sqlite",
        milliseconds={QUIET: {"send": [10.0] * 100}, ATTACKED: {"send": [20.0] * 100}},
        sent=3,
        delivered=3,
        calls={"GET /v1/me": {"200": 5}},
        enquire_came=[0.1],
        enquire_answered=[0.01],
        memory=Memory(100, 120),
    )
    return replace(well, **changes)  # type: ignore[arg-type]  # each test names fields that are there


def test_nothing_is_wrong_when_all_is_well() -> None:
    assert broken(seen()) == slow(seen()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"books": ["4 credits are missing"]}, "the books: 4 credits are missing"),
        ({"ended": 70}, "the server ended with 70"),
        ({"failed": 2, "wrong": ["a send was answered 500"]}, "2 answers to the well-behaved account were not as they"),
        ({"delivered": 2}, "of 3 messages of the well-behaved account 2 were delivered"),
        ({"links_ended": 1}, "1 sessions of a link ended"),
        ({"calls": {"GET /v1/me": {}}}, "1 operations were never asked for, GET /v1/me among them"),
        ({"calls": {"GET /v1/me": {"500": 1}}}, "answered with a fault of the server, GET /v1/me among them"),
    ],
)
def test_what_is_broken_is_said(changes: dict[str, object], said: str) -> None:
    (sentence,) = broken(seen(**changes))
    assert said in sentence


def took(attacked: float, *, quiet: float = 10.0) -> Mapping[str, Mapping[str, list[float]]]:
    """Return times of sends."""
    return {QUIET: {"send": [quiet] * 100}, ATTACKED: {"send": [attacked] * 100}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"milliseconds": took(51)}, "the p99 of send is 51.0 ms, at most 50.0 are allowed"),
        ({"milliseconds": took(101, quiet=90)}, "the p99 of send is 101.0 ms, at most 100.0 are allowed"),
        ({"enquire_came": [0.5, 1.5]}, "1 enquire_link were late, by up to 1.5 s"),
        ({"enquire_answered": [1.1, 2.0]}, "2 answers to enquire_link were late, by up to 2.0 s"),
        ({"memory": Memory(100, 151)}, "memory grows by 51 MB, 50 are allowed"),
    ],
)
def test_what_is_slow_is_said(changes: dict[str, object], said: str) -> None:
    (sentence,) = slow(seen(**changes))
    assert sentence == said


def test_the_report_says_how_long_was_waited() -> None:
    told = "\n".join(lines(seen()))
    assert "send: quiet p50 10.0 ms, p99 10.0 ms (100); attacked p50 20.0 ms, p99 20.0 ms" in told
    assert "GET /v1/me: 5 x 200" in told


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_goes_wrong_in_an_attack_of_seconds(kind: str, tmp_path: Path) -> None:
    prepare(kind)

    async def attacked() -> Seen:
        async with a_place(kind, tmp_path) as url:
            return await hostile(SHORT, tmp_path, url)

    found = asyncio.run(attacked())
    assert broken(found) == []
    assert found.sent > 0
    assert {kind.rpartition(": ")[2] for kind in found.bodies} & {"400", "413", "415", "431"}
