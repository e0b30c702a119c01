"""Pushing the clock ahead."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.domain.timing import DAY_MS, RealClock
from tests.kit.builders import NOW
from tests.kit.desk import ADMIN_KEY, Desk, desk

BEARER = [("Authorization", f"Bearer {ADMIN_KEY}")]


@pytest.fixture
def pushable(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "pushable", pushable=True) as api:
        yield api


@pytest.mark.parametrize(
    ("body", "milliseconds"),
    [('{"hours": 48}', 2 * DAY_MS), ('{"seconds": "90"}', 90_000), ('{"hours": 1, "seconds": 0.5}', 3_600_500),
     ("seconds=1", 1000), ('{"seconds": 0}', 0)],
)  # fmt: skip
def test_the_clock_is_pushed(pushable: Desk, body: str, milliseconds: int) -> None:
    reply = pushable.ask("POST", "/v2/clock/advance", body=body.encode(), headers=BEARER)
    assert reply.json == {"success": True, "code": 200, "now": NOW + milliseconds}
    assert pushable.clock.now() == NOW + milliseconds


def test_a_push_is_kept_before_it_is_told(pushable: Desk) -> None:
    pushable.ask("POST", "/v2/clock/advance", body=b'{"hours": 1}', headers=BEARER)
    assert pushable.runner.run(pushable.store.setting("clock_offset_ms")) == "3600000"


@pytest.mark.parametrize(
    "body",
    ["", "{}", '{"hours": -1}', '{"seconds": -1, "hours": 5}', '{"seconds": "x"}', '{"hours": [1]}', '{"hours": {}}',
     '{"seconds": "nan"}', '{"seconds": "inf"}', '{"hours": 1e300}', '{"hours": 90000}',
     '{"seconds": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_the_clock_is_not_pushed_by_what_is_no_time(pushable: Desk, body: str) -> None:
    reply = pushable.ask("POST", "/v2/clock/advance", body=body.encode(), headers=BEARER)
    assert reply.fields == [("children[seconds].data", "Le nombre de secondes ou d'heures n'est pas valide")]
    assert pushable.clock.now() == NOW


@pytest.mark.parametrize(
    ("header", "code"),
    [("", 1), ("Basic YTpi", 1), ("Bearer", 1), ("Bearer ", 1), ("Bearer wrong", 10), (f"Token {ADMIN_KEY}", 1)],
)
def test_the_clock_needs_a_key_in_the_header(pushable: Desk, header: str, code: int) -> None:
    headers = [("Authorization", header)] if header else []
    reply = pushable.ask(
        "POST", "/v2/clock/advance", query=f"apiKey={ADMIN_KEY}", body=b'{"hours": 1}', headers=headers
    )
    assert reply.refused[:2] == (401, code)
    assert pushable.clock.now() == NOW


def test_the_scheme_of_the_key_is_read_without_case(pushable: Desk) -> None:
    headers = [("Authorization", f"bearer  {ADMIN_KEY}")]
    assert pushable.ask("POST", "/v2/clock/advance", body=b'{"hours": 1}', headers=headers).status == 200


def test_a_real_clock_cannot_be_pushed_whatever_the_settings_say(tmp_path: Path) -> None:
    with desk(tmp_path, pushable=True, clock=RealClock()) as api:
        assert api.ask("POST", "/v2/clock/advance", headers=BEARER, body=b'{"hours": 1}').status == 404
