"""How links are listed: whole for programs, and readable in a terminal of any width."""

import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

FILE = """
[http]
listen = "127.0.0.1:{port}"
[[link]]
name = "north"
host = "smpp.a-rather-long-name.north.example"
bind = "transmitter + receiver"
sessions = 2
prefixes = ["+33", "+376", "+377"]
[[link]]
name = "a-link-whose-name-is-as-long-as1"
operator = "iberia"
port = 3550
enabled = false
"""
NORTH = ("north", "north", "smpp.a-rather-long-name.north.example:2775", "2 x transmitter + receiver", "+33 +376 +377")
LONG = ("a-link-whose-name-is-as-long-as1", "iberia", "127.0.0.1:3550", "transceiver", "all others")

SHORT = """\
north: unknown, 2 x transmitter + receiver at smpp.a-rather-long-name.north.example:2775
  prefixes +33 +376 +377, id form not known
a-link-whose-name-is-as-long-as1: disabled, transceiver at 127.0.0.1:3550
  operator iberia, prefixes all others, id form not known
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with settings whose server does not run, nor any other at its address."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        settings = FILE.replace("{port}", str(silent.getsockname()[1]))
        (tmp_path / "esito.toml").write_text(settings, encoding="utf-8")
        yield tmp_path


def in_a_terminal(folder: Path, columns: int) -> str:
    """Return what a terminal of so many columns shows."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "xterm"}
    command = [sys.executable, "-m", "esito", "link", "list"]
    process = subprocess.Popen(command, cwd=folder, env=environ, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # so a terminal says that nobody is there any more
        pass
    os.close(ours)
    assert process.wait() == 0
    return shown.decode().replace("\r\n", "\n")


def test_a_program_gets_a_line_for_each_link_with_nothing_cut(run: Callable[..., Result], folder: Path) -> None:
    done = run("link", "list", "--config", str(folder / "esito.toml"), COLUMNS="20")
    assert [tuple(line.split("\t")) for line in done.stdout.splitlines()] == [
        (*NORTH, "not known", "file", "unknown"), (*LONG, "not known", "file", "disabled"),
    ]  # fmt: skip
    assert "The server does not answer" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("columns", [40, 80, 99, 120])
def test_a_terminal_without_room_shows_two_short_lines_for_each_link(folder: Path, columns: int) -> None:
    assert in_a_terminal(folder, columns) == SHORT


@pytest.mark.slow
def test_a_wide_terminal_shows_a_table_in_which_nothing_is_folded(folder: Path) -> None:
    lines = in_a_terminal(folder, 170).splitlines()
    rows = [tuple(cell.strip() for cell in line.split("│")[1:-1]) for line in lines if "│" in line]
    assert rows == [(*NORTH, "not known", "unknown"), (*LONG, "not known", "disabled")]
    (folder / "esito.toml").write_text('[[link]]\nname = "north"\n', encoding="utf-8")
    assert "│ north │ north" in in_a_terminal(folder, 100)
    assert "north: unknown" in in_a_terminal(folder, 99)
