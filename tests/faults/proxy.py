"""The HAProxy of docs/howto/operations.md before the nodes of a cluster."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from esito_cluster.patroni_node import PatroniNode
from esito_cluster.process import free_port
from tests.kit.patience import PATIENCE

OPERATIONS = Path(__file__).parents[2] / "docs" / "howto" / "operations.md"


@contextmanager
def haproxy(folder: Path, nodes: Sequence[PatroniNode]) -> Iterator[str]:
    """Run it with the addresses of these nodes; yield the URL of their database."""
    port = free_port()
    (example,) = re.findall(r"^```haproxy\n(.*?)^```", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    settings = example.replace("127.0.0.1:5000", f"127.0.0.1:{port}")
    for number, node in enumerate(nodes, 1):
        address = f"{node.host}:{node.port} check port {urlsplit(node.rest).port}"
        settings = settings.replace(f"10.0.0.{number}:5432 check port 8008", address)
    assert "10.0.0" not in settings
    file = folder / "haproxy.cfg"
    file.write_text(settings)
    proxy = subprocess.Popen(["haproxy", "-db", "-f", str(file)], stderr=subprocess.DEVNULL)
    try:
        yield nodes[0].url.replace(f"{nodes[0].host}:{nodes[0].port}", f"127.0.0.1:{port}")
    finally:
        proxy.terminate()
        proxy.wait(PATIENCE)
