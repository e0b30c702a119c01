"""What subscribers write: the pieces, the whole text, the message it answers, and its callback (contract 3.2, 3.3)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum
from functools import lru_cache
from typing import NamedTuple

from esito.domain.msisdn import read_address
from esito.domain.timing import DAY_MS, HOUR_MS, PARIS, SECOND_MS

WINDOW_MS = 30 * DAY_MS
"""How long after a message a reply to its sender still belongs to it."""

STOP_WINDOW_MS = 90 * DAY_MS
"""How long after a message a STOP still belongs to it."""

INCOMPLETE_AFTER_MS = 24 * HOUR_MS
"""How long a long reply waits for its missing parts."""

REPEATED_WITHIN_MS = 60 * SECOND_MS
"""The same octets from the same number within this time are a repetition by the operator: our response was lost."""


class ReplyKind(Enum):
    """What a reply is; the words of contract 3.2."""

    RESPONSE = "response"
    STOP = "stop"


class ReplyPhase(IntEnum):
    """How far a piece of a reply is; the numbers are stored."""

    DONE = 1
    """Part of a whole reply."""
    WAITS = 2
    """Waits for other parts."""
    REPEATED = 3
    """Came before; ignored."""


class Concatenated(NamedTuple):
    """The place of a piece in a long reply."""

    reference: int
    """Shared by all parts; the bits above the sixteenth tell the kind of reference."""
    total: int
    part: int

    @property
    def shown(self) -> int:
        """The reference as the handset wrote it."""
        return self.reference & 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One deliver_sm or data_sm that a subscriber wrote; `raw` is the PDU as it came."""

    link: str
    source: str
    destination: str
    received_at: int
    raw: bytes
    text: str = ""
    """A piece of a long reply may begin or end with half of a surrogate pair; `whole_text` joins them."""
    concatenated: Concatenated | None = None


class SentBefore(NamedTuple):
    """A message that was sent to a number, which a reply may answer."""

    message_id: int
    seq: int
    account: int
    sender: str
    due_at: int
    url_response: str | None
    source: str = ""
    """The number it came from, if known; empty for a name, or if the operator chose it."""
    stop_numbers: tuple[str, ...] = ()
    """The numbers that take a STOP to it."""
    operator: int | None = None
    """The operator of the link it left by; None if no link has taken it."""


def whole_text(pieces: Sequence[str]) -> str:
    """Join the texts of parts in their order."""
    octets = "".join(pieces).encode("utf-16-be", "surrogatepass")
    return octets.decode("utf-16-be", "replace")


@lru_cache(maxsize=1024)
def same_address(address: str) -> str:
    """Return an address in a spelling for comparison; a number is E.164 without plus."""
    bare = address.strip(" \0")
    return (read_address(bare) or bare).removeprefix("+").casefold()


def answered_message(
    candidates: Sequence[SentBefore],
    *,
    destination: str,
    at: int,
    owner: int | None,
    operator: int | None = None,
    any_sender: bool = False,
) -> SentBefore | None:
    """Return the newest message that a reply to `destination` answers; None if there is none.

    `owner`: the account that owns the destination as a long number; then only its messages from that number count.
    Otherwise messages from the destination count, and those without a sender. `any_sender` is for a STOP: every message
    counts, and for longer, because a STOP goes to a number even if the message came from a name.
    Messages from the destination, or that named it for a STOP, win over those that left by the `operator` of the reply,
    and these over all others.
    """
    wanted = same_address(destination)
    window = STOP_WINDOW_MS if any_sender else WINDOW_MS

    def fits(one: SentBefore) -> bool:
        if not at - window <= one.due_at <= at or (owner is not None and one.account != owner):
            return False
        return any_sender or same_address(one.sender) == wanted or (owner is None and not one.sender)

    def nearness(one: SentBefore) -> int:
        if wanted in {same_address(one.sender), same_address(one.source)}:
            return 2
        if any_sender and wanted in map(same_address, one.stop_numbers):
            return 2
        same_operator = operator is None or one.operator in {None, operator}
        # If the operator chose the sender, it may have chosen this address.
        chosen = not one.sender and not one.source
        return int(same_operator) * (2 if chosen else 1)

    fitting = [one for one in candidates if fits(one)]
    return max(fitting, key=lambda one: (nearness(one), one.due_at, one.message_id), default=None)


def short_code_body(kind: ReplyKind, msisdn: str, text: str, message_id: int) -> str:
    """Return the body of a callback for a reply to a short code (contract 3.2)."""
    return _json({"type": kind.value, "phone_number": msisdn, "text": text, "message_id": message_id})


def long_number_body(reply: Reply, msisdn: str, *, uuid: str) -> str:
    """Return the body of a callback for one piece of a reply to a long number (contract 3.3)."""
    text = whole_text([reply.text])
    moment = datetime.fromtimestamp(reply.received_at / SECOND_MS, UTC).astimezone(PARIS)
    members: dict[str, str] = {
        "msisdn": msisdn.removeprefix("+"),
        "to": same_address(reply.destination),
        "messageId": uuid,
        "text": text,
        "type": "text",
        "keyword": next(iter(text.split()), ""),
        "message-timestamp": moment.strftime("%Y-%m-%d %H:%M:%S"),
    }
    if reply.concatenated is not None:
        members |= {
            "concat": "true",
            "concat-ref": str(reply.concatenated.shown),
            "concat-total": str(reply.concatenated.total),
            "concat-part": str(reply.concatenated.part),
        }
    return _json(members)


def _json(members: Mapping[str, object]) -> str:
    return json.dumps(members, separators=(",", ":"))
