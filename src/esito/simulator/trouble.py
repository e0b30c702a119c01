"""What goes wrong at an operator for a while: it is switched while the simulator runs, by a script or by its owner."""

import time
from enum import Enum

import msgspec

from esito.simulator.meter import Meter
from esito.smpp.pdu import DataSm, Status, SubmitSm


class TroubleKind(Enum):
    """What may go wrong."""

    THROTTLED = "throttled"
    """More than `per_second` submit_sm are answered ESME_RTHROTTLED; 0: all are."""
    FULL = "full"
    """submit_sm for numbers that begin with one of `prefixes` are answered ESME_RMSGQFUL."""
    REFUSING = "refusing"
    """Every submit_sm is answered with `status`."""
    BLACK_HOLE = "black-hole"
    """submit_sm are dropped without any answer; enquire_link is answered."""
    BINDS_REFUSED = "binds-refused"
    """Binds are answered with `status`; sessions that are bound stay."""
    UNBIND = "unbind"
    """At its beginning every session is unbound; nothing keeps it from binding again."""
    DISCONNECT = "disconnect"
    """At its beginning every connection is lost without a word."""
    AWAY = "away"
    """Nobody listens, and every connection is lost."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that goes wrong."""

    kind: TroubleKind
    per_second: int = 0
    prefixes: tuple[str, ...] = ()
    status: int = Status.ESME_RINVPASWD


class Scheduled(msgspec.Struct, frozen=True, kw_only=True):
    """A trouble of a script; seconds of real time."""

    trouble: Trouble
    after: float
    """Since the simulator has started."""
    lasts: float
    every: float = 0.0
    """It comes again so long after its beginning; 0: once."""


class Troubles:
    """What goes wrong now, and what that does to a submit_sm or a bind."""

    def __init__(self) -> None:
        self._now: dict[Trouble, Meter | None] = {}

    @property
    def now(self) -> frozenset[Trouble]:
        """What goes wrong."""
        return frozenset(self._now)

    def begin(self, trouble: Trouble) -> None:
        """Let it go wrong until `end`."""
        limited = trouble.kind is TroubleKind.THROTTLED and trouble.per_second > 0
        self._now[trouble] = Meter(trouble.per_second) if limited else None

    def end(self, trouble: Trouble) -> None:
        """Let it be over; does nothing when it does not go on."""
        self._now.pop(trouble, None)

    def swallows(self) -> bool:
        """Tell whether submit_sm are dropped."""
        return any(one.kind is TroubleKind.BLACK_HOLE for one in self._now)

    def status_of(self, pdu: SubmitSm | DataSm) -> int:
        """Return the command_status with which a message is refused; ESME_ROK: it is not."""
        for one, meter in self._now.items():
            match one.kind:
                case TroubleKind.REFUSING:
                    return one.status
                case TroubleKind.FULL if pdu.destination_addr.lstrip("+").startswith(one.prefixes):
                    return Status.ESME_RMSGQFUL
                case TroubleKind.THROTTLED if meter is None or not meter.passes(time.monotonic()):
                    return Status.ESME_RTHROTTLED
                case _:
                    pass
        return Status.ESME_ROK

    def bind_status(self) -> int:
        """Return the command_status with which binds are refused; ESME_ROK: they are not."""
        return next((one.status for one in self._now if one.kind is TroubleKind.BINDS_REFUSED), Status.ESME_ROK)
