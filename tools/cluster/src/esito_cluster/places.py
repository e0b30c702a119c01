"""Where a server runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """On which address, and under which program, such as one that enters a network namespace."""

    host: str = "127.0.0.1"
    before: tuple[str, ...] = ()


LOOPBACK = Place()
