"""Servers that ask by query_sm: a receipt that never comes, an SMSC that does not know the command, `kill -9`."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from esito.smpp import pdu as p
from esito_cluster.process import free_port
from tests.kit.live import LiveServer, live_server, live_smsc
from tests.kit.patience import PATIENCE, Stopwatch, wait_until
from tests.kit.peer import Peer, peer

ASKS: dict[str, object] = {"query_after": "1h"}


def call(server: LiveServer, method: str, path: str, **body: object) -> Any:
    of_installation = path in {"/v2/links", "/v2/clock/advance"}
    headers = server.as_administrator if of_installation else {"Authorization": f"Bearer {server.api_key}"}
    answer = httpx.request(
        method,
        f"{server.url}{path}",
        headers=headers,
        json=body or None,
        timeout=PATIENCE,
    )
    return answer.raise_for_status().json()


def push(server: LiveServer, minutes: int) -> None:
    call(server, "POST", "/v2/clock/advance", seconds=60 * minutes)


def status(server: LiveServer, message_id: int) -> str:
    return str(server.status(message_id).json()["StatutResponse_List"][0]["status"])


def explained(server: LiveServer, message_id: int, msisdn: str) -> Any:
    return call(server, "GET", f"/v2/messages/{message_id}/recipients/{msisdn}")


def verdicts(server: LiveServer, message_id: int, msisdn: str) -> list[str]:
    return [one["verdict"] for one in explained(server, message_id, msisdn)["receipts"]]


def answered(server: LiveServer, message_id: int, msisdn: str) -> bool:
    """Tell whether the operator has taken the message, so that it is asked about."""
    return "we ask the operator" in str(explained(server, message_id, msisdn))


@contextmanager
def smsc_aside() -> Iterator[Peer]:
    """Run a scriptable SMSC in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    context = peer()
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result(PATIENCE)
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def asked(smsc: Peer) -> list[p.Pdu]:
    return [pdu for session in smsc.sessions for pdu in session.of(p.QuerySm)]


def test_a_message_without_a_receipt_ends_with_what_query_sm_tells(tmp_path: Path) -> None:
    port, number = free_port(), "+33612340005"
    with live_smsc(port), live_server(tmp_path, smsc_port=port, link=ASKS, clock_pushable=True) as server:
        message_id = server.send(number)
        wait_until(lambda: answered(server, message_id, number))
        assert status(server, message_id) == "Waiting"
        since = Stopwatch()
        wait_until(lambda: since.at_least(2))  # of the simulator's own clock: its subscriber has the message after one
        push(server, 61)
        wait_until(lambda: status(server, message_id) == "Delivered")
        assert verdicts(server, message_id, number) == ["queried"]
        told = str(explained(server, message_id, number))
        assert "so we asked" in told
        push(server, 50 * 60)
        assert status(server, message_id) == "Delivered"
        assert 'esito_queries_total{answer="answered",link="alpha"} 1.0' in metrics(server)
        assert server.esito("check") == "The books balance.\n"


def metrics(server: LiveServer) -> str:
    return httpx.get(f"{server.url}/metrics", headers=server.as_administrator, timeout=PATIENCE).text


def test_an_smsc_that_knows_no_query_sm_is_told_wherever_somebody_looks(tmp_path: Path) -> None:
    number = "+33612345678"
    with (
        smsc_aside() as smsc,
        live_server(tmp_path, smsc_port=smsc.port, link=ASKS, clock_pushable=True) as server,
    ):
        message_id = server.send(number)
        wait_until(lambda: answered(server, message_id, number))
        push(server, 61)
        (warning,) = wait_until(lambda: call(server, "GET", "/v2/links")["links"][0]["warnings"])
        assert warning.startswith("unqueried: the SMSC does not know query_sm (ESME_RINVCMDID (0x00000003))")
        assert 'esito_link_trouble{link="alpha",trouble="unqueried"} 1.0' in metrics(server)
        assert "query_sm is not answered" in server.esito("link", "list", "--json")
        ready = httpx.get(f"{server.url}/readyz", headers=server.as_administrator, timeout=PATIENCE)
        assert ready.json() == {"ready": True, "missing": []}
        push(server, 49 * 60)
        wait_until(lambda: status(server, message_id) == "Not delivered")
        assert verdicts(server, message_id, number) == ["queried", "inferred"]
        assert len(asked(smsc)) == 1


def test_a_server_killed_before_the_answer_asks_again_and_keeps_one_answer(tmp_path: Path) -> None:
    number = "+33612345678"
    with (
        smsc_aside() as smsc,
        live_server(tmp_path, smsc_port=smsc.port, link=ASKS, clock_pushable=True) as server,
    ):
        smsc.on_query = lambda _pdu: None
        message_id = server.send(number)
        wait_until(lambda: answered(server, message_id, number))
        push(server, 61)
        wait_until(lambda: asked(smsc))
        smsc.on_query = lambda pdu: p.QuerySmResp(
            sequence=pdu.sequence, message_id=pdu.message_id, message_state=5, error_code=1
        )
        again = server.kill_and_restart()
        try:
            wait_until(lambda: len(smsc.sessions) > 1 and smsc.session.came)
            push(again, 11)
            wait_until(lambda: status(again, message_id) == "Not delivered")
            assert verdicts(again, message_id, number) == ["queried"]
            assert len(asked(smsc)) == 2
            assert len([pdu for session in smsc.sessions for pdu in session.of(p.SubmitSm)]) == 1
        finally:
            again.process.terminate()
            again.process.wait(PATIENCE)
        assert again.esito("check") == "The books balance.\n"
