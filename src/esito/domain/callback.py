"""Callbacks: what a sender's own server is told, how often we try, and when we give up (contract 3.1, design 6)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import IntEnum

from esito.domain.pricing import as_number, from_micros
from esito.domain.slots import CallbackTarget
from esito.domain.states import MessageState, public_word
from esito.domain.timing import DAY_MS, HOUR_MS, SECOND_MS


class CallbackKind(IntEnum):
    """What a callback tells."""

    REPORT = 1
    """A change of status, to `urlDlr`."""
    REPLY = 2
    """What a subscriber answered, to `urlResponse`."""


class CallbackPhase(IntEnum):
    """Where a callback is on its way; the numbers are stored."""

    NEW = 0
    """Written with the change it tells of; nobody has looked where it goes."""
    DUE = 1
    """To be made when its time comes."""
    LEASED = 2
    """Being made."""
    BEHIND = 3
    """Waits for an earlier one of the same recipient."""
    DONE = 4
    """The receiver has said 2xx."""
    DEAD = 5
    """Given up; it can be replayed."""


def webhook_id(kind: CallbackKind, message_id: int, seq: int, state: int, number: int) -> str:
    """Return what receivers know a callback by: message, recipient and rung; of a reply, the callback's own number."""
    if kind is CallbackKind.REPLY:
        return f"msg_{message_id}_{seq}_reply{number}"
    return f"msg_{message_id}_{seq}_{'ko' if state == MessageState.KO else state}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One callback that is to be made now, with all that its request needs."""

    id: int
    message_id: int
    seq: int
    kind: CallbackKind
    state: int
    """The rung of the change it tells of, which need not be the newest."""
    at: int
    """When that change happened."""
    attempts: int
    """How often it was tried, replays included."""
    tries: int
    """How often since it was written or last replayed."""
    first_at: int | None
    """When the first of these tries was; None before it."""
    place: CallbackTarget
    """Whose it is, and where it goes."""
    url: str
    body: str | None
    """What to POST, where that was written with the callback; None: it is a report."""
    tag: str | None
    msisdn: str
    cost: int
    """Micro-euros."""
    secret: str
    """Of the account; empty: it has none of its own."""
    sequence: int
    """Its place among the callbacks of this kind for this recipient, from 1."""

    @property
    def destination(self) -> int:
        """The server it goes to, as the store knows it."""
        return self.place.destination

    @property
    def webhook_id(self) -> str:
        """The same at every attempt (design 6)."""
        return webhook_id(self.kind, self.message_id, self.seq, self.state, self.id)

    def content(self, currency: str) -> bytes:
        """Return the body of the request."""
        return (self.body if self.body is not None else report(self, currency)).encode()


def report(told: Callback, currency: str) -> str:
    """Return the body of a delivery report; spellings, types and order are the contract's (3.1)."""
    said: dict[str, str | int] = {
        "status": public_word(told.state).lower(),
        "msgId": str(told.message_id),
        "date": told.at // SECOND_MS,
        "phone": told.msisdn,
        "cost": str(as_number(from_micros(told.cost))),
        "currency": currency,
    }
    if told.tag is not None:
        said["tag"] = told.tag
    return json.dumps(said)


# -- trying again ------------------------------------------------------------------------------

FIRST_PAUSE_MS = 5 * SECOND_MS
LONGEST_PAUSE_MS = 4 * HOUR_MS
JITTER = 0.2
TRIES = 29
"""What a doubling from 5 seconds to 4 hours makes of 72 hours."""
PATIENCE_MS = 72 * HOUR_MS
"""How long after the first try the last one may be."""

FAILING_MS = 5 * DAY_MS
"""A destination without a success for so long while it fails is called no more."""

BUSY = frozenset({429, 503})
"""HTTP statuses whose `Retry-After` is heeded."""

LONGEST_DATE = 64
"""Characters of a `Retry-After` that are read as a date."""

GONE = 410
"""HTTP status by which a receiver says that nothing is to be posted to that path any more."""

GONE_SHOWN = 10
"""Paths of a destination that are shown as gone, the newest."""

ANSWER_KEPT = 1024
"""Octets of an answer that the log of attempts keeps."""


def is_success(status: int | None) -> bool:
    """Tell whether the receiver has taken a callback: any 2xx."""
    return status is not None and 200 <= status < 300


def asked_pause(retry_after: str, now: int) -> int:
    """Return the milliseconds that a `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3).

    They are 4 hours at most, and none where it cannot be read or has passed.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        pause = int(text) * SECOND_MS if len(text) <= 10 else LONGEST_PAUSE_MS
    else:
        pause = (_instant(text) or now) - now
    return max(0, min(pause, LONGEST_PAUSE_MS))


def _instant(date: str) -> int | None:
    """Return an HTTP-date in milliseconds; None when it is none."""
    try:
        moment = parsedate_to_datetime(date[:LONGEST_DATE])
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * SECOND_MS)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def next_try(*, tries: int, first_at: int, now: int, chance: Callable[[], float], asked: int = 0) -> int | None:
    """Return when to try again after `tries` failures; None: never.

    `chance` returns a number from 0 to 1, by which the pause differs up to 20 % from its usual length. The receiver has
    `asked` for a pause of so many milliseconds: it gets that or up to 20 % more, but not less than usual.
    """
    last = first_at + PATIENCE_MS
    if tries >= TRIES or now >= last:
        return None
    usual = min(FIRST_PAUSE_MS << (tries - 1), LONGEST_PAUSE_MS)
    spread = chance()
    pause = max(usual * (1 + JITTER * (2 * spread - 1)), asked * (1 + JITTER * spread))
    return min(now + int(pause), last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt ended."""

    callback: Callback
    at: int
    """When it began."""
    ended_at: int
    milliseconds: int
    status: int | None
    """HTTP status; None: there was no answer."""
    error: str = ""
    """Why there was none; empty when there was."""
    answer: bytes = b""
    """How the answer began."""
    address: str = ""
    """Where the connection was made to."""
    next_at: int | None = None
    """When to try again; None: it is done, or given up."""

    @property
    def done(self) -> bool:
        """Whether the receiver has taken it."""
        return is_success(self.status)

    @property
    def said(self) -> str:
        """What the receiver said, in short."""
        return f"HTTP {self.status}" if self.status is not None else self.error or "no answer"


# -- what is shown -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackLine:
    """One callback as it stands."""

    id: int
    message_id: int
    seq: int
    msisdn: str
    kind: CallbackKind
    state: int
    at: int
    phase: CallbackPhase
    attempts: int
    next_at: int | None
    """When it is tried next; None: it is finished, or waits for an earlier one."""
    done_at: int | None
    reason: str
    """Why it was given up; empty when it was not."""
    url: str
    origin: str
    """Empty as long as nobody has looked where it goes."""
    last_status: int | None
    last_error: str
    webhook_id: str
    log: tuple["AttemptLine", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLine:
    """One attempt in the log."""

    number: int
    at: int
    milliseconds: int
    status: int | None
    error: str
    address: str
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where callbacks of one account go: scheme, host and port."""

    id: int
    origin: str
    last_success: int | None
    failing_since: int | None
    """None: the last attempt succeeded, or there was none."""
    disabled_at: int | None
    reason: str
    due: int
    """Callbacks that wait for it."""
    dead: int
    gone: tuple[str, ...] = ()
    """Paths that have answered with HTTP 410, the newest first."""
