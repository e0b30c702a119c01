"""A running server tells administrators what is the installation's, and lets them change it."""

from pathlib import Path

import httpx

from esito_cluster.process import free_port
from tests.kit.live import LiveServer, live_server, live_smsc
from tests.kit.patience import PATIENCE, wait_until


def asked(server: LiveServer, method: str, path: str, **body: object) -> httpx.Response:
    headers = server.as_administrator
    return httpx.request(method, f"{server.url}{path}", headers=headers, json=body or None, timeout=PATIENCE)


def states(server: LiveServer) -> dict[str, str]:
    links = asked(server, "GET", "/v2/links").raise_for_status().json()["links"]
    return {one["link"]: one["state"] for one in links}


def test_links_are_added_changed_and_removed_over_http(tmp_path: Path) -> None:
    port = free_port()
    with live_smsc(port), live_server(tmp_path, smsc_port=port) as server:
        wait_until(lambda: states(server) == {"alpha": "bound"})
        south = {"name": "south", "port": port, "system_id": "smsc", "password": "secret", "prefixes": ["+39"]}
        added = asked(server, "POST", "/v2/links", **south)
        assert added.json() | {"notes": []} == {
            "success": True, "code": 200, "link": "south", "changed": True, "rebinds": True, "notes": [],
        }  # fmt: skip
        wait_until(lambda: states(server) == {"alpha": "bound", "south": "bound"})
        again = asked(server, "POST", "/v2/links", **south)
        assert (again.status_code, again.json()["code"]) == (400, 9)
        assert "there is a link south already" in again.text
        refused = asked(server, "PATCH", "/v2/links/south", window=-1)
        assert (refused.status_code, refused.json()["code"]) == (400, 9)
        for odd in ({"tls": True, "tls_ca": "/etc/passwd"}, {"password": {"a": "b"}}, {"operator": "\x1b[31m"}):
            assert asked(server, "PATCH", "/v2/links/south", **odd).status_code == 400, odd
        assert asked(server, "PATCH", "/v2/links/nowhere", window=1).status_code == 404
        assert asked(server, "PATCH", "/v2/links/south", enabled=False).json()["changed"] is True
        assert asked(server, "PATCH", "/v2/links/south", enabled=False).json()["changed"] is False
        wait_until(lambda: states(server)["south"] == "disabled")
        assert asked(server, "DELETE", "/v2/links/south").status_code == 200
        wait_until(lambda: states(server) == {"alpha": "bound"})
        assert asked(server, "DELETE", "/v2/links/alpha").status_code == 400  # it stands in the file
        audit = server.esito("audit")
        assert audit.count("admin:tests") == 3
        assert "secret" not in audit
        assert server.esito("check") == "The books balance.\n"


def test_monitors_have_an_address_of_their_own(tmp_path: Path) -> None:
    port = free_port()
    with live_server(tmp_path, http_monitor=f"127.0.0.1:{port}") as server:
        monitor = f"http://127.0.0.1:{port}"
        assert wait_until(lambda: "esito_http_requests" in httpx.get(f"{monitor}/metrics", timeout=PATIENCE).text)
        assert "missing" in httpx.get(f"{monitor}/readyz", timeout=PATIENCE).json()
        assert httpx.get(f"{monitor}/v1/me", params={"apiKey": server.api_key}, timeout=PATIENCE).status_code == 404
        assert httpx.get(f"{server.url}/metrics", timeout=PATIENCE).status_code == 401
        assert "missing" not in httpx.get(f"{server.url}/readyz", timeout=PATIENCE).json()
