"""What comes as no receipt and is one, or cannot be read at all: from an SMSC's socket to the sender's answer."""

import asyncio
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from esito.cli.main import cli
from esito.smpp import pdu as p
from tests.kit.links import in_a_loop, status_of
from tests.kit.live import LiveServer, live_server_beside
from tests.kit.patience import PATIENCE
from tests.kit.peer import Peer, peer, until

NUMBER = "+33612345678"
DATES = "submit date:2611230500 done date:2611230501"


def unmarked(sequence: int) -> p.DeliverSm:
    """Return a receipt for the first submit_sm, whose esm_class says nothing of it."""
    text = f"id:A-7 sub:001 dlvrd:001 {DATES} stat:DELIVRD err:000 text:"
    return p.DeliverSm(
        sequence=sequence,
        source_addr=NUMBER[1:],
        short_message=text.encode(),
        tlvs={p.Tag.RECEIPTED_MESSAGE_ID: b"A-7\0"},
    )


async def told(server: LiveServer, path: str) -> dict[str, list[dict[str, object]]]:
    headers = {"Authorization": f"Bearer {server.api_key}"}
    async with httpx.AsyncClient(headers=headers, timeout=PATIENCE) as client:
        found: dict[str, list[dict[str, object]]] = (await client.get(f"{server.url}{path}")).json()
    return found


async def sent(smsc: Peer, server: LiveServer) -> int:
    await until(lambda: smsc.sessions and smsc.session.of(p.BindTransceiver))
    number = await asyncio.to_thread(server.send, NUMBER)
    await smsc.came(p.SubmitSm)
    return number


@pytest.mark.parametrize(("rule", "status"), [("", "Delivered"), ("never", "Waiting")])
def test_a_receipt_without_its_esm_class_is_taken_as_the_link_is_set(tmp_path: Path, rule: str, status: str) -> None:
    link: dict[str, object] = {"receipts_without_esm_class": rule} if rule else {}

    @in_a_loop
    async def run() -> None:
        async with (
            peer(on_submit=lambda pdu: p.SubmitSmResp(sequence=pdu.sequence, message_id="A-7")) as smsc,
            live_server_beside(tmp_path, smsc_port=smsc.port, link=link) as server,
        ):
            number = await sent(smsc, server)
            smsc.session.say(unmarked(1))
            assert status_of(await smsc.came(p.DeliverSmResp)) == [(1, 0)]
            (one,) = (await asyncio.to_thread(server.status, number)).json()["StatutResponse_List"]
            assert one["status"] == status
            assert len((await told(server, "/v2/replies"))["replies"]) == (status == "Waiting")

    run()


def test_what_cannot_be_read_is_answered_and_shown_with_its_octets(tmp_path: Path) -> None:
    frames = [bytes.fromhex(f"00000014 {command} 00000000 00000007 00014142") for command in ("00000005", "00000103")]

    @in_a_loop
    async def run() -> None:
        async with peer() as smsc, live_server_beside(tmp_path, smsc_port=smsc.port) as server:
            await sent(smsc, server)
            smsc.session.write(b"".join(frames))
            assert status_of(await smsc.came(p.DeliverSmResp)) == [(7, 0)]
            assert status_of(await smsc.came(p.DataSmResp)) == [(7, 0)]
            headers = await asyncio.to_thread(lambda: server.as_administrator)
            key = headers["Authorization"].removeprefix("Bearer ")
            async with httpx.AsyncClient(timeout=PATIENCE) as client:
                asked_for = {"unmask": "the operator asks for them"}
                answer = await client.get(f"{server.url}/v2/orphans", headers=headers, params=asked_for)
            orphans = answer.json()["orphans"]
            shown = [(one["flags"], one["raw"]) for one in orphans]
            assert shown == [(["unreadable"], frame.hex()) for frame in frames]
            asked = ["orphans", "--url", server.url, "--admin-key", key]
            printed = await asyncio.to_thread(CliRunner(env={"COLUMNS": "300"}).invoke, cli, asked)
            assert "it cannot be read" in printed.output

    run()
