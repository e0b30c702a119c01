"""A link in trouble says so wherever somebody looks: /readyz, /v2/links, /metrics and `esito link list`."""

import json
from pathlib import Path
from typing import Any

import httpx

from esito_cluster.process import free_port
from tests.kit.live import LiveServer, live_server, live_smsc
from tests.kit.patience import PATIENCE, wait_until


def told(server: LiveServer, path: str) -> httpx.Response:
    return httpx.get(f"{server.url}{path}", headers=server.as_administrator, timeout=PATIENCE)


def link_of(server: LiveServer) -> dict[str, Any]:
    answer = told(server, "/v2/links")
    (link,) = answer.raise_for_status().json()["links"]
    return dict(link)


def test_a_refused_password_is_told_everywhere(tmp_path: Path) -> None:
    port = free_port()
    with live_smsc(port, password="another"), live_server(tmp_path, smsc_port=port) as server:
        (trouble,) = wait_until(lambda: link_of(server)["warnings"])
        assert trouble.startswith("refused: the SMSC does not let us in (")
        assert "bind rejected: ESME_RINVPASWD (0x0000000E)" in trouble
        ready = told(server, "/readyz")
        assert ready.status_code == 503
        assert ready.json()["missing"] == ["no link is bound for receiving"]
        assert ready.json()["warnings"] == [f"link alpha: {link_of(server)['warnings'][0]}"]
        assert 'esito_link_trouble{link="alpha",trouble="refused"} 1.0' in told(server, "/metrics").text
        assert "our bind is refused" in server.esito("link", "list", "--json")


def test_a_link_without_trouble_says_nothing(tmp_path: Path) -> None:
    port = free_port()
    with live_smsc(port), live_server(tmp_path, smsc_port=port) as server:
        wait_until(lambda: link_of(server)["state"] == "bound")
        assert link_of(server)["warnings"] == []
        assert told(server, "/readyz").json() == {"ready": True, "missing": []}
        assert '"state": "bound"' in server.esito("link", "list", "--json")


def test_the_log_says_why_we_left_and_calls_no_link_lost_that_we_left(tmp_path: Path) -> None:
    def told(event: str) -> list[str]:
        lines = (tmp_path / "server.log").read_text(encoding="utf-8").splitlines()
        return [one["reason"] for one in map(json.loads, lines) if one["event"] == event]

    port = free_port()
    with live_smsc(port), live_server(tmp_path, smsc_port=port) as server:
        wait_until(lambda: link_of(server)["state"] == "bound")
        server.esito("link", "change", "alpha", "query_after=1h")
        server.esito("link", "change", "alpha", "window=7")
        wait_until(lambda: told("link_left"))
        wait_until(lambda: link_of(server)["state"] == "bound")
        server.esito("link", "disable", "alpha")
        wait_until(lambda: len(told("link_left")) == 2)
        server.esito("link", "enable", "alpha")
        wait_until(lambda: link_of(server)["state"] == "bound")
    assert told("link_left") == ["the link is changed", "the link is disabled or removed", "the server stops"]
    assert told("link_lost") == []
