"""What a program leaves running ends with it, and with whoever began it, however that ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito_cluster.families import family_of, signal_all
from tests.kit.patience import PATIENCE, wait_until

LEAVES_ONE = "setsid sleep 600 & sleep 0.2; exec sleep 600"
"""A shell whose child is in a session of its own, as PostgreSQL is under Patroni."""


@pytest.fixture
def guard() -> Iterator[subprocess.Popen[bytes]]:
    """A guard over a program with a child that nobody would end."""
    words = [sys.executable, "-m", "esito_cluster.guard", "nobody", "sh", "-c", LEAVES_ONE]
    with subprocess.Popen(words) as begun:
        wait_until(lambda: len(family_of(begun.pid)) == 2)
        yield begun
        signal_all(family_of(begun.pid), signal.SIGKILL)
        begun.kill()


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_it_ends_what_a_killed_program_left(guard: subprocess.Popen[bytes]) -> None:
    program, left = sorted(family_of(guard.pid))
    os.kill(program, signal.SIGKILL)
    guard.wait(PATIENCE)
    assert not is_there(left)


@pytest.mark.slow
def test_told_that_its_owner_is_gone_it_ends_everything_even_what_sleeps(guard: subprocess.Popen[bytes]) -> None:
    family = family_of(guard.pid)
    signal_all(family, signal.SIGSTOP)
    guard.send_signal(signal.SIGHUP)
    guard.wait(PATIENCE)
    assert not any(map(is_there, family))
