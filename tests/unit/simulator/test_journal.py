"""The log file that other tests compare with."""

import json
from pathlib import Path
from typing import Any

import pytest

from esito.smpp.pdu import Status
from tests.unit.simulator.esme import Esme, eventually, in_a_loop, operator, still


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "smsc.jsonl"


@in_a_loop
async def test_a_message_and_its_receipt_are_three_lines(journal: Path) -> None:
    clock = still()
    async with operator(clock, journal=journal) as smsc:
        esme = await Esme.bound(smsc)
        taken_at = clock.now()
        response = await esme.submit("33612340011")
        assert [line["event"] for line in lines(journal)] == ["submit_sm"]  # before the response is there
        clock.advance(1_000)
        [receipt] = await esme.deliveries(1)
        await eventually(lambda: smsc.receipts_acknowledged == 1)
        decimal = str(int(response.message_id, 16))
        of_receipt = {
            "at": taken_at + 1_000,
            "session": 1,
            "seq": receipt.sequence,
            "smsc_message_id": response.message_id,
            "receipted_message_id": decimal,
            "to": "33612340011",
            "stat": "DELIVRD",
            "attempt": 1,
        }
        await eventually(lambda: len(lines(journal)) == 3)
        assert lines(journal) == [
            {
                "event": "submit_sm",
                "at": taken_at,
                "session": 1,
                "seq": response.sequence,
                "smsc_message_id": response.message_id,
                "sender": "Esito",
                "to": "33612340011",
                "status": 0,
            },
            {"event": "receipt_sent"} | of_receipt,
            {"event": "receipt_acknowledged"} | of_receipt,
        ]


@in_a_loop
async def test_refusals_on_either_side_are_noted(journal: Path) -> None:
    async with operator(still(), journal=journal, retry_pause=0.02) as smsc:
        esme = await Esme.bound(smsc)
        statuses = [Status.ESME_RMSGQFUL, Status.ESME_RX_R_APPN]
        esme.verdict = lambda _: statuses[len(esme.delivered) - 1]
        await esme.submit("33612340004")
        await esme.submit("33612340001")
        await eventually(lambda: len(lines(journal)) == 6)
        noted = [(line["event"], line.get("status"), line.get("attempt"), line.get("final")) for line in lines(journal)]
        assert noted == [
            ("submit_sm", Status.ESME_RINVDSTADR, None, None),
            ("submit_sm", 0, None, None),
            ("receipt_sent", None, 1, None),
            ("receipt_refused", Status.ESME_RMSGQFUL, 1, False),
            ("receipt_sent", None, 2, None),
            ("receipt_refused", Status.ESME_RX_R_APPN, 2, True),
        ]


@in_a_loop
async def test_a_reply_is_no_receipt(journal: Path) -> None:
    clock = still()
    async with operator(clock, journal=journal) as smsc:
        esme = await Esme.bound(smsc)
        await esme.submit("33612340015")
        clock.advance(2_000)
        await eventually(lambda: len(lines(journal)) == 5)
        events = [line["event"] for line in lines(journal)]
        assert sorted(events) == [
            "receipt_acknowledged",
            "receipt_sent",
            "reply_acknowledged",
            "reply_sent",
            "submit_sm",
        ]
        assert (smsc.receipts_sent, smsc.receipts_acknowledged) == (1, 1)


@in_a_loop
async def test_texts_are_written_only_when_asked_for(journal: Path) -> None:
    for texts in (False, True):
        async with operator(still(), journal=journal, journal_texts=texts) as smsc:
            await (await Esme.bound(smsc)).submit("33612340005", text=b"Bonjour")
    first, second = lines(journal)  # the second start goes on in the same file
    assert "text" not in first
    assert bytes.fromhex(second["text"]) == b"Bonjour"
