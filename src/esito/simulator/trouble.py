"""Troubles of an operator, switched on and off while the simulator runs, by a script or by its owner."""

import time
from enum import Enum

import msgspec

from esito.smpp.pdu import DataSm, Status, SubmitSm


class TroubleKind(Enum):
    """Kinds of trouble."""

    THROTTLED = "throttled"
    """More than `per_second` submit_sm are answered ESME_RTHROTTLED; 0: all are."""
    FULL = "full"
    """submit_sm for numbers that begin with one of `prefixes` are answered ESME_RMSGQFUL."""
    REFUSING = "refusing"
    """Every submit_sm is answered with `status`."""
    BLACK_HOLE = "black-hole"
    """submit_sm get no response; enquire_link does."""
    BINDS_REFUSED = "binds-refused"
    """Binds are answered with `status`; bound sessions stay bound."""
    UNBIND = "unbind"
    """Every session is unbound when it begins, and may bind again at once."""
    DISCONNECT = "disconnect"
    """Every connection is dropped when it begins, without an unbind."""
    AWAY = "away"
    """Every connection is dropped, and nothing listens."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble."""

    kind: TroubleKind
    per_second: int = 0
    prefixes: tuple[str, ...] = ()
    status: int = Status.ESME_RINVPASWD


class Scheduled(msgspec.Struct, frozen=True, kw_only=True):
    """A trouble of a script; seconds of real time."""

    trouble: Trouble
    after: float
    """Since the simulator started."""
    lasts: float
    every: float = 0.0
    """How long after its beginning it begins again; 0: it comes once."""


class Meter:
    """Lets a number pass per second of real time, and as many at once after a quiet second."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._left = float(per_second)
        self._filled_at = 0.0

    def passes(self, now: float) -> bool:
        """Tell whether one more may pass; `now`: seconds of a monotonic clock."""
        if not self._per_second:
            return True
        self._left = min(self._per_second, self._left + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Troubles:
    """The current troubles, and what they do to a submit_sm or a bind."""

    def __init__(self) -> None:
        self._now: dict[Trouble, Meter | None] = {}

    @property
    def now(self) -> frozenset[Trouble]:
        """The current troubles."""
        return frozenset(self._now)

    def begin(self, trouble: Trouble) -> None:
        """Switch a trouble on."""
        limited = trouble.kind is TroubleKind.THROTTLED and trouble.per_second > 0
        self._now[trouble] = Meter(trouble.per_second) if limited else None

    def end(self, trouble: Trouble) -> None:
        """Switch a trouble off; do nothing if it is not on."""
        self._now.pop(trouble, None)

    def swallows(self) -> bool:
        """Tell whether submit_sm get no response."""
        return any(one.kind is TroubleKind.BLACK_HOLE for one in self._now)

    def status_of(self, pdu: SubmitSm | DataSm) -> int:
        """Return the command_status that refuses a message; ESME_ROK: none."""
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
        """Return the command_status that refuses binds; ESME_ROK: none."""
        return next((one.status for one in self._now if one.kind is TroubleKind.BINDS_REFUSED), Status.ESME_ROK)
