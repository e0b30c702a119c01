"""A terminal in which the blocks of a document are run, in their order, as its reader would type them.

Servers (`esito serve`, `esito demo`, `esito smsc`, `esito listen`, `make run`) go on while the rest is typed, and end
with the terminal; what their documents show behind a line `...` is printed by then. Addresses that documents show are
exchanged for free ones, keys for those that were printed.
"""

import os
import re
import shlex
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from esito_cluster.process import free_port
from tests.kit.commands import environment
from tests.kit.console import ANY_LINES, Step, keys_among
from tests.kit.documents import ROOT
from tests.kit.patience import PATIENCE, wait_until

LOCAL = re.compile(r"\b127\.0\.0\.1:(?P<port>[1-9]\d+)\b|(?<=^port = )(?P<setting>\d+)", re.MULTILINE)
MAKES_OWN = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
"""What `make test` tells the makes that it starts: those of a page are nobody's."""

GOES_ON = re.compile(r"^(?:make run\b|(?:\.venv/bin/)?esito (?:serve|demo|smsc|listen)\b)")
ASKS = re.compile(r"^(?:(?:\.venv/bin/)?esito (?:status|explain|tail|callbacks|orphans|link list)\b|curl (?!.*-X))")
"""Commands that change nothing: they are asked again until the answer is there."""
UNREACHABLE = re.compile("cannot be reached|could not be reached|cannot connect|Could not connect|Connection refused")
USUAL = {
    "make run": ("127.0.0.1:8000", "make run ARGS='--listen {}'"),
    "esito listen": ("127.0.0.1:9000", "esito listen --listen {}"),
}
"""Servers that listen where their documents do not say, and how they are told to listen elsewhere."""


class Running(NamedTuple):
    """A server that was begun."""

    step: Step
    """All that it must have printed in the end."""
    process: subprocess.Popen[bytes]
    log: Path


class Terminal:
    """A shell that keeps its variables and its folder from command to command."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self._variables = folder.parent / f"{folder.name}.variables"
        self._variables.write_text("")
        own = {"PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120", "HOME": str(folder)}
        inherited = {name: value for name, value in environment().items() if name not in MAKES_OWN}
        self._environment = inherited | own | variables
        self._real: dict[str, str] = {}
        self._running: list[Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:
                for one in self._running:
                    self._await(one)
        finally:
            self._end()

    def _end(self) -> None:
        for one in reversed(self._running):
            with suppress(ProcessLookupError):
                os.killpg(one.process.pid, signal.SIGINT)
            try:
                one.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(one.process.pid, signal.SIGKILL)
                one.process.wait()
                raise

    def run(self, step: Step) -> None:
        """Type a command. Raises AssertionError when it prints something else than its document shows, or fails."""
        command = self.as_here(step.command)
        if GOES_ON.match(command):
            self._begin(step, command)
        else:
            self._do(step, command)

    def as_here(self, text: str) -> str:
        """Return a text with the addresses and keys of this terminal in the place of those that documents show."""
        for found in LOCAL.finditer(text):
            shown = found["port"] or found["setting"]
            self._real.setdefault(f":{shown}", f":{free_port()}")
        text = LOCAL.sub(lambda found: self._address(found[0]), text)
        for shown, real in self._real.items():
            text = text if shown.startswith(":") else text.replace(shown, real)
        return text

    def _address(self, text: str) -> str:
        host, colon, port = text.rpartition(":")
        return f"{host}{self._real[f':{port}']}" if colon else self._real[f":{port}"].removeprefix(":")

    def _as_shown(self, text: str) -> str:
        for shown, real in self._real.items():
            if shown.startswith(":"):
                text = text.replace(f"127.0.0.1{real}", f"127.0.0.1{shown}")
        return text

    def _takes(self, step: Step, printed: str) -> bool:
        """Return whether a document shows what was printed; note the keys in it."""
        keys = keys_among(step.shown, self._as_shown(printed))
        self._real.update(keys or {})
        return keys is not None

    def _begin(self, step: Step, command: str) -> None:
        if command in USUAL:
            address, elsewhere = USUAL[command]
            command = elsewhere.format(self.as_here(address))
        log = self.folder.parent / f"{self.folder.name}.{len(self._running)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", self._with_variables(f"exec {command.rstrip(' &')}")], cwd=self.folder,
                env=self._environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        later = step.shown.index(ANY_LINES) if ANY_LINES in step.shown else len(step.shown)
        self._running.append(Running(step, process, log))
        first = Running(Step(command=step.command, shown=step.shown[:later]), process, log)
        self._await(first)

    def _await(self, one: Running) -> None:
        wait_until(lambda: self._has_told(one), lambda: _differs(one.step, _read(one.log)))

    def _has_told(self, one: Running) -> bool:
        printed = _read(one.log)
        assert one.process.poll() is None, f"{one.step.command} ended: {printed}"
        return self._takes(one.step, printed)

    def _do(self, step: Step, command: str) -> None:
        last = ""

        def is_done() -> bool:
            nonlocal last
            done = subprocess.run(
                ["bash", "-c", self._and_keep(command)], cwd=self.folder, env=self._environment, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
            )  # fmt: skip
            last = done.stdout.decode()
            good = done.returncode == step.status and self._takes(step, last)
            may_wait = ASKS.match(command) or UNREACHABLE.search(last)
            assert good or may_wait, f"{_differs(step, last)}\n(exit status {done.returncode})"
            return good

        wait_until(is_done, lambda: _differs(step, last))

    def _with_variables(self, command: str) -> str:
        return f". {shlex.quote(str(self._variables))}; {command}"

    def _and_keep(self, command: str) -> str:
        kept = shlex.quote(str(self._variables))
        keep = f"{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} > {kept}"
        return self._with_variables(f"trap {shlex.quote(keep)} EXIT\n{command}\n")


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8")


def _differs(step: Step, printed: str) -> str:
    shown = "\n".join(step.shown)
    return f"$ {step.command}\n--- shown\n{shown}\n--- printed\n{printed}"
