"""One SMPP session seen from the ESME: no socket, no clock; what may follow what is a table.

It numbers requests, remembers which of them wait for their response, and refuses what
SMPP forbids. An error says whose fault it is: LocalProtocolError is ours,
RemoteProtocolError the SMSC's.
"""

from enum import Enum
from typing import NamedTuple

from esito.smpp.codec import COMMAND_OF, LocalProtocolError, RemoteProtocolError
from esito.smpp.pdu import RESPONSE_BIT, Command, Pdu

LAST_SEQUENCE = 0x7FFFFFFF


class Bind(Enum):
    """What the session may do (SMPP 3.4, 2.2)."""

    OPEN = "open"
    BOUND_TX = "bound for transmitting"
    BOUND_RX = "bound for receiving"
    BOUND_TRX = "bound for both"
    UNBOUND = "unbound"

    @property
    def can_send(self) -> bool:
        """Whether submit_sm may leave."""
        return self in {Bind.BOUND_TX, Bind.BOUND_TRX}

    @property
    def can_receive(self) -> bool:
        """Whether deliver_sm may come."""
        return self in {Bind.BOUND_RX, Bind.BOUND_TRX}


_BOUND = (Bind.BOUND_TX, Bind.BOUND_RX, Bind.BOUND_TRX)

NEXT_BIND = {
    (Bind.OPEN, Command.BIND_TRANSMITTER_RESP): Bind.BOUND_TX,
    (Bind.OPEN, Command.BIND_RECEIVER_RESP): Bind.BOUND_RX,
    (Bind.OPEN, Command.BIND_TRANSCEIVER_RESP): Bind.BOUND_TRX,
    (Bind.OPEN, Command.ENQUIRE_LINK): Bind.OPEN,
    (Bind.OPEN, Command.GENERIC_NACK): Bind.OPEN,
    (Bind.OPEN, Command.UNBIND): Bind.UNBOUND,
    (Bind.BOUND_RX, Command.DELIVER_SM): Bind.BOUND_RX,
    (Bind.BOUND_RX, Command.DATA_SM): Bind.BOUND_RX,
    (Bind.BOUND_TRX, Command.DELIVER_SM): Bind.BOUND_TRX,
    (Bind.BOUND_TRX, Command.DATA_SM): Bind.BOUND_TRX,
    (Bind.BOUND_TX, Command.SUBMIT_SM_RESP): Bind.BOUND_TX,
    (Bind.BOUND_TRX, Command.SUBMIT_SM_RESP): Bind.BOUND_TRX,
    (Bind.BOUND_TX, Command.QUERY_SM_RESP): Bind.BOUND_TX,
    (Bind.BOUND_TRX, Command.QUERY_SM_RESP): Bind.BOUND_TRX,
    # Responses to what was asked before may still come after an unbind.
    (Bind.UNBOUND, Command.SUBMIT_SM_RESP): Bind.UNBOUND,
    (Bind.UNBOUND, Command.QUERY_SM_RESP): Bind.UNBOUND,
    (Bind.UNBOUND, Command.UNBIND_RESP): Bind.UNBOUND,
    (Bind.UNBOUND, Command.ENQUIRE_LINK): Bind.UNBOUND,
    (Bind.UNBOUND, Command.ENQUIRE_LINK_RESP): Bind.UNBOUND,
    (Bind.UNBOUND, Command.GENERIC_NACK): Bind.UNBOUND,
    **{
        (bound, command): bound
        for bound in _BOUND
        for command in (Command.ENQUIRE_LINK, Command.ENQUIRE_LINK_RESP, Command.GENERIC_NACK)
    },
    **{(bound, command): Bind.UNBOUND for bound in _BOUND for command in (Command.UNBIND, Command.UNBIND_RESP)},
}
"""What the SMSC may send in which state, and the state it leads to."""

MAY_ASK = {
    Bind.OPEN: {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER},
    Bind.BOUND_TX: {Command.SUBMIT_SM, Command.QUERY_SM, Command.ENQUIRE_LINK, Command.UNBIND},
    Bind.BOUND_RX: {Command.ENQUIRE_LINK, Command.UNBIND},
    Bind.BOUND_TRX: {Command.SUBMIT_SM, Command.QUERY_SM, Command.ENQUIRE_LINK, Command.UNBIND},
    Bind.UNBOUND: set[Command](),
}
"""What we may ask in which state."""


class Request(NamedTuple):
    """A request of ours that waits for its response."""

    command: Command
    token: object
    """What the caller wants back with the response."""
    asked_at: float


class Session:
    """State, sequence numbers and open requests of one session."""

    def __init__(self) -> None:
        self.bind = Bind.OPEN
        self.unknown_responses = 0
        """Responses to nothing we asked; they are ignored."""
        self._sequence = 0
        self._requests: dict[int, Request] = {}
        self._late: dict[int, Request] = {}

    def ask(self, command: Command, token: object, now: float) -> int:
        """Note a request and return its sequence number. Raises LocalProtocolError."""
        if command not in MAY_ASK[self.bind]:
            raise LocalProtocolError(f"{command.name.lower()} while {self.bind.value}")
        while True:
            self._sequence = self._sequence % LAST_SEQUENCE + 1
            if self._sequence not in self._requests:
                break
        self._requests[self._sequence] = Request(command, token, now)
        return self._sequence

    def receive(self, pdu: Pdu) -> None:
        """Take what the SMSC sent into account. Raises RemoteProtocolError when it must not be sent now."""
        command = COMMAND_OF[type(pdu)]
        # A refused bind leaves the session open.
        if self.bind is Bind.OPEN and pdu.status and command.name.startswith("BIND_"):
            return
        try:
            self.bind = NEXT_BIND[self.bind, command]
        except KeyError:
            raise RemoteProtocolError(f"{command.name.lower()} while {self.bind.value}") from None

    def answered(self, sequence: int, response: Command) -> Request | None:
        """Return the request that a response answers, late ones too; None for a response to nothing we asked.

        A response answers a request of its own command only; a generic_nack, any.
        """
        for requests in (self._requests, self._late):
            request = requests.get(sequence)
            if request is not None and response in {Command.GENERIC_NACK, request.command | RESPONSE_BIT}:
                return requests.pop(sequence)
        self.unknown_responses += 1
        return None

    def answered_bind(self) -> Request | None:
        """Return the bind that waits for its response, whatever number the response bears; None when there is none."""
        for sequence, request in self._requests.items():
            if request.command in MAY_ASK[Bind.OPEN]:
                return self._requests.pop(sequence)
        return None

    def overdue(self, asked_before: float, *, keep: int = 10_000) -> list[Request]:
        """Take the requests asked before an instant off the window; a late response still finds them."""
        found = []
        for sequence, request in self._requests.items():
            if request.asked_at > asked_before:
                break  # requests are in the order in which they were asked
            found.append(sequence)
        taken = [self._requests[sequence] for sequence in found]
        for sequence in found:
            self._late[sequence] = self._requests.pop(sequence)
        while len(self._late) > keep:
            del self._late[next(iter(self._late))]
        return taken

    def give_up(self) -> list[Request]:
        """Return every request that will not be answered any more: the connection is gone."""
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
