"""A subscriber's STOP, from the operator to the next send: server and simulator as processes of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from esito.cli.main import cli
from esito_cluster.process import free_port
from tests.kit.live import LiveServer, live_server, live_smsc
from tests.kit.patience import PATIENCE
from tests.kit.patience import wait_until as until

STOPPER, OTHER = "+33612340015", "+33612340001"


def stops(server: LiveServer) -> list[dict[str, Any]]:
    answer = httpx.get(f"{server.url}/v1/stop-sms/list", params={"apiKey": server.api_key}, timeout=PATIENCE).json()
    assert answer["nbData"] == len(answer["data"])
    found: list[dict[str, Any]] = answer["data"]
    return found


def replies(server: LiveServer) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {server.api_key}"}
    found: list[dict[str, Any]] = httpx.get(f"{server.url}/v2/replies", headers=headers, timeout=PATIENCE).json()[
        "replies"
    ]
    return found


def test_a_number_that_answers_stop_is_listed_shown_and_refused(tmp_path: Path) -> None:
    port = free_port()
    with live_smsc(port), live_server(tmp_path, smsc_port=port) as server:
        number = server.send(STOPPER, OTHER, urlResponse="https://example.net/replies")
        (stopped,) = until(lambda: stops(server))
        assert stopped["phoneNumber"] == STOPPER
        told = server.status(number).json()["StatutResponse_List"]
        assert [(one["phoneNumber"], one["stopSMS"]) for one in told] == [(STOPPER, True), (OTHER, False)]
        (reply,) = replies(server)
        assert (reply["type"], reply["text"], reply["from"], reply["message_id"]) == (
            "stop", "STOP", STOPPER, str(number),
        )  # fmt: skip

        body = {"apiKey": server.api_key, "phoneNumbers": STOPPER, "message": "ciao"}
        refused = httpx.post(f"{server.url}/v1/send", json=body, timeout=PATIENCE)
        assert (refused.status_code, refused.json()) == (
            400,
            {
                "success": False,
                "code": 55,
                "message": "Aucun numéro à envoyer",
                "errors": [
                    {
                        "success": False,
                        "code": "14",
                        "message": "Le numéro est dans la liste des STOP SMS",
                        "phoneNumber": STOPPER,
                    }
                ],
            },
        )
        both = httpx.post(
            f"{server.url}/v1/send", json=body | {"phoneNumbers": f"{STOPPER},{OTHER}"}, timeout=PATIENCE
        ).json()
        assert (both["nb_sms"], [one["code"] for one in both["errors"]]) == (1, ["14"])

        assert httpx.get(
            f"{server.url}/v1/stop-sms/delete", params={"apiKey": server.api_key, "id": stopped["id"]}, timeout=PATIENCE
        ).json() == {"success": True, "code": 200}
        assert httpx.post(f"{server.url}/v1/send", json=body, timeout=PATIENCE).json()["nb_sms"] == 1


def test_a_stop_survives_kill_minus_nine(tmp_path: Path) -> None:
    port = free_port()
    with live_smsc(port), live_server(tmp_path, smsc_port=port) as server:
        server.send(STOPPER)
        before = until(lambda: stops(server))
        restarted = server.kill_and_restart()
        try:
            assert until(lambda: _answered(restarted)) == before
        finally:
            restarted.process.terminate()
            restarted.process.wait(PATIENCE)


def _answered(server: LiveServer) -> list[dict[str, Any]]:
    try:
        return stops(server)
    except httpx.TransportError:
        return []


@pytest.mark.parametrize("as_json", [False, True])
def test_the_command_line_lists_adds_and_deletes(tmp_path: Path, as_json: bool) -> None:
    with live_server(tmp_path) as server:
        esito = _command_line(server, ["--json"] if as_json else [])
        assert esito("list") == ("[]\n" if as_json else "No number is on the STOP list.\n")
        added = esito("add", "0612345678")
        assert added == ('{\n  "stopId": 1\n}\n' if as_json else "0612345678 is on the STOP list as 1.\n")
        assert "+33612345678" in esito("list")
        deleted = esito("delete", "1")
        assert deleted == ('{\n  "deleted": 1\n}\n' if as_json else "1 is off the STOP list.\n")
        assert stops(server) == []
        assert esito("delete", "1") == "Error: L'ID du numéro introuvable (code 4)\n"
        assert esito("add", "abc") == "Error: Le numéro de téléphone est invalide (code 9)\n"


def _command_line(server: LiveServer, options: list[str]) -> Callable[..., str]:
    """Return a way to run `esito stop` that tells what it prints, or why it failed."""

    def run(*words: str) -> str:
        environment = {"ESITO_URL": server.url, "ESITO_API_KEY": server.api_key, "COLUMNS": "100"}
        result = CliRunner().invoke(cli, ["stop", *words, *options], env=environment)
        return result.stdout if result.exit_code == 0 else result.stderr

    return run
