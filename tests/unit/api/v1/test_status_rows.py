"""Rows joined by hand are octet by octet what the declared Structs are."""

import json
from collections.abc import Sequence

import pytest

from esito.api.http.response import members_of, render
from esito.api.v1 import status_rows
from esito.api.v1.status import BulkStatus, BulkStatusByTag, StatusItem
from esito.domain.states import MessageState, public_word
from esito.store.interface.message_records import StatusRow

ROWS: list[StatusRow] = [
    (f"+336{number:08}", int(state), number % 2, str(1_600_000_000 + number))
    for number, state in enumerate([*MessageState, *MessageState])
]


def items(chosen: Sequence[StatusRow]) -> list[StatusItem]:
    return [
        StatusItem(phone_number=msisdn, status=public_word(rung), stop_sms=bool(stopped), date=date)
        for msisdn, rung, stopped, date in chosen
    ]


@pytest.mark.parametrize("count", [0, 1, 2, len(ROWS)])
@pytest.mark.parametrize("xml", [False, True], ids=["json", "xml"])
def test_rows_of_a_message(count: int, *, xml: bool) -> None:
    chosen = ROWS[:count]
    declared = BulkStatus(message_id="4711", recipients=items(chosen))
    assert status_rows.of_message(4711, chosen, xml=xml) == render(members_of(declared), status=200, xml=xml)


@pytest.mark.parametrize("count", [0, 1, 2, len(ROWS)])
@pytest.mark.parametrize("xml", [False, True], ids=["json", "xml"])
def test_rows_of_a_tag(count: int, *, xml: bool) -> None:
    chosen = ROWS[:count]
    declared = BulkStatusByTag(current_page=3, total=1234, recipients=items(chosen))
    assert status_rows.of_tag(3, 1234, chosen, xml=xml) == render(members_of(declared), status=200, xml=xml)


def test_json_is_ascii_and_compact() -> None:
    body = status_rows.of_message(1, ROWS, xml=False).body
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode("ascii")
