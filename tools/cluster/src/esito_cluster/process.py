"""One process that we run beside us: it writes to a log file, and does not outlive us."""

import asyncio
import ctypes
import fcntl
import os
import pwd
import random
import signal
import socket
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class ProcessFailed(Exception):
    """A process that we need ended, or never became ready; the text says which and where its log is."""


class Process:
    """A program with its arguments; it may be started again after it has ended."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        user: str | None = None,
        env: Mapping[str, str | None] | None = None,
        at_our_end: signal.Signals = signal.SIGKILL,
    ) -> None:
        """`user`: who it runs as, when we are root; `env`: what is added to our own environment; None takes away.

        `at_our_end`: the signal that it gets when we die.
        """
        self.name = name
        self.log = log
        self._argv = [str(word) for word in argv]
        self._user = user if os.geteuid() == 0 else None
        self._env = {name: value for name, value in {**os.environ, **(env or {})}.items() if value is not None}
        self._at_our_end = at_our_end
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The number of the running process. Raises ProcessFailed when none runs."""
        if self._process is None or self._process.returncode is not None:
            raise ProcessFailed(f"{self.name} does not run; see {self.log}")
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; its output is appended to the log."""
        identity = pwd.getpwnam(self._user) if self._user else None
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env if identity is None else {**self._env, "HOME": identity.pw_dir},
                start_new_session=True,  # Ctrl-C is for us; we take leave of each in turn
                preexec_fn=partial(_hear_of_our_end, self._at_our_end),
                user=None if identity is None else identity.pw_uid,
                group=None if identity is None else identity.pw_gid,
                extra_groups=None if identity is None else [],
                cwd=None if identity is None else "/",  # it may not be let into ours
            )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal. Raises ProcessFailed when it does not run."""
        os.kill(self.pid, number)

    async def wait(self) -> int:
        """Wait for its end; return its exit code, negative for a signal."""
        return 0 if self._process is None else await self._process.wait()

    async def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        if self.runs:
            with suppress(ProcessLookupError):  # it has ended by itself, and nobody has told us yet
                self.send(signal.SIGKILL)
        await self.wait()

    async def stop(self, *, number: signal.Signals = signal.SIGTERM, within: float = 10.0) -> None:
        """Ask it to end; after `within` seconds end it."""
        if not self.runs:
            return
        self.send(signal.SIGCONT)  # a stopped process hears nothing
        self.send(number)
        try:
            async with asyncio.timeout(within):
                await self.wait()
        except TimeoutError:
            await self.kill()


def _hear_of_our_end(number: signal.Signals) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))


BELOW_EPHEMERAL = range(12_000, 32_000)
"""Linux gives ports from 32768 on to connections that go out, other systems from 49152 on."""


_given: set[int] = set()
"""What was chosen in this process; whoever it was for may not listen yet, or may be about to listen again."""


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nobody listens on or was given before, and that no outgoing connection is given by chance.

    A server is often started seconds after its port was chosen. Ports of the kernel's own range may be taken by then.
    """
    for port in random.sample(BELOW_EPHEMERAL, 200):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((host, port))
            if port not in _given and claim(port):
                _given.add(port)
                return port
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def claim(number: int) -> bool:
    """Take a number for as long as this process lives, unless another process of this user has it.

    A number is an octet of a file that is locked: the lock ends with the process however that ends.
    """
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except OSError:
        return False
    return True


@cache
def _claims() -> int:
    """Open the file of numbers; it stays open, as closing it would give all of them back."""
    place = Path(tempfile.gettempdir(), f"esito-numbers-{os.geteuid()}")
    return os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
