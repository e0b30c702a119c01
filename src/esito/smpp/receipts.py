"""Reads delivery receipts, in whatever form operators write them.

The TLVs receipted_message_id, message_state and network_error_code win over the text; a
receipt whose TLVs contradict its text is flagged. A text alone is a receipt only if
esm_class says so. Nothing here raises: what cannot be read is kept as it came.
"""

from collections.abc import Container
from datetime import datetime, tzinfo
from enum import Enum
from functools import lru_cache

from esito.domain.message_ids import KEPT, MAX_LENGTH, id_in
from esito.domain.receipt import SKEW_MS, DeliveryReceipt, stat_of
from esito.domain.states import STAT_WORDS, STATE_VALUES, MessageState
from esito.domain.timing import SECOND_MS
from esito.smpp.incoming import USUAL, IncomingSettings
from esito.smpp.pdu import DataSm, DeliverSm, EsmClass, Tag
from esito.smpp.receipt_text import errors_disagree, ids_disagree, read_fields, reads_as_receipt

_TYPE_BITS = 0x3C

_ACKNOWLEDGEMENTS = frozenset({EsmClass.DELIVERY_ACKNOWLEDGEMENT, EsmClass.USER_ACKNOWLEDGEMENT})
_RECEIPTS = EsmClass.DELIVERY_RECEIPT | EsmClass.INTERMEDIATE_NOTIFICATION


class DeliveryKind(Enum):
    """What a deliver_sm or data_sm is."""

    RECEIPT = "receipt"
    ACKNOWLEDGEMENT = "acknowledgement"
    """By handset or user (esm_class 0x08, 0x10): recorded, changes no state."""
    REPLY = "reply"
    """Written by a subscriber."""
    UNREADABLE = "unreadable"
    """Its fields cannot be read: recorded, changes no state."""


def kind_of(pdu: DeliverSm | DataSm) -> DeliveryKind:
    """Return what the PDU is (SMPP 3.4, 5.2.12)."""
    if pdu.unreadable:
        return DeliveryKind.UNREADABLE
    bits = pdu.esm_class & _TYPE_BITS
    if bits in _ACKNOWLEDGEMENTS:
        return DeliveryKind.ACKNOWLEDGEMENT
    if bits & _RECEIPTS:
        return DeliveryKind.RECEIPT
    if Tag.RECEIPTED_MESSAGE_ID in pdu.tlvs and Tag.MESSAGE_STATE in pdu.tlvs:
        return DeliveryKind.RECEIPT
    return DeliveryKind.REPLY


def has_text_of_receipt(pdu: DeliverSm | DataSm, words: Container[str] = STAT_WORDS) -> bool:
    """Tell whether the text reads like a receipt, whatever esm_class says; `words`: those that stand for states."""
    return reads_as_receipt(text_of(pdu), words)


def receipted_id(pdu: DeliverSm | DataSm) -> str:
    """Return the id in the TLV receipted_message_id; empty if there is none."""
    return id_in(pdu.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b""))


def read_receipt(pdu: DeliverSm | DataSm, *, link: str, at: int, settings: IncomingSettings = USUAL) -> DeliveryReceipt:
    """Return the receipt in a PDU, with the PDU as it came; `at`: when it arrived, in milliseconds.

    A PDU that cannot be read becomes a receipt without id and state.
    """
    if pdu.unreadable:
        return DeliveryReceipt(
            link=link, smsc_message_id="", state=None, received_at=at, flags="unreadable", raw=pdu.frame
        )
    smsc_id, submitted, done, stat, err, disagree = read_fields(text_of(pdu), settings.words)
    smsc_id, stat, error = smsc_id[:KEPT], stat[:64], err[:32]
    state = settings.words.get(stat.upper())
    if pdu.tlvs and not (len(pdu.tlvs) == 2 and _says_the_same(pdu, smsc_id, state)):
        smsc_id, state, stat, error, contradicts = _with_parameters(pdu, smsc_id, state, stat, error)
        disagree = disagree or contradicts
    submitted_at, done_at, date_flag = read_dates(submitted, done, at=at, zone=settings.zone)
    flags = date_flag
    if disagree or pdu.damaged or not 0 < len(smsc_id) < MAX_LENGTH:
        flags = _flags(pdu, smsc_id, stat, date_flag, disagree=disagree)
    return DeliveryReceipt(
        link=link,
        smsc_message_id=smsc_id,
        state=state,
        stat=stat,
        error_code=error,
        addresses=settings.addresses(pdu),
        submitted_at=submitted_at,
        done_at=done_at,
        received_at=at,
        flags=flags,
        counts=pdu.esm_class & _TYPE_BITS not in _ACKNOWLEDGEMENTS,
        raw=pdu.frame,
    )


def _says_the_same(pdu: DeliverSm | DataSm, smsc_id: str, state: MessageState | None) -> bool:
    """Tell whether the two TLVs repeat the text, as in most receipts."""
    told, reported = pdu.tlvs.get(Tag.RECEIPTED_MESSAGE_ID), pdu.tlvs.get(Tag.MESSAGE_STATE, b"")
    return (
        told is not None
        and smsc_id.isascii()
        and told.rstrip(b"\0") == smsc_id.encode("ascii")
        and len(reported) == 1
        and STATE_VALUES.get(reported[0]) is state is not None
        and not pdu.disagrees
    )


def _flags(pdu: DeliverSm | DataSm, smsc_id: str, stat: str, date_flag: str, *, disagree: bool) -> str:
    """Return the flags of a receipt that is not as it should be."""
    without_id = "no_id" if stat else "unparsed"
    found = {
        "bad_tlv": pdu.damaged,
        "long_id": len(smsc_id) >= MAX_LENGTH,
        without_id: not smsc_id,
        date_flag: bool(date_flag),
        "disagree": disagree,
    }
    return " ".join(flag for flag, said in found.items() if said)


def _with_parameters(
    pdu: DeliverSm | DataSm, smsc_id: str, state: MessageState | None, stat: str, err: str
) -> tuple[str, MessageState | None, str, str, bool]:
    """Return what the text says, overruled by the TLVs, and whether the two contradict each other."""
    disagree = pdu.disagrees
    parameter = receipted_id(pdu)
    if parameter and parameter != smsc_id:
        disagree = disagree or ids_disagree(parameter, smsc_id)
        smsc_id = parameter
    reported = pdu.tlvs.get(Tag.MESSAGE_STATE, b"")
    if len(reported) == 1:
        meant = STATE_VALUES.get(reported[0])
        disagree = disagree or (state is not None and meant is not None and meant is not state)
        stat = stat_of(stat, reported[0], both=meant is not None and meant is not state)
        state = meant or state
    network = pdu.tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    if len(network) == 3:
        code = str(int.from_bytes(network[1:], "big"))
        disagree = disagree or errors_disagree(code, err)
        err = f"{network[0]}:{code}"  # SMPP 3.4, 5.3.2.31
    return smsc_id, state, stat, err, disagree


def text_of(pdu: DeliverSm | DataSm) -> str:
    """Return the text of a receipt, whatever data_coding claims; never raises.

    Receipts are ASCII. Some operators write them in UCS-2, which shows by a NUL in every
    other octet; some set data_coding 8 and still write ASCII.
    """
    octets = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    octets = octets or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if pdu.esm_class & EsmClass.UDHI and octets and octets[0] < len(octets):
        octets = octets[octets[0] + 1 :]
    if len(octets) >= 4 and octets[0] == 0 and octets[2] == 0:
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


# -- dates ------------------------------------------------------------------------------------

_WITHIN_MINUTE_MS = 60 * SECOND_MS
"""Dates may have no seconds: of two within one minute, either may look earlier."""


def read_dates(submitted: str, done: str, *, at: int, zone: tzinfo) -> tuple[int | None, int | None, str]:
    """Return submit date and done date in milliseconds UTC, and a flag if the done date cannot be right.

    Dates carry no zone: `zone` is the operator's. `at` is when the receipt came. Around a clock change a date may mean
    two instants; then the done date is the one after the submit date that is nearest to `at`.
    """
    submits, dones = _pair(submitted, done, zone)
    if len(dones) == 1 and len(submits) == 1 and dones[0] <= at + SKEW_MS:  # nearly always
        return submits[0], dones[0], ""
    if done and not dones:
        return _latest(submits, at + SKEW_MS), None, "bad_date"
    possible = [one for one in dones if one <= at + SKEW_MS]
    if dones and not possible:
        return _latest(submits, at + SKEW_MS), None, "skewed_date"
    if len(possible) > 1 and submits:
        possible = [one for one in possible if one >= submits[0] - _WITHIN_MINUTE_MS] or possible
    done_at = min(possible, key=lambda one: abs(at - one), default=None)
    return _latest(submits, at + SKEW_MS if done_at is None else done_at + _WITHIN_MINUTE_MS), done_at, ""


def _latest(candidates: tuple[int, ...], limit: int) -> int | None:
    """Return the latest one up to the limit; the earliest if all are beyond it."""
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    return max((one for one in candidates if one <= limit), default=candidates[0])


@lru_cache(maxsize=4096)
def _pair(submitted: str, done: str, zone: tzinfo) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what both dates may mean; cached, as receipts of one minute share both."""
    return instants(submitted, zone), instants(done, zone)


def instants(written: str, zone: tzinfo) -> tuple[int, ...]:
    """Return the instants a date may mean, earliest first; none if it is no date."""
    moment = _read_date(written)
    if moment is None:
        return ()
    both = {int(moment.replace(tzinfo=zone, fold=fold).timestamp() * SECOND_MS) for fold in (0, 1)}
    return tuple(sorted(both))


def _read_date(written: str) -> datetime | None:
    """Read YYMMDDhhmm, perhaps with seconds or a four-digit year; None if it is no date."""
    if not (written.isascii() and written.isdecimal()):
        return None
    if len(written) in {12, 14} and written.startswith("20") and (full := _date(written[:14], 4)):
        return full
    return _date(written, 2) if len(written) in {10, 12} else None


def _date(written: str, year: int) -> datetime | None:
    month, day, hour, minute, *rest = (int(written[place : place + 2]) for place in range(year, len(written), 2))
    century = 2000 if year == 2 else 0
    try:
        return datetime(int(written[:year]) + century, month, day, hour, minute, rest[0] if rest else 0)  # noqa: DTZ001  caller's zone
    except ValueError:
        return None
