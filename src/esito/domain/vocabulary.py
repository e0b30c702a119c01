"""What an operator's error code means, in words for somebody who has to answer a customer.

Operators give the reason of a failure in two places: the command_status of a submit_sm_resp and
the error code of a delivery receipt. The tables that explain them are data. A code is looked up
in the operator's own table, then in the generic one; an unknown code is reported as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from esito.domain.states import FIRST_FINAL, STAT_WORDS, MessageState


class ErrorCategory(Enum):
    """Kinds of failures."""

    UNKNOWN_SUBSCRIBER = "unknown_subscriber"
    INVALID_NUMBER = "invalid_number"
    ABSENT_SUBSCRIBER = "absent_subscriber"
    BARRED = "barred"
    MEMORY_FULL = "memory_full"
    HANDSET = "handset"
    NETWORK = "network"
    CONGESTION = "congestion"
    EXPIRED = "expired"
    DELETED = "deleted"
    REJECTED = "rejected"
    REJECTED_CONTENT = "rejected_content"
    INVALID_SENDER = "invalid_sender"
    CREDIT = "credit"
    ROUTING = "routing"
    ACCESS = "access"
    REQUEST = "request"
    SYSTEM = "system"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMeaning:
    """What went wrong with one recipient or segment."""

    category: ErrorCategory
    permanent: bool
    """Whether the same message to the same number fails again until something changes; False if unknown."""
    reason: str
    """One or two sentences in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTable:
    """The meanings of one operator's codes, or the generic ones; its keys are normalised."""

    error_codes: Mapping[str, ErrorMeaning] = field(default_factory=dict)
    """By `normal_code`."""
    statuses: Mapping[int, ErrorMeaning] = field(default_factory=dict)
    """By command_status."""
    stat_words: Mapping[str, ErrorMeaning] = field(default_factory=dict)
    """By the word after `stat:`, in upper case; used if the code means nothing."""

    def over(self, other: "ErrorTable") -> "ErrorTable":
        """Return both tables as one, in which the entries of this one win."""
        return ErrorTable(
            error_codes={**other.error_codes, **self.error_codes},
            statuses={**other.statuses, **self.statuses},
            stat_words={**other.stat_words, **self.stat_words},
        )


NOTHING = "0"
"""The code that means none."""

WORDS = {state: word for word, state in reversed(STAT_WORDS.items())}
"""The word of SMPP 3.4 for each state: the first one in the table."""

# Types of network_error_code (SMPP 3.4, 5.3.2.31; the last two are of version 5.0).
_GSM, _SMPP, _MESSAGE_CENTRE = "3", "7", "8"

_UNEXPLAINED = ErrorMeaning(
    category=ErrorCategory.UNKNOWN, permanent=False, reason="The operator could not deliver the message."
)


def normal_code(written: str) -> str:
    """Return an error code in the form of the tables' keys.

    Case and leading zeros are dropped, and `0x45` becomes `69`, in both halves of `type:code`.
    Anything else stays as it is.
    """
    return ":".join(_normal_part(part) for part in written.strip().upper().split(":"))


def _normal_part(part: str) -> str:
    part = part.strip()
    if part.startswith("0X"):
        try:
            return str(int(part, 16))
        except ValueError:  # letters that only begin like a number
            return part
    return part.lstrip("0") or NOTHING


class Vocabulary:
    """Explains the errors of every operator."""

    def __init__(self, generic: ErrorTable, operators: Mapping[str, ErrorTable]) -> None:
        self._generic = generic
        self._operators = dict(operators)

    @property
    def operators(self) -> frozenset[str]:
        """The operators that have a table of their own."""
        return frozenset(self._operators)

    def of_receipt(
        self, operator: str, error_code: str, state: MessageState | None, *, stat: str = ""
    ) -> ErrorMeaning | None:
        """Return what the code of a receipt means; None if there is no failure.

        `error_code` and `stat`: raw, from the receipt. A delivered message has no failure, whatever
        its code. A message on its way has one only if its code is known: then it tells what delays
        the message.
        """
        if state == MessageState.DELIVERED:
            return None
        own = self._operators.get(operator, ErrorTable())
        code = normal_code(error_code)
        meaning = self._of_code(own, code)
        if meaning is not None:
            return meaning
        if state is None or state < FIRST_FINAL:
            return None
        return _with_code(self._of_word(own, stat.strip().upper(), state), "" if _is_nothing(code) else error_code)

    def of_submit(self, operator: str, command_status: int) -> ErrorMeaning | None:
        """Return why a submit_sm was refused; None for ESME_ROK."""
        if command_status == 0:
            return None
        own = self._operators.get(operator, ErrorTable())
        meaning = own.statuses.get(command_status) or self._generic.statuses.get(command_status)
        return meaning or ErrorMeaning(
            category=ErrorCategory.UNKNOWN,
            permanent=False,
            reason="The operator refused the message. "
            f"The status 0x{command_status:08X} that came with it is not in our tables.",
        )

    def _of_code(self, own: ErrorTable, code: str) -> ErrorMeaning | None:
        found = own.error_codes.get(code)
        if found is not None or _is_nothing(code):
            return found
        if code in self._generic.error_codes:
            return self._generic.error_codes[code]
        network, colon, number = code.partition(":")
        if not colon:
            return None
        if network == _GSM:
            return self._generic.error_codes.get(number)
        if network == _SMPP and number.isascii() and number.isdecimal():
            return own.statuses.get(int(number)) or self._generic.statuses.get(int(number))
        # A message centre's own numbers are those of its `err:`; other operators' numbers differ.
        return own.error_codes.get(number) if network == _MESSAGE_CENTRE else None

    def _of_word(self, own: ErrorTable, stat: str, state: MessageState) -> ErrorMeaning:
        for word in (stat, WORDS[state]):
            for table in (own, self._generic):
                if word in table.stat_words:
                    return table.stat_words[word]
        return _UNEXPLAINED


def _is_nothing(code: str) -> bool:
    return code.rpartition(":")[2] == NOTHING


def _with_code(meaning: ErrorMeaning, raw: str) -> ErrorMeaning:
    """Return a meaning that mentions the unknown code, or that no reason was given."""
    if raw:
        shown = "".join(sign if sign.isprintable() else "?" for sign in raw.strip())
        said = f"The code {shown} that came with it is not in our tables."
    elif meaning.category is ErrorCategory.UNKNOWN:
        said = "No reason was given."
    else:
        return meaning
    return ErrorMeaning(category=meaning.category, permanent=meaning.permanent, reason=f"{meaning.reason} {said}")
