"""How an operator writes what it delivers: receipts and subscribers' messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import Enum

from esito.domain.coding import USUAL_CODINGS, Codings
from esito.domain.number_forms import are_one, written_number
from esito.domain.states import STAT_WORDS, MessageState


class WithoutEsmClass(Enum):
    """What counts as a receipt though esm_class calls it a subscriber's message, and it has no message_state."""

    NEVER = "never"
    KNOWN_ID = "known-id"
    """The text of a receipt beside a receipted_message_id that we know."""
    ALWAYS = "always"
    """The text of a receipt, whoever wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingSettings:
    """What is to be known of an operator to read its deliver_sm."""

    zone: tzinfo = UTC
    """Of the dates in its receipts."""
    words: Mapping[str, MessageState] = field(default_factory=lambda: STAT_WORDS)
    """The states behind what it writes after `stat:`, in upper case."""
    codings: Codings = USUAL_CODINGS
    without_esm_class: WithoutEsmClass = WithoutEsmClass.KNOWN_ID
    names_recipient: bool = True
    """Whether the addresses of its receipts name the recipient; some write a number of the SMSC there."""
    sender: str = ""
    """Our own address where a message names none: in a receipt it names nobody."""

    def addresses(self, source: str, destination: str) -> tuple[str, str]:
        """Return the addresses of a receipt as far as they may name its recipient; empty where they do not."""
        if not self.names_recipient:
            return "", ""
        ours = written_number(self.sender) if self.sender else ""
        if not ours:
            return source, destination
        if are_one(written_number(destination), ours):
            destination = ""
        # Beside a name or a short code the source is the recipient, though we send from that number too.
        if are_one(written_number(source), ours) and (not destination or written_number(destination)):
            source = ""
        return source, destination


USUAL = IncomingSettings()
