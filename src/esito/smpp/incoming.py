"""Settings for reading an operator's deliveries: receipts and subscribers' messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import Enum

from esito.domain.address import ALPHANUMERIC, LONGEST_SHORT_CODE, NATIONAL
from esito.domain.coding import USUAL_CODINGS, Codings
from esito.domain.msisdn import read_address
from esito.domain.national_numbers import code_of_country
from esito.domain.number_forms import are_one, written_number
from esito.domain.states import STAT_WORDS, MessageState
from esito.smpp.pdu import DataSm, DeliverSm


class WithoutEsmClass(Enum):
    """Which deliveries are receipts although esm_class says otherwise and they have no message_state."""

    NEVER = "never"
    KNOWN_ID = "known-id"
    """Those with the text of a receipt and a receipted_message_id that we know."""
    ALWAYS = "always"
    """Those with the text of a receipt, whoever wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingSettings:
    """What must be known about an operator to read its deliver_sm."""

    zone: tzinfo = UTC
    """The zone of the dates in its receipts."""
    words: Mapping[str, MessageState] = field(default_factory=lambda: STAT_WORDS)
    """State by the word after `stat:`, in upper case."""
    codings: Codings = USUAL_CODINGS
    without_esm_class: WithoutEsmClass = WithoutEsmClass.KNOWN_ID
    names_recipient: bool = True
    """Whether the addresses of its receipts name the recipient; some operators write a number of the SMSC."""
    country: str = ""
    """The country whose numbers it writes in national form (ISO 3166); empty: unknown."""
    sender: str = ""
    """Our sender if a message has none; in a receipt it does not name the recipient."""

    def addresses(self, pdu: DeliverSm | DataSm) -> tuple[str, str]:
        """Return the addresses of a receipt that may name its recipient; empty for those that do not.

        A national number becomes a whole number of the operator's country; if that is unknown it stays as it came, and
        may mean a recipient in any country.
        """
        if not self.names_recipient:
            return "", ""
        source, destination = pdu.source_addr, pdu.destination_addr
        if self.country:
            source = self._whole(source, pdu.source_addr_ton) or source
            destination = self._whole(destination, pdu.dest_addr_ton) or destination
        ours = written_number(self.sender) if self.sender else ""
        if not ours:
            return source, destination
        if are_one(written_number(destination), ours):
            destination = ""
        # If the destination is a name or a short code, the source is the recipient, even if it is also our sender.
        if are_one(written_number(source), ours) and (not destination or written_number(destination)):
            source = ""
        return source, destination

    def number(self, address: str, ton: int) -> str:
        """Return an address of a reply: the E.164 digits of a number, in whatever form it came.

        A name stays as it came. A national number that does not exist in the operator's country is unknown to us, and
        not a number of another country: it gets its context (RFC 3966).
        """
        digits = address.strip().removeprefix("+")
        if ton == ALPHANUMERIC or len(digits) <= LONGEST_SHORT_CODE:
            return address
        if not _is_national(address, ton):
            number = read_address(address, country=self.country)
            return address if number is None else number.removeprefix("+")
        number = self._whole(address, ton)
        if number is not None or not self.country:
            return (number or address).removeprefix("+")
        return f"{address};phone-context=+{code_of_country(self.country)}"

    def _whole(self, address: str, ton: int) -> str | None:
        """Return a national number in E.164 with plus; None if it is no national number."""
        if ton == ALPHANUMERIC or len(address) <= LONGEST_SHORT_CODE or not _is_national(address, ton):
            return None
        return read_address(address, country=self.country, national=True)


def _is_national(address: str, ton: int) -> bool:
    return (ton == NATIONAL or address.startswith("0")) and not address.startswith(("00", "+"))


USUAL = IncomingSettings()
