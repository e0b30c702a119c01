"""A network of three hosts in namespaces: us, a router, the operator. The router can stop forwarding.

Then packets vanish in both directions while both ends see a network that is up: a half-open link.
The addresses are of 198.18.0.0/15, which is set aside for such trials (RFC 2544).
"""

import ctypes
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from esito_cluster.process import claim
from tests.kit.patience import PATIENCE
from tests.torture.witness import Witness

CLONE_NEWNET = 0x40000000


def _is_routed(number: int) -> bool:
    routes = subprocess.run(["ip", "route", "show"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    return f"198.18.{number}." in routes.stdout


BEYOND_PORTS = 1 << 16

_numbers = (number for number in range(256) if not _is_routed(number) and claim(BEYOND_PORTS + number))
"""Two networks at once, of whichever processes, must not share addresses; a run that was killed may have left some."""


@dataclass(frozen=True, slots=True)
class Network:
    """The route from this namespace over a router to the operator's."""

    name: str = field(default_factory=lambda: f"es{os.getpid()}")
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def _net(self) -> str:
        return f"198.18.{self.number}"

    @property
    def ours(self) -> str:
        return f"{self._net}.1"

    @property
    def operators(self) -> str:
        return f"{self._net}.6"

    def __enter__(self) -> Self:
        router, far, name, net = self.router, self.far, self.name, self._net
        lines = [
            f"netns add {router}",
            f"netns add {far}",
            f"link add {name}a type veth peer name {name}b netns {router}",
            f"-n {router} link add {name}c type veth peer name {name}d netns {far}",
            f"addr add {self.ours}/30 dev {name}a",
            f"-n {router} addr add {net}.2/30 dev {name}b",
            f"-n {router} addr add {net}.5/30 dev {name}c",
            f"-n {far} addr add {self.operators}/30 dev {name}d",
            f"link set {name}a up",
            f"-n {router} link set {name}b up",
            f"-n {router} link set {name}c up",
            f"-n {far} link set {name}d up",
            f"-n {far} link set lo up",
            f"route add {net}.4/30 via {net}.2",
            f"-n {far} route add {net}.0/30 via {net}.5",
        ]
        try:
            for line in lines:
                ip(*line.split())
            self.forward(True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # Gone when the command returns, its route too; with its namespace it would go some time later.
        subprocess.run(["ip", "link", "del", f"{self.name}a"], capture_output=True, check=False)
        for namespace in (self.router, self.far):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)

    @property
    def router(self) -> str:
        return f"{self.name}r"

    @property
    def far(self) -> str:
        return f"{self.name}f"

    def forward(self, wanted: bool) -> None:
        """Let packets pass, or drop them all."""
        ip("netns", "exec", self.router, "sh", "-c", f"echo {int(wanted)} > /proc/sys/net/ipv4/ip_forward")


class FarWitness(Witness):
    """The operator on its own host."""

    def __init__(self, network: Network) -> None:
        super().__init__(host=network.operators)
        self._network = network

    def run(self) -> None:
        with Path("/run/netns", self._network.far).open() as namespace:
            moved = ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET)  # this thread only
            assert moved == 0, os.strerror(ctypes.get_errno())
        super().run()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=PATIENCE)


def may_route() -> bool:
    """Return whether this machine lets us make namespaces and veth pairs."""
    try:
        with Network(f"et{os.getpid()}"):
            return True
    except (OSError, subprocess.SubprocessError):
        return False
