"""Callbacks to the sender's server: what they say, how often they are tried, when they are given up (contract 3.1)."""

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
    """What a callback reports."""

    REPORT = 1
    """A change of status, to `urlDlr`."""
    REPLY = 2
    """A subscriber's reply, to `urlResponse`."""


class CallbackPhase(IntEnum):
    """How far a callback is; the numbers are stored."""

    NEW = 0
    """Written with the change it reports; its destination is not determined yet."""
    DUE = 1
    """To be sent when its time comes."""
    LEASED = 2
    """Being sent."""
    BEHIND = 3
    """Waits for an earlier callback of the same recipient."""
    DONE = 4
    """The receiver answered 2xx."""
    DEAD = 5
    """Given up; it can be replayed."""


def webhook_id(kind: CallbackKind, message_id: int, seq: int, state: int, number: int) -> str:
    """Return the id that receivers see: message, recipient and rung; for a reply, the callback's own number."""
    if kind is CallbackKind.REPLY:
        return f"msg_{message_id}_{seq}_reply{number}"
    return f"msg_{message_id}_{seq}_{'ko' if state == MessageState.KO else state}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One callback to be sent now, with all that its request needs."""

    id: int
    message_id: int
    seq: int
    kind: CallbackKind
    state: int
    """The rung that it reports, which need not be the newest."""
    at: int
    """When that change happened."""
    attempts: int
    """How often it was tried, replays included."""
    tries: int
    """How often it was tried since it was written or last replayed."""
    first_at: int | None
    """When the first of these tries was; None if there was none."""
    place: CallbackTarget
    """Whose it is, and where it goes."""
    url: str
    body: str | None
    """The body, if it was written with the callback; None: it is a report."""
    tag: str | None
    msisdn: str
    cost: int
    """Micro-euros."""
    secret: str
    """The account's signing secret; empty: it has none."""
    sequence: int
    """Its number among the callbacks of this kind for this recipient, from 1."""

    @property
    def destination(self) -> int:
        """The store's number of the server it goes to."""
        return self.place.destination

    @property
    def webhook_id(self) -> str:
        """The same at every attempt."""
        return webhook_id(self.kind, self.message_id, self.seq, self.state, self.id)

    def content(self, currency: str) -> bytes:
        """Return the body of the request."""
        return (self.body if self.body is not None else report(self, currency)).encode()


def report(told: Callback, currency: str) -> str:
    """Return the body of a delivery report; spelling, types and order are the contract's (3.1)."""
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
"""As many as fit 72 hours, with pauses that double from 5 seconds to 4 hours."""
PATIENCE_MS = 72 * HOUR_MS
"""The longest time from the first try to the last."""

FAILING_MS = 5 * DAY_MS
"""A destination that fails for so long without a success is disabled."""

BUSY = frozenset({429, 503})
"""HTTP statuses whose `Retry-After` is obeyed."""

LONGEST_DATE = 64
"""Characters of a `Retry-After` that are read as a date."""

GONE = 410
"""HTTP status that disables the path it is answered for."""

GONE_SHOWN = 10
"""How many gone paths of a destination are shown, newest first."""

ANSWER_KEPT = 1024
"""Octets of a response that the log of attempts keeps."""


def is_success(status: int | None) -> bool:
    """Tell whether the receiver accepted a callback: any 2xx."""
    return status is not None and 200 <= status < 300


def asked_pause(retry_after: str, now: int) -> int:
    """Return the milliseconds of a `Retry-After`, written in seconds or as a date (RFC 9110, 10.2.3).

    At most 4 hours; zero if it cannot be read or is over.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        pause = int(text) * SECOND_MS if len(text) <= 10 else LONGEST_PAUSE_MS
    else:
        pause = (_instant(text) or now) - now
    return max(0, min(pause, LONGEST_PAUSE_MS))


def _instant(date: str) -> int | None:
    """Return an HTTP-date in milliseconds; None if it is no date."""
    try:
        moment = parsedate_to_datetime(date[:LONGEST_DATE])
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * SECOND_MS)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def next_try(*, tries: int, first_at: int, now: int, chance: Callable[[], float], asked: int = 0) -> int | None:
    """Return when to try again after `tries` failures; None: never.

    `chance` returns a random number from 0 to 1; the pause differs up to 20 % from its usual length. `asked`: the pause
    that the receiver wants, in milliseconds; it gets that or up to 20 % more, but never less than usual.
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
    """The result of one attempt."""

    callback: Callback
    at: int
    """When it began."""
    ended_at: int
    milliseconds: int
    status: int | None
    """HTTP status; None: no response."""
    error: str = ""
    """Why there was none; empty if there was one."""
    answer: bytes = b""
    """The beginning of the response."""
    address: str = ""
    """The address that was connected to."""
    next_at: int | None = None
    """When to try again; None: done, or given up."""

    @property
    def done(self) -> bool:
        """Whether the receiver accepted it."""
        return is_success(self.status)

    @property
    def said(self) -> str:
        """The response in short."""
        return f"HTTP {self.status}" if self.status is not None else self.error or "no answer"


# -- what is shown -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackLine:
    """One callback and its state, as it is shown."""

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
    """When it is tried next; None: finished, or waiting for an earlier one."""
    done_at: int | None
    reason: str
    """Why it was given up; empty if it was not."""
    url: str
    origin: str
    """Empty until its destination is determined."""
    last_status: int | None
    last_error: str
    webhook_id: str
    log: tuple["AttemptLine", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLine:
    """One attempt, as the log has it."""

    number: int
    at: int
    milliseconds: int
    status: int | None
    error: str
    address: str
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A server that callbacks of one account go to: scheme, host and port."""

    id: int
    origin: str
    last_success: int | None
    failing_since: int | None
    """None if the last attempt succeeded, or there was none."""
    disabled_at: int | None
    reason: str
    due: int
    """Callbacks that wait for it."""
    dead: int
    gone: tuple[str, ...] = ()
    """Paths that answered HTTP 410, newest first."""
