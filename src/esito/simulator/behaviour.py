"""How an operator behaves: the fate of each message, and when its receipts come.

A `Behaviour` is what a script file may set. A `Chooser` adds chance: with the same seed,
the same numbers in the same order get the same fates.
"""

import math
import random
from collections.abc import Mapping

import msgspec

from esito.domain.states import MessageState
from esito.domain.timing import MINUTE_MS, VALIDITY_MS
from esito.simulator.fates import ENDINGS, ERRORS, FATES, LATE_MS, SHARES, Fate
from esito.simulator.ids import IdKind, IdNotation
from esito.simulator.trouble import Scheduled


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """The usual delay: log-normal, so half come within the median and a few take very long.

    With sigma 2: 80 % within 16 s, 95 % within 81 s, 99 % within 5 min 15 s.
    """

    median_ms: int = 3_000
    sigma: float = 2.0
    """Standard deviation of the delay's natural logarithm."""
    longest_ms: int = VALIDITY_MS - MINUTE_MS


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that distinguishes one operator from another."""

    fates: Mapping[str, Fate] = msgspec.field(default_factory=FATES.copy)
    endings: Mapping[str, str] = msgspec.field(default_factory=ENDINGS.copy)
    """Last digits of a destination, and the name of the fate they choose; the longest match wins."""
    shares: Mapping[str, float] = msgspec.field(default_factory=SHARES.copy)
    """The share of each fate among all other numbers, in any unit."""
    delay: Delay = Delay()
    submit_per_second: int = 0
    """More are answered ESME_RTHROTTLED; 0: unlimited."""
    zone: str = "UTC"
    """The zone of the dates in receipts."""
    ids: IdKind = IdKind.COUNTER
    """How it makes its ids."""
    ids_start: int | None = None
    """The first number of its counter; None: a random one of eight digits."""
    ids_wrap: int = 0
    """After so many ids the first one comes again; 0: never."""
    response_id: IdNotation | None = None
    receipt_id: IdNotation | None = None
    """Notation of the id in submit_sm_resp and in receipts; None: as `ids` says."""
    troubles: tuple[Scheduled, ...] = ()
    """Troubles, and when they come."""


class Said(msgspec.Struct, frozen=True, gc=False):
    """One word of the operator about a message, and when it comes."""

    after_ms: int
    state: MessageState
    error: str


class Chooser:
    """Chooses fates and delays."""

    def __init__(self, behaviour: Behaviour, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311  a simulator's dice, nothing secret
        self._endings = {ending: behaviour.fates[name] for ending, name in behaviour.endings.items()}
        self._lengths = sorted({len(ending) for ending in self._endings}, reverse=True)
        self._others = [behaviour.fates[name] for name in behaviour.shares]
        self._weights = list(behaviour.shares.values())
        self._delay = behaviour.delay
        self._mu = math.log(behaviour.delay.median_ms)

    def fate_of(self, msisdn: str) -> Fate:
        """Return the fate of a message to this number."""
        for length in self._lengths:
            fate = self._endings.get(msisdn[-length:])
            if fate is not None:
                return fate
        return self._random.choices(self._others, self._weights)[0]

    def plan(self, fate: Fate, validity_ms: int = VALIDITY_MS) -> tuple[Said, ...]:
        """Return the words about a message of this fate, in the order of sending.

        The first one that would come after the validity period becomes EXPIRED at its end, and no other follows.
        """
        plan: list[Said] = []
        for word in fate.words:
            after_ms = word.after_ms if word.after_ms is not None else self._draw(late=fate.late)
            if after_ms >= validity_ms:
                plan.append(Said(validity_ms, MessageState.EXPIRED, ERRORS[MessageState.EXPIRED]))
                break
            plan.append(Said(after_ms, word.state, word.error or ERRORS[word.state]))
        return tuple(plan)

    def _draw(self, *, late: bool) -> int:
        if late:
            # Uniform on a logarithmic scale: as many between 1 and 2 hours as between 24 and 48.
            first, last = LATE_MS
            return int(first * math.exp(self._random.random() * math.log(last / first)))
        return min(int(self._random.lognormvariate(self._mu, self._delay.sigma)), self._delay.longest_ms)
