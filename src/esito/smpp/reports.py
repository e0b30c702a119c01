"""What a connection reports, and to whom."""

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from esito.domain.retrying import GENERIC_NACK
from esito.smpp.pdu import DataSm, DeliverSm

if TYPE_CHECKING:
    from esito.smpp.connection import Connection


class Answered(msgspec.Struct, gc=False):
    """A submit_sm and what became of it; `status` is None when nobody knows."""

    token: Any
    status: int | None
    message_id: str = ""
    error: str = ""

    @property
    def nack(self) -> bool:
        """Whether it was a generic_nack, not a submit_sm_resp."""
        return self.error == GENERIC_NACK


class ConnectionOwner(Protocol):
    """Who a connection reports to."""

    def bound(self, connection: "Connection") -> None:
        """Note that the bind was accepted."""

    def rejected(self, connection: "Connection", status: int | None, reason: str) -> None:
        """Note that the bind was refused, and what there is to say about it; None: not by a command_status."""

    def answered(self, answers: list[Answered]) -> None:
        """Responses to submit_sm, all those of one read."""

    async def delivered(self, pdus: list[DeliverSm | DataSm]) -> list[int]:
        """Keep these; return the command_status of each response."""

    def eased(self) -> None:
        """There is room for more submit_sm."""
