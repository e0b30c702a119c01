"""`scripts/bootstrap.py` as a stranger's machine meets it.

It runs as a program in a checkout of its own, and the package index it asks may be wrong.
"""

import io
import os
import platform
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from scripts import bootstrap
from tests.kit.patience import PATIENCE

ROOT = Path(__file__).parents[1]
MACHINE = (platform.system(), platform.machine())
PAGE = "/simple/uv/"

pinned = pytest.mark.skipif(MACHINE not in bootstrap.UV_WHEELS, reason="no uv is pinned for this machine")


class Index(ThreadingHTTPServer):
    """A package index that offers what a test gives it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.pages: dict[str, bytes] = {}
        self.authorizations: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"


class Answer(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path)
        self.server.authorizations.append(self.headers["Authorization"])
        self.send_response(404 if page is None else 200)
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("scripts/bootstrap.py", "pyproject.toml", "tools/cluster/pyproject.toml", "uv.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def set_up(checkout: Path, index_url: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script with no site-packages, hence no pip, after the given lines of Python."""
    program = f"import runpy, sys\n{before}\nrunpy.run_path('scripts/bootstrap.py', run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        cwd=checkout,
        env={"PATH": os.defpath, "HOME": str(checkout), "PIP_INDEX_URL": index_url, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def uv_wheel() -> str:
    return f"uv-{bootstrap.UV_VERSION}-py3-none-{bootstrap.UV_WHEELS[MACHINE][0]}.whl"


def wheel_holding(program: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"uv-{bootstrap.UV_VERSION}.data/scripts/uv", program)
    return content.getvalue()


def tools_of(checkout: Path) -> list[Path]:
    return [path for path in (checkout / ".tools").rglob("*") if path.is_file()]


@pinned
def test_a_wheel_with_another_hash_is_refused_and_leaves_nothing(checkout: Path, index: Index) -> None:
    index.pages = {
        PAGE: f'<a href="../../files/{uv_wheel()}#sha256=00">{uv_wheel()}</a>'.encode(),
        f"/files/{uv_wheel()}": wheel_holding(b"#!/bin/sh\ntouch stolen\n"),
    }
    done = set_up(checkout, index.url)
    assert done.returncode == 1
    assert "does not have the hash" in done.stderr
    assert tools_of(checkout) == []
    assert not (checkout / "stolen").exists()


@pinned
def test_an_index_without_the_pinned_wheel_is_named(checkout: Path, index: Index) -> None:
    index.pages = {PAGE: b'<a href="uv-0.0.1-py3-none-any.whl">uv-0.0.1-py3-none-any.whl</a>'}
    done = set_up(checkout, index.url)
    assert done.returncode == 1
    assert f"/simple/uv/ does not offer {uv_wheel()}" in done.stderr


@pinned
def test_an_index_that_is_not_there_is_named(checkout: Path, index: Index) -> None:
    done = set_up(checkout, index.url)
    assert done.returncode == 1
    assert "cannot read http://127.0.0.1" in done.stderr
    assert "404" in done.stderr


@pinned
def test_a_link_to_a_file_of_this_machine_is_refused(checkout: Path, index: Index) -> None:
    index.pages = {PAGE: f'<a href="file:///etc/{uv_wheel()}">{uv_wheel()}</a>'.encode()}
    done = set_up(checkout, index.url)
    assert done.returncode == 1
    assert "is not an http address" in done.stderr


@pinned
def test_the_password_of_an_index_reaches_the_index_and_is_not_shown(checkout: Path, index: Index) -> None:
    done = set_up(checkout, index.url.replace("//", "//reader:hush@"))
    assert done.returncode == 1
    assert index.authorizations == ["Basic cmVhZGVyOmh1c2g="]
    assert "cannot read http://127.0.0.1" in done.stderr
    assert "hush" not in done.stderr + done.stdout


def test_a_python_that_is_too_old_is_told_so(checkout: Path) -> None:
    done = set_up(checkout, "http://127.0.0.1:9/simple", before="sys.version_info = (3, 10, 4, 'final', 0)")
    assert done.returncode == 1
    assert "Esito needs Python 3.11 or newer" in done.stderr


def test_a_machine_without_a_pinned_uv_is_told_what_to_do(checkout: Path) -> None:
    before = "import platform; platform.machine = lambda: 'pdp11'"
    done = set_up(checkout, "http://127.0.0.1:9/simple", before=before)
    assert done.returncode == 1
    assert f"put uv {bootstrap.UV_VERSION} on the PATH" in done.stderr


def test_nothing_is_fetched_when_nothing_has_changed(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").touch()
    stamp = "from pathlib import Path; sys.path.insert(0, 'scripts'); import bootstrap; "
    done = set_up(
        checkout, "http://127.0.0.1:9/simple", before=stamp + "bootstrap.STAMP.write_text(bootstrap.fingerprint())"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with (checkout / "uv.lock").open("a") as lock:
        lock.write("# changed\n")
    assert set_up(checkout, "http://127.0.0.1:9/simple").returncode == 1
