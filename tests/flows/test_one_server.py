"""Of a SQLite file there is one server; everything else may work with it beside that."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from esito.domain.errors import StoreInUse, StoreUnavailable
from esito.store.sqlite.serving import lock_file, only_server
from esito_cluster.process import free_port
from tests.kit.live import live_server
from tests.kit.patience import PATIENCE


def second_on(first: Path, folder: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Run another server, on another port, with the database of the first."""
    config = folder / "second.toml"
    written = re.sub(r"listen = .*", f'listen = "127.0.0.1:{free_port()}"', first.read_text(encoding="utf-8"))
    config.write_text(re.sub(r"url = .*", f'url = "{url}"', written), encoding="utf-8")
    words = [sys.executable, "-m", "esito", "serve", "--config", str(config)]
    return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False, env=dict(os.environ))


def test_a_second_server_is_refused_with_a_sentence_and_other_commands_are_not(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        link = tmp_path / "other.db"
        link.symlink_to(tmp_path / "esito.db")
        for path in (tmp_path / "esito.db", link):
            done = second_on(server.config_path, tmp_path, f"sqlite:///{path}")
            assert done.returncode == 1, done.stderr
            assert f"another server works with {path}" in done.stderr
            assert "Traceback" not in done.stderr
        server.esito("check")
        server.esito("account", "create", "other")
        server.esito("store", "backup", str(tmp_path / "copy.db"))
        number = server.send("+33612345678", sandbox=1)
        assert server.status(number).status_code == 200


def test_a_server_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        lock = lock_file(tmp_path / "esito.db")
        assert lock.exists()
        with pytest.raises(StoreInUse), only_server(tmp_path / "esito.db"):
            pass
        server.process.kill()
        server.process.wait()
        with only_server(tmp_path / "esito.db"):
            assert lock.exists()


def test_a_lock_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot make"), only_server(tmp_path / "file" / "esito.db"):
        pass
