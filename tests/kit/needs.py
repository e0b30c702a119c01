"""Programs that some tests run and that pip cannot bring.

`@needs("php")` skips a test where PHP is missing and says so. In CI (`CI=true`) it fails
instead: there, a test that did not run is a test that did not pass. `scripts/test-deps`
installs everything in the table below.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from esito_cluster.patroni_program import PatroniMissing, find_patroni
from tests.torture.disk import may_cut
from tests.torture.network import may_route

PEERS = Path(__file__).parents[1] / "peers"


def program(name: str) -> Callable[[], bool]:
    return lambda: shutil.which(name) is not None


def php_has_curl() -> bool:
    asked = subprocess.run(["php", "--ri", "curl"], capture_output=True, check=False) if shutil.which("php") else None
    return asked is not None and asked.returncode == 0


def npm_package(name: str) -> Callable[[], bool]:
    return lambda: shutil.which("node") is not None and (PEERS / "node_modules" / name).is_dir()


def mounts() -> bool:
    """Return whether this process may mount: a container often may not, even as root."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        return False
    tried = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def tracing() -> bool:
    """Return whether strace is there and may attach."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


def cuts(kind: str) -> Callable[[], bool]:
    return lambda: may_cut(kind)


def postgres() -> bool:
    """Return whether a PostgreSQL server can be started: it refuses to run as root."""
    may_run = os.geteuid() != 0 or shutil.which("runuser") is not None
    return may_run and bool(list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb"))


def patroni() -> bool:
    """Return whether there is a Patroni that the user who runs PostgreSQL may run."""
    try:
        asyncio.run(find_patroni())
    except PatroniMissing:
        return False
    return True


def beside_python(name: str) -> Callable[[], bool]:
    """Look for a program where pip puts it, which need not be in PATH."""
    return lambda: Path(sys.executable).with_name(name).exists() or shutil.which(name) is not None


NEEDS: dict[str, Callable[[], bool]] = {
    "php": program("php"),
    "php-curl": php_has_curl,
    "curl": program("curl"),
    "node": program("node"),
    "openssl": program("openssl"),
    "haproxy": program("haproxy"),
    "cc": program("cc"),
    "slowhttptest": program("slowhttptest"),
    "strace": tracing,
    "mounts": mounts,
    "ext4 cuts": cuts("ext4"),
    "xfs cuts": cuts("xfs"),
    "network namespaces": may_route,
    "atheris": lambda: find_spec("atheris") is not None,
    "npm smpp": npm_package("smpp"),
    "postgres": postgres,
    "nats": beside_python("nats-server"),
    "etcd": program("etcd"),
    "patroni": patroni,
}


FORBIDDABLE = {
    "mounts": "this machine forbids mounts",
    "strace": "this machine forbids tracing",
    "ext4 cuts": "this machine forbids loop devices with ext4",
    "xfs cuts": "this machine forbids loop devices with xfs",
    "network namespaces": "this machine forbids network namespaces",
}
"""What no installation brings where the machine does not allow it: such a test is skipped by name, in CI too."""


def needs(*names: str) -> pytest.MarkDecorator:
    """Mark a test that runs these programs; a name that is not in the table is an error at once."""
    for name in names:
        if name not in NEEDS:
            raise KeyError(f"{name!r} is not in the table of tests/kit/needs.py")
    return pytest.mark.needs(*names)


@cache
def is_there(name: str) -> bool:
    """Return whether this can be run here; looked at once, as a look may take what a running test uses."""
    return NEEDS[name]()


def stop_without(names: tuple[str, ...]) -> None:
    """Skip the running test if one of these is missing; in CI, fail it."""
    missing = [name for name in names if not is_there(name)]
    if not missing:
        return
    forbidden = [FORBIDDABLE[name] for name in missing if name in FORBIDDABLE]
    if len(forbidden) == len(missing):
        pytest.skip("; ".join(forbidden))
    sentence = f"needs {', '.join(missing)}: run `make test` as root, or install it"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
