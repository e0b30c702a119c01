"""The simulator serves an ESME that somebody else has written."""

import asyncio
import json
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

from esito.domain.timing import PushableClock
from esito.simulator.smsc import Smsc, SmscSettings
from esito.smpp.pdu import Status
from tests.kit.needs import PEERS, needs

NUMBERS = [f"3361234{ending}" for ending in ("0001", "0002", "0004", "0007", "0009", "0010", "0011", "0013", "0015")]
DELIVERIES = 1 + 1 + 0 + 2 + 2 + 3 + 1 + 1 + 2


async def visit(smsc: Smsc) -> dict[str, Any]:
    """Let the other ESME do its round; return what it has seen."""
    await smsc.start()
    try:
        peer = await asyncio.create_subprocess_exec(
            *("node", str(PEERS / "esme.js"), str(smsc.port), str(DELIVERIES), *NUMBERS),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        said, complaint = await peer.communicate()
        assert peer.returncode == 0, complaint.decode()
        assert (smsc.waiting, smsc.bound_sessions) == (0, 0)
    finally:
        await smsc.stop()
    seen: dict[str, Any] = json.loads(said)
    return seen


@needs("npm smpp")
def test_npm_smpp_binds_submits_to_many_fates_and_gets_its_receipts(tmp_path: Path) -> None:
    journal = tmp_path / "smsc.jsonl"
    smsc = Smsc(SmscSettings(port=0, journal=journal), clock=PushableClock(speed=10))
    seen = asyncio.run(visit(smsc))

    assert seen["bind"] == {"status": 0, "system_id": "smsc", "version": 0x34}
    assert (seen["enquire_link"], seen["unbind"]) == (0, 0)
    submits = seen["submits"]
    assert submits.pop("33612340004") == {"status": Status.ESME_RINVDSTADR, "message_id": ""}
    assert {submit["status"] for submit in submits.values()} == {0}

    states: dict[str, list[int | None]] = defaultdict(list)
    for delivery in seen["deliveries"]:
        states[delivery["from"][-4:]].append(delivery["message_state"])
    delivered, undeliverable, enroute, accepted = 2, 5, 1, 6
    assert states == {
        "0001": [delivered],
        "0002": [undeliverable],
        "0007": [undeliverable, delivered],
        "0009": [delivered, delivered],
        "0010": [delivered, enroute, accepted],
        "0011": [delivered],
        "0013": [delivered],
        "0015": [delivered, None],
    }
    for delivery in seen["deliveries"]:
        if delivery["message_state"] is None:
            assert (delivery["esm_class"], delivery["text"], delivery["to"]) == (0, "STOP", "Esito")
        else:
            submitted = submits[delivery["from"]]["message_id"]
            form = 16 if delivery["from"].endswith("0011") else 10
            assert delivery["esm_class"] == 4
            assert int(delivery["receipted_message_id"].rstrip("\0")) == int(submitted, form)

    events = [json.loads(line) for line in journal.read_text().splitlines()]
    acknowledged = [event for event in events if event["event"] == "receipt_acknowledged"]
    assert len(acknowledged) == smsc.receipts_acknowledged == DELIVERIES - 1
    assert {event["smsc_message_id"] for event in acknowledged} == {s["message_id"] for s in submits.values()}
