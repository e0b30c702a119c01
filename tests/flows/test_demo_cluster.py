"""`esito demo --cluster` as its user has it: addresses, a status from either api process, 48 hours pushed, Ctrl-C."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.flows.test_rehearsal import program
from tests.kit.needs import needs
from tests.kit.patience import PATIENCE
from tests.torture.house import until

pytestmark = needs("postgres", "patroni", "etcd", "nats")

PARTS = {
    *("api1", "api2", "gateway1", "gateway2", "worker1", "worker2"),
    *("postgres1", "postgres2", "postgres3", "etcd", "nats1", "nats2", "nats3"),
}


def listening(port: int) -> bool:
    """Return whether anybody listens on a port of loopback."""
    told = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
    return bool(told.strip())


def test_all_of_it_runs_answers_and_ends(tmp_path: Path) -> None:
    with program(tmp_path, "demo", "--cluster", "--listen", "127.0.0.1:0") as printed:
        until(lambda: "bulk-status" in printed.read_text(encoding="utf-8"), times=2)  # it starts seventeen processes
        said = printed.read_text(encoding="utf-8")
        where = dict(re.findall(r"^  (\w+) +((?:http|postgresql|nats)://\S+)", said, re.MULTILINE))
        assert where.keys() >= PARTS
        ports = [port for address in where.values() if (port := urlsplit(address).port) is not None]
        assert all(map(listening, ports))
        (key,) = set(re.findall(r"API key +(\w{40})", said))
        (admin_key,) = set(re.findall(r"admin key +(\w{40})", said))
        headers = {"Authorization": f"Bearer {admin_key}"}

        def statuses(api: str) -> list[str]:
            answer = httpx.get(f"{where[api]}/v1/bulk-status", params={"apiKey": key, "messageId": 1}, timeout=PATIENCE)
            return [one["status"] for one in answer.json()["StatutResponse_List"]]

        until(lambda: "Delivered" in statuses("api2"))
        assert "Waiting" in statuses("api1")
        pushed = httpx.post(f"{where['api2']}/v2/clock/advance", json={"hours": 48}, headers=headers, timeout=PATIENCE)
        assert pushed.is_success, pushed.text
        until(lambda: "Waiting" not in statuses("api1"))
        until(lambda: statuses("api1") == statuses("api2"))  # one of them is corrected a second later
    assert not [port for port in ports if listening(port)], "something goes on after Ctrl-C"
    assert "Traceback" not in printed.read_text(encoding="utf-8")
