"""Why an SMSC refuses a bind, in words, and what to try."""

from typing import NamedTuple

from esito.smpp.codec import COMMAND_OF
from esito.smpp.pdu import GenericNack, Pdu, Status, status_name

HINT = 'if it knows no bind_transceiver, set bind = "transmitter + receiver"'
"""Added to the error when a bind_transceiver gets another response than bind_transceiver_resp."""


class Advice(NamedTuple):
    """What a refusal means and what may help."""

    meaning: str
    hint: str


PASSING = frozenset(
    {
        Status.ESME_RALYBND,
        Status.ESME_RSYSERR,
        Status.ESME_RTHROTTLED,
        Status.ESME_RMSGQFUL,
        Status.ESME_RX_T_APPN,
    }
)
"""Refusals of a bind that pass by themselves, by their meaning in SMPP 3.4, 5.1.3: "ESME Already in Bound State", which
lasts until the SMSC notices that our last session is lost; "System Error", "Throttling error", "Message Queue Full",
"ESME Receiver Temporary App Error Code". For any other one, reserved and vendor-specific (0x0400 and above) included,
somebody must change something, and too many of them lock the account."""

_INVALID_COMMAND = Advice(
    "It does not know this way to bind.",
    'Older SMSCs have no transceivers: try bind = "transmitter + receiver"; or another interface_version.',
)

OF_STATUS: dict[int, Advice] = {
    Status.ESME_RINVCMDLEN: Advice(
        "It finds a field of the bind too long.",
        "Compare system_id, password and system_type with the data sheet, letter by letter.",
    ),
    Status.ESME_RINVCMDID: _INVALID_COMMAND,
    Status.ESME_RINVBNDSTS: Advice(
        "It does not allow this kind of bind to this account.",
        'Ask which kinds are allowed; try bind = "transmitter + receiver", or "transmitter" alone.',
    ),
    Status.ESME_RALYBND: Advice(
        "This account is bound already, as often as it may be.",
        "Stop the server that is bound, or lower `sessions`; after a lost connection it may take the SMSC minutes.",
    ),
    Status.ESME_RSYSERR: Advice(
        "It has a fault, or does not want to say why it refuses.",
        "Many SMSCs answer so to an address they do not know: have yours allowed. Else try again later.",
    ),
    Status.ESME_RBINDFAIL: Advice(
        "It refuses without saying why.",
        "Compare system_id, password, system_type and bind with the data sheet; have your address allowed.",
    ),
    Status.ESME_RINVPASWD: Advice(
        "The password is not the one of this system_id.",
        "Compare it with the data sheet, upper and lower case too; some SMSCs look at the first 8 octets only.",
    ),
    Status.ESME_RINVSYSID: Advice(
        "It does not know this system_id, or not at this host and port.",
        "Compare it with the data sheet; ask whether the account is active, and for which of their hosts.",
    ),
    0x53: Advice("It does not know this system_type.", "Ask which one the account has; most have none."),
    Status.ESME_RTHROTTLED: Advice(
        "It finds that we bind too often.", "Wait some minutes, and see that no other server binds to this account."
    ),
    Status.ESME_RMSGQFUL: Advice("It is overloaded.", "Try again later."),
}
"""By command_status of the bind response (SMPP 3.4, 5.1.3)."""

_OTHER_STATUS = Advice("It refuses with a status of its own.", "Ask the operator what it means.")

OF_REASON: tuple[tuple[str, Advice], ...] = (
    ("CERTIFICATE_VERIFY_FAILED", Advice(
        "The SMSC shows a certificate that we do not trust.",
        "Set tls_ca to the file of its authority, and tls_name to the name in the certificate.",
    )),
    ("WRONG_VERSION_NUMBER", Advice("No TLS is spoken at this port.", "Set tls = false, or ask for the port of TLS.")),
    ("certificate required", Advice("It wants a certificate of ours.", "Set tls_cert and tls_key.")),
    ("CERTIFICATE_REQUIRED", Advice("It wants a certificate of ours.", "Set tls_cert and tls_key.")),
    ("does not speak SMPP", Advice("Something else listens at this port.", "Compare host and port with the sheet.")),
    ("command_length", Advice(
        "What answers is no SMPP.",
        "Compare host and port with the data sheet; perhaps TLS is spoken there: tls = true.",
    )),
    ("no answer to the bind", Advice(
        "Somebody takes the connection and says nothing.",
        'Perhaps TLS is spoken there (tls = true), or the SMSC ignores this kind of bind: try '
        'bind = "transmitter + receiver".',
    )),
    ("bind answered by", Advice("What it answers is no answer to this bind.", _INVALID_COMMAND.hint)),
    ("closed the connection", Advice(
        "It hung up before it answered.",
        "Most often the address we come from is not allowed; perhaps TLS is spoken there (tls = true).",
    )),
    ("reset by peer", Advice(
        "It hung up before it answered.",
        "Most often the address we come from is not allowed; perhaps TLS is spoken there (tls = true).",
    )),
    ("Connect call failed", Advice(
        "Nobody listens there.", "Compare host and port with the data sheet; ask whether your address is allowed."
    )),
    ("timeout", Advice(
        "No connection comes about.", "A firewall drops it, theirs or ours: have your address allowed, or a VPN set up."
    )),
    ("Name or service", Advice("The host has no address.", "Compare its name with the data sheet.")),
    ("name resolution", Advice("The host cannot be looked up.", "See whether this machine reaches a name server.")),
)  # fmt: skip
"""By what the reason of a lost or failed connection contains."""


def advice(status: int | None, reason: str) -> Advice | None:
    """Return what a refused bind or a failed connection means; None if unknown."""
    if status:
        return OF_STATUS.get(status, _OTHER_STATUS)
    return next((said for word, said in OF_REASON if word in reason), None)


def answered_amiss(pdu: Pdu) -> tuple[int | None, str]:
    """Return the command_status, if any, and the error text for a response that is no response to a bind."""
    status = pdu.status or (Status.ESME_RUNKNOWNERR if isinstance(pdu, GenericNack) else None)
    said = f": {status_name(status)}" if status else ""
    return status, f"bind answered by {COMMAND_OF[type(pdu)].name.lower()}{said}"
