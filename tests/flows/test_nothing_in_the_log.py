"""A server that logs all it can writes no number, no text, no key and no query of a URL."""

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from esito_cluster.process import free_port
from tests.kit.listener import Listener
from tests.kit.live import LiveServer, live_server, live_smsc
from tests.kit.patience import A_MOMENT, PATIENCE, wait_until

NUMBER = "+33611110015"
"""The simulator delivers to it and has it reply STOP."""
TEXT = "Votre code secret est quarante-deux"
QUERY = "token=abracadabra"


def wait_for(server: LiveServer, message: int) -> None:
    """Wait until the message is delivered and its STOP has come."""

    def told() -> dict[str, object]:
        answer: dict[str, object] = server.status(message).json()["StatutResponse_List"][0]
        return answer

    wait_until(lambda: told()["status"] == "Delivered" and told()["stopSMS"], told)


def callbacks(server: LiveServer) -> list[dict[str, int]]:
    """Return those that are waiting."""
    told = httpx.get(
        f"{server.url}/v2/callbacks", headers={"Authorization": f"Bearer {server.api_key}"}, timeout=PATIENCE
    )
    found: list[dict[str, int]] = [one for one in told.json()["callbacks"] if one["status"] == "waiting"]
    return found


def misuse(server: LiveServer) -> None:
    """Put the number, the key and the text where they do not belong."""
    key = {"apiKey": server.api_key}
    bearer = {"Authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as http:
        http.get(f"/v1/{quote(NUMBER)}", params=key)
        http.get("/v1/message-status", params=key | {"messageId": TEXT, "phoneNumber": NUMBER})
        http.get("/v1/bulk-status-by-tag", params=key | {"tag": TEXT})
        http.post("/v1/send", content=f"{{{server.api_key} {NUMBER} {TEXT}".encode())
        http.post("/v1/send", json=key | {"phoneNumbers": TEXT, "message": NUMBER})
        http.get("/v2/messages", params={"reference": TEXT, "from": NUMBER}, headers=bearer)
        http.get("/v2/export", params={"format": TEXT}, headers=bearer)
        http.get("/v2/export", headers=bearer)
        http.delete(f"/v2/numbers/{NUMBER}", headers=bearer)
        http.get("/v2/messages/x/recipients/" + NUMBER, headers=bearer)
    server.exchange(
        f"GET /v1/{NUMBER}?apiKey={server.api_key} HTTP/1.1\r\nbroken {NUMBER}\r\n\r\n".encode(), silence=40 * A_MOMENT
    )


@pytest.mark.parametrize("form", ["json", "console"])
def test_number_text_key_and_query_are_in_no_line(tmp_path: Path, form: str) -> None:
    port = free_port()
    with (
        live_smsc(port),
        Listener() as listener,
        live_server(
            tmp_path, smsc_port=port, logs_level="debug", logs_format=form, callbacks_allow_private_networks=True
        ) as server,
    ):
        gone = f"http://127.0.0.1:{free_port()}/dlr?{QUERY}"
        message = server.send(
            NUMBER, message=TEXT, urlDlr=gone, urlResponse=f"http://127.0.0.1:{listener.port}/?{QUERY}", tag="parcels"
        )
        wait_for(server, message)
        wait_until(lambda: any(QUERY.encode() in one for one in listener.requests), "the reply was not told")
        misuse(server)
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert log.count("request") > 10, "it must have logged"
    national = NUMBER.removeprefix("+33")
    for secret in (NUMBER.removeprefix("+"), national, TEXT, "quarante-deux", server.api_key, QUERY, "abracadabra"):
        lines = [line for line in log.splitlines() if secret in line]
        assert lines == [], secret
    assert not re.search(r"\d{11}", re.sub(r'\d{4}-\d\d-\d\dT[\d:.]+Z|"?0x[0-9a-f]+', "", log)), "another number"
