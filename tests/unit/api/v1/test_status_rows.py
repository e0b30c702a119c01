"""Rows joined by hand are what the ordinary writers would make of them."""

import json
from collections.abc import Sequence

import pytest

from esito.api.http.response import render
from esito.api.v1 import status_rows
from esito.domain.states import MessageState, public_word
from esito.store.base import StatusRow

ROWS: list[StatusRow] = [
    (f"+336{number:08}", int(state), number % 2, str(1_600_000_000 + number))
    for number, state in enumerate([*MessageState, *MessageState])
]


def as_data(members: dict[str, object], chosen: Sequence[StatusRow]) -> dict[str, object]:
    items = [
        {"phoneNumber": msisdn, "status": public_word(rung), "stopSMS": bool(stopped), "date": date}
        for msisdn, rung, stopped, date in chosen
    ]
    return {"success": True, "code": 200, **members, "StatutResponse_List": items}


@pytest.mark.parametrize("count", [0, 1, 2, len(ROWS)])
@pytest.mark.parametrize("xml", [False, True], ids=["json", "xml"])
def test_rows_of_a_message(count: int, *, xml: bool) -> None:
    chosen = ROWS[:count]
    expected = render(as_data({"message_id": "4711"}, chosen), status=200, xml=xml)  # type: ignore[arg-type]
    assert status_rows.of_message(4711, chosen, xml=xml) == expected


@pytest.mark.parametrize("count", [0, 1, 2, len(ROWS)])
@pytest.mark.parametrize("xml", [False, True], ids=["json", "xml"])
def test_rows_of_a_tag(count: int, *, xml: bool) -> None:
    chosen = ROWS[:count]
    expected = render(as_data({"currentPage": 3, "total": 1234}, chosen), status=200, xml=xml)  # type: ignore[arg-type]
    assert status_rows.of_tag(3, 1234, chosen, xml=xml) == expected


def test_json_is_ascii_and_compact() -> None:
    body = status_rows.of_message(1, ROWS, xml=False).body
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode("ascii")
