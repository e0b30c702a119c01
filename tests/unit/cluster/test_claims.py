"""No two processes are given the same port, though nobody listens on it yet."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from esito_cluster.process import claim, free_port
from tests.kit.patience import PATIENCE

ANOTHER = """
import sys
from esito_cluster.process import claim
for line in sys.stdin:
    print(claim(int(line)), flush=True)
"""


class Another:
    """Another process that claims numbers."""

    def __init__(self) -> None:
        words = [sys.executable, "-c", ANOTHER]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def claims(self, number: int) -> bool:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() == "True\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


@pytest.fixture
def another() -> Iterator[Another]:
    begun = Another()
    yield begun
    begun.kill()


def test_a_port_that_was_given_is_given_to_nobody_else(another: Another) -> None:
    given = [free_port() for _ in range(5)]
    assert len(set(given)) == 5
    assert not any(another.claims(port) for port in given)


def test_what_a_process_has_claimed_is_free_when_it_is_killed(another: Another) -> None:
    number = free_port() + (1 << 20)
    assert another.claims(number)
    assert not claim(number)
    another.kill()
    assert claim(number)
