"""What becomes of a sandbox recipient: nothing is sent, and the number's last four digits choose the status.

The endings are those of the operator simulator that end in one status; every other number counts as delivered.
"""

from esito.domain.states import MessageState

FATES = {
    2: MessageState.UNDELIVERABLE,
    3: MessageState.EXPIRED,
    4: MessageState.REJECTED,
    5: MessageState.WAITING,
}


def sandbox_state(msisdn: int) -> MessageState:
    """Return the state of a sandbox recipient."""
    return FATES.get(msisdn % 10_000, MessageState.DELIVERED)
