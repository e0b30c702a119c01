"""The state of one SMPP session as the ESME sees it: no socket, no clock, and a table of what may follow what.

It numbers requests, keeps those that wait for a response, and refuses what SMPP forbids:
LocalProtocolError when we are at fault, RemoteProtocolError when the SMSC is. It also
notices an SMSC that is connected and answers no submit_sm.
"""

import math
from enum import Enum
from typing import NamedTuple

from esito.smpp.codec import COMMAND_OF, LocalProtocolError, RemoteProtocolError
from esito.smpp.pdu import RESPONSE_BIT, Command, Pdu

LAST_SEQUENCE = 0x7FFFFFFF


class BindState(Enum):
    """What the session may do (SMPP 3.4, 2.2)."""

    OPEN = "open"
    BOUND_TX = "bound for transmitting"
    BOUND_RX = "bound for receiving"
    BOUND_TRX = "bound for both"
    UNBOUND = "unbound"

    @property
    def can_send(self) -> bool:
        """Whether submit_sm may leave."""
        return self in {BindState.BOUND_TX, BindState.BOUND_TRX}

    @property
    def can_receive(self) -> bool:
        """Whether deliver_sm may come."""
        return self in {BindState.BOUND_RX, BindState.BOUND_TRX}


_BOUND = (BindState.BOUND_TX, BindState.BOUND_RX, BindState.BOUND_TRX)

NEXT_BIND = {
    (BindState.OPEN, Command.BIND_TRANSMITTER_RESP): BindState.BOUND_TX,
    (BindState.OPEN, Command.BIND_RECEIVER_RESP): BindState.BOUND_RX,
    (BindState.OPEN, Command.BIND_TRANSCEIVER_RESP): BindState.BOUND_TRX,
    (BindState.OPEN, Command.ENQUIRE_LINK): BindState.OPEN,
    (BindState.OPEN, Command.GENERIC_NACK): BindState.OPEN,
    (BindState.OPEN, Command.UNBIND): BindState.UNBOUND,
    (BindState.BOUND_RX, Command.DELIVER_SM): BindState.BOUND_RX,
    (BindState.BOUND_RX, Command.DATA_SM): BindState.BOUND_RX,
    (BindState.BOUND_TRX, Command.DELIVER_SM): BindState.BOUND_TRX,
    (BindState.BOUND_TRX, Command.DATA_SM): BindState.BOUND_TRX,
    (BindState.BOUND_TX, Command.SUBMIT_SM_RESP): BindState.BOUND_TX,
    (BindState.BOUND_TRX, Command.SUBMIT_SM_RESP): BindState.BOUND_TRX,
    (BindState.BOUND_TX, Command.QUERY_SM_RESP): BindState.BOUND_TX,
    (BindState.BOUND_TRX, Command.QUERY_SM_RESP): BindState.BOUND_TRX,
    # Responses to what was asked before may still come after an unbind.
    (BindState.UNBOUND, Command.SUBMIT_SM_RESP): BindState.UNBOUND,
    (BindState.UNBOUND, Command.QUERY_SM_RESP): BindState.UNBOUND,
    (BindState.UNBOUND, Command.UNBIND_RESP): BindState.UNBOUND,
    (BindState.UNBOUND, Command.ENQUIRE_LINK): BindState.UNBOUND,
    (BindState.UNBOUND, Command.ENQUIRE_LINK_RESP): BindState.UNBOUND,
    (BindState.UNBOUND, Command.GENERIC_NACK): BindState.UNBOUND,
    **{
        (bound, command): bound
        for bound in _BOUND
        for command in (Command.ENQUIRE_LINK, Command.ENQUIRE_LINK_RESP, Command.GENERIC_NACK)
    },
    **{(bound, command): BindState.UNBOUND for bound in _BOUND for command in (Command.UNBIND, Command.UNBIND_RESP)},
}
"""What the SMSC may send in which state, and the state it leads to."""

MAY_ASK = {
    BindState.OPEN: {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER},
    BindState.BOUND_TX: {Command.SUBMIT_SM, Command.QUERY_SM, Command.ENQUIRE_LINK, Command.UNBIND},
    BindState.BOUND_RX: {Command.ENQUIRE_LINK, Command.UNBIND},
    BindState.BOUND_TRX: {Command.SUBMIT_SM, Command.QUERY_SM, Command.ENQUIRE_LINK, Command.UNBIND},
    BindState.UNBOUND: set[Command](),
}
"""What we may ask in which state."""


class Request(NamedTuple):
    """A request of ours that waits for its response."""

    command: Command
    token: object
    """Handed back with the response."""
    asked_at: float


class Session:
    """State, sequence numbers and open requests of one session."""

    def __init__(self) -> None:
        self.bind = BindState.OPEN
        self.unknown_responses = 0
        """Responses that answer no request; they are ignored."""
        self._sequence = 0
        self._requests: dict[int, Request] = {}
        self._late: dict[int, Request] = {}

    def ask(self, command: Command, token: object, now: float) -> int:
        """Register a request and return its sequence number. Raises LocalProtocolError."""
        if command not in MAY_ASK[self.bind]:
            raise LocalProtocolError(f"{command.name.lower()} while {self.bind.value}")
        while True:
            self._sequence = self._sequence % LAST_SEQUENCE + 1
            if self._sequence not in self._requests:
                break
        self._requests[self._sequence] = Request(command, token, now)
        return self._sequence

    def receive(self, pdu: Pdu) -> None:
        """Move to the state that a PDU of the SMSC leads to. Raises RemoteProtocolError if SMPP forbids it now."""
        command = COMMAND_OF[type(pdu)]
        # A refused bind leaves the session open.
        if self.bind is BindState.OPEN and pdu.status and command.name.startswith("BIND_"):
            return
        try:
            self.bind = NEXT_BIND[self.bind, command]
        except KeyError:
            raise RemoteProtocolError(f"{command.name.lower()} while {self.bind.value}") from None

    def answered(self, sequence: int, response: Command) -> Request | None:
        """Return the request that a response answers, even late; None if it answers none.

        A response answers only its own command; a generic_nack answers any.
        """
        for requests in (self._requests, self._late):
            request = requests.get(sequence)
            if request is not None and response in {Command.GENERIC_NACK, request.command | RESPONSE_BIT}:
                return requests.pop(sequence)
        self.unknown_responses += 1
        return None

    def answered_bind(self) -> Request | None:
        """Return the bind that waits for its response, whatever sequence number that has; None if there is none."""
        for sequence, request in self._requests.items():
            if request.command in MAY_ASK[BindState.OPEN]:
                return self._requests.pop(sequence)
        return None

    def overdue(self, asked_before: float, *, keep: int = 10_000) -> list[Request]:
        """Return the requests made before an instant and free their window places; a late response still finds them."""
        found = []
        for sequence, request in self._requests.items():
            if request.asked_at > asked_before:
                break  # requests are in order of time
            found.append(sequence)
        taken = [self._requests[sequence] for sequence in found]
        for sequence in found:
            self._late[sequence] = self._requests.pop(sequence)
        while len(self._late) > keep:
            del self._late[next(iter(self._late))]
        return taken

    def give_up(self) -> list[Request]:
        """Return every open request: the connection is lost, and no response can come."""
        lost = list(self._requests.values())
        self._requests.clear()
        self._late.clear()
        return lost

    @property
    def owes_answers(self) -> bool:
        """Whether a submit_sm waits for its response."""
        return any(request.command is Command.SUBMIT_SM for request in self._requests.values())

    @property
    def outstanding(self) -> int:
        """Requests that wait for their response."""
        return len(self._requests)


class UnansweredSubmits:
    """Detects an SMSC that answers no submit_sm. Instants are seconds of a monotonic clock.

    One response may be lost or late. So after the first overdue one, one submit_sm is tried at a time; the session is
    given up when that one is overdue too, or a whole window is.
    """

    def __init__(self, *, suspect: bool = False) -> None:
        """`suspect`: the session before was given up for this, and nothing has been answered since."""
        self._trying_since: float | None = -math.inf if suspect else None
        self._answered_at = -math.inf
        self._count = 0

    @property
    def one_at_a_time(self) -> bool:
        """Whether only one submit_sm may be open."""
        return self._trying_since is not None

    def answered(self, now: float) -> None:
        """Note a response to a submit_sm, whatever its status."""
        self._answered_at, self._trying_since, self._count = now, None, 0

    def overdue(self, first: float, last: float, count: int, *, window: int, now: float) -> bool:
        """Note `count` overdue submit_sm, sent between `first` and `last`; return whether to give the session up."""
        if self._answered_at >= first:
            return False
        self._count += count
        if self._trying_since is None:
            self._trying_since = now
        return self._count >= window or last > self._trying_since
