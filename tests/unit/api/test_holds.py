"""However long and spiteful a request is, nothing it needs holds the event loop (the watch is in `conftest.py`)."""

import asyncio
import json
import time

import pytest

from tests.kit.desk import KEY, Desk
from tests.kit.loop_watch import Hold, LoopWatch, loops_are_let_go

LONGEST = 990_000
"""Octets: nearly all that a body may have."""

FIELDS = [
    ("/v1/send", "phoneNumbers"), ("/v1/send", "message"), ("/v1/send", "tag"), ("/v1/send", "urlDlr"),
    ("/v1/vn/send", "to"), ("/v1/lookup", "phoneNumbers"), ("/v1/stop-sms/add", "phoneNumber"),
    ("/v2/callbacks/replay", "since"), ("/v1/subaccount/create", "type"),
]  # fmt: skip


def with_key(api: Desk, path: str, body: bytes) -> int:
    headers = [("authorization", f"Bearer {KEY}"), ("idempotency-key", "once")]
    return api.ask("POST", path, query=f"apiKey={KEY}", body=body, headers=headers).status


@pytest.mark.parametrize("unit", [",", "1,", "0612345678,", "\u0301", "\u200b", "\U0001f600", "Ф", "["], ids=ascii)
@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_field_as_long_as_a_body(api: Desk, path: str, field: str, unit: str) -> None:
    long = unit * (LONGEST // len(unit.encode()))
    given = {"message": "a", "phoneNumbers": "0612345678", field: long}
    assert with_key(api, path, json.dumps(given, ensure_ascii=False).encode()) in {200, 400, 404, 501}


@pytest.mark.parametrize(
    "text", [lambda n: f"{n}" + "Ф" * 900, lambda n: f"{n}" + "[ę" * 450, lambda n: f"{n}" + "\U0001f600" * 290]
)
def test_five_hundred_long_texts(api: Desk, text: object) -> None:
    assert callable(text)
    items = [{"phoneNumber": f"06{number:08}", "message": text(number)} for number in range(500)]
    body = json.dumps({"SMSList": items}, ensure_ascii=False).encode()
    assert with_key(api, "/v1/bulk-send", body) in {200, 400, 413}


@pytest.mark.parametrize("count", [900, 5_000, 15_000])
def test_lists_that_are_too_long(api: Desk, count: int) -> None:
    pairs = [{"phoneNumber": "06", "messageId": "a", "message": "b"}] * count
    assert with_key(api, "/v1/bulk-send", json.dumps({"SMSList": pairs}).encode()) == 400
    assert with_key(api, "/v1/multi-status", json.dumps({"SMSStatut_List": pairs}).encode()) == 400
    assert with_key(api, "/v1/send", json.dumps({"message": "a", "phoneNumbers": ["06"] * count}).encode()) == 400


@pytest.mark.parametrize("unit", [b"%", b"%41", b"%41a", b"+", b"&", b"a=b&", b"\xff", b"1,", b'"\\ud800",', b"[],"])
@pytest.mark.parametrize("octets", [32_000, 60_000, LONGEST])
def test_bodies_that_are_much_work_to_read(api: Desk, unit: bytes, octets: int) -> None:
    for before, after in ((b"a=", b""), (b'{"a":[', b"1]}")):
        assert with_key(api, "/v1/send", before + unit * (octets // len(unit)) + after) in {400, 413}


def test_a_query_is_no_longer_than_headers_may_be(api: Desk) -> None:
    assert api.ask("GET", "/v1/me", query=f"apiKey={KEY}&a=" + "%41" * 10_000).status == 200
    assert api.ask("GET", "/v1/me", query=f"apiKey={KEY}&a=" + "%41" * 11_000).status == 431


# -- the watch itself --------------------------------------------------------------------------


def work(milliseconds: int) -> None:
    until = time.thread_time_ns() + milliseconds * 1_000_000
    while time.thread_time_ns() < until:
        pass


async def busy() -> None:
    await asyncio.sleep(0)
    work(30)


def test_the_watch_sees_and_names_what_holds_the_loop() -> None:
    held = r"^busy.* held the event loop for \d+\.\d ms, 20 are allowed"
    with pytest.raises(Hold, match=held), loops_are_let_go(20):
        asyncio.run(busy())


def test_what_waits_or_works_in_a_thread_holds_nothing() -> None:
    async def beside() -> None:
        await asyncio.to_thread(work, 100)
        await asyncio.sleep(0.1)

    with LoopWatch() as watch:
        asyncio.run(beside())
    assert watch.longest_ms < 50
