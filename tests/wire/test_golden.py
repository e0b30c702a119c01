"""Every sample of the contract is an answer the API gives (contract 0.3, 1, 2.1, 2.2, 2.6).

The files in `golden/` are the samples as the contract prints them. XML is compared octet by
octet, but for the line break that ends a text file: our answers end with their last tag. A
sample of the contract has no other layout than its own: one tag to a line, and an error
envelope on one line. Where the contract prints no XML, the file is what its rules for XML
(0.2) make of the JSON sample. JSON is compared with its order of keys and its types, and as
octets once the blanks of the printed page are taken out.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.desk import Desk, Reply, desk

GOLDEN = Path(__file__).parent / "golden"

ACCEPTED_AT = 1_600_000_003_000
"""The acceptance time that the samples show for a recipient who waits."""

FIRST, SECOND = "+33611111111", "+33622222222"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path, now=ACCEPTED_AT) as open_desk:
        yield open_desk


def begin_with(api: Desk, message_id: int) -> None:
    """Have the next message get this id."""
    api.runner.run(api.store.keep_setting("next_message_id", str(message_id)))


def refused_key(api: Desk, _format: str) -> Reply:
    return api.get("/v1/bulk-status", apiKey="wrong", messageId=4711, _format=_format)


def bulk_status(api: Desk, _format: str) -> Reply:
    # The contract's two samples are separate examples: the JSON has two recipients, the XML one.
    numbers = [FIRST, SECOND] if _format == "json" else [FIRST]
    begin_with(api, 4711)
    message = api.send(*numbers)
    api.stop(33622222222)
    words = ["DELIVRD", ""][: len(numbers)]
    api.settle(*words, after=[7] * len(words))
    return api.get("/v1/bulk-status", messageId=message, _format=_format)


def message_status(api: Desk, _format: str) -> Reply:
    begin_with(api, 4711)
    message = api.send(FIRST)
    api.settle("DELIVRD", after=[7])
    return api.get("/v1/message-status", messageId=message, phoneNumber=FIRST, _format=_format)


def multi_status(api: Desk, _format: str) -> Reply:
    begin_with(api, 4711)
    message = api.send(FIRST)
    api.settle("DELIVRD", after=[7])
    pairs = [{"phoneNumber": "0611111111", "messageId": message}, {"phoneNumber": "0633333333", "messageId": 1000}]
    return api.post("/v1/multi-status", SMSStatut_List=pairs, _format=_format)


def bulk_status_by_tag(api: Desk, _format: str) -> Reply:
    api.send(FIRST, SECOND, tag="order77")
    api.settle("DELIVRD", "UNDELIV", after=[7, 17])
    return api.get("/v1/bulk-status-by-tag", tag="order77", _format=_format)


def send(api: Desk, _format: str) -> Reply:
    begin_with(api, 4712)
    return api.post("/v1/send", phoneNumbers=FIRST, message="ciao", _format=_format)


def bulk_send(api: Desk, _format: str) -> Reply:
    begin_with(api, 4713)
    items = [{"phoneNumber": FIRST, "message": "ciao"}, {"phoneNumber": SECOND, "message": "salut"}]
    return api.post("/v1/bulk-send", SMSList=items, _format=_format)


def invalid_fields(api: Desk, _format: str) -> Reply:
    return api.post("/v1/send", phoneNumbers=FIRST, _format=_format)


def nothing_to_send(api: Desk, _format: str) -> Reply:
    return api.post("/v1/send", phoneNumbers="0123456789", message="ciao", _format=_format)


ASKED: dict[str, tuple[Callable[[Desk, str], Reply], int]] = {
    "error": (refused_key, 400),
    "bulk-status": (bulk_status, 200),
    "message-status": (message_status, 200),
    "multi-status": (multi_status, 200),
    "bulk-status-by-tag": (bulk_status_by_tag, 200),
    "send": (send, 200),
    "bulk-send": (bulk_send, 200),
    "invalid-fields": (invalid_fields, 400),
    "nothing-to-send": (nothing_to_send, 400),
}


def in_order(text: str) -> str:
    """Return JSON with every object as a list of pairs, so that order and types show."""
    return repr(json.loads(text, object_pairs_hook=list))


@pytest.mark.parametrize("name", ASKED)
def test_json(api: Desk, name: str) -> None:
    ask, status = ASKED[name]
    sample = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    reply = ask(api, "json")
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert in_order(reply.text) == in_order(sample)
    compact: Any = json.dumps(json.loads(sample), separators=(",", ":"))  # escapes what is not ASCII
    assert reply.body == compact.encode("ascii")


@pytest.mark.parametrize("name", ASKED)
def test_xml(api: Desk, name: str) -> None:
    ask, status = ASKED[name]
    sample = (GOLDEN / f"{name}.xml").read_bytes()
    reply = ask(api, "xml")
    assert (reply.status, reply.headers["content-type"]) == (status, "application/xml")
    assert reply.body + b"\n" == sample


def test_every_golden_file_is_asked_for() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(ASKED)
    assert len(list(GOLDEN.iterdir())) == 2 * len(ASKED)
