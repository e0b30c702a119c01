"""What the API answers, as records; what goes wrong, as errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from esito.domain.errors import EsitoError

FINAL = frozenset({"Delivered", "Not delivered", "KO"})
"""Status words that are the last one (contract 1.5)."""


class ClientError(EsitoError):
    """The API could not be asked, or refused."""


class Unreachable(ClientError):
    """The server could not be reached."""

    retry = True


class UnexpectedAnswer(ClientError):
    """What answered is no Esito, or one in trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One field or number that was at fault."""

    message: str
    element: str = ""
    """Which field, as the API names it; empty for a number."""
    code: int = 0
    """Zero for a field."""
    msisdn: str = ""
    """The number, where it is one."""

    def __str__(self) -> str:
        return f"{self.msisdn}: {self.message} (code {self.code})" if self.msisdn else self.message


class ApiError(ClientError):
    """The API refused: `code` and `message` as in the contract, `errors` when it named fields or numbers."""

    def __init__(self, code: int, message: str, errors: Sequence[Failure] = ()) -> None:
        told = "; ".join(map(str, errors))
        if message and any(error.msisdn for error in errors):
            super().__init__(f"{message} (code {code}): {told}")
        else:
            super().__init__(f"{message or told or 'refused'} (code {code})")
        self.code = code
        self.message = message
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientStatus:
    """One recipient of a message (bulk-status, and by tag)."""

    msisdn: str
    status: str
    stopped: bool
    changed_at: datetime

    @property
    def final(self) -> bool:
        """Whether nothing more is expected to happen."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleStatus:
    """One recipient of one message, with its price (message-status)."""

    message_id: int
    msisdn: str
    """As it was asked."""
    status: str
    stopped: bool
    changed_at: datetime
    cost: Decimal
    currency: str
    country: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairStatus:
    """The answer to one (message id, number) pair of multi-status."""

    message_id: int
    msisdn: str
    code: int
    """200 when it was found."""
    status: str
    """The status word; the reason when it was not found."""
    stopped: bool | None = None
    """None when it was not found."""
    changed_at: datetime | None = None
    """None when it was not found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPage:
    """A page of the recipients of all messages with one tag."""

    page: int
    total: int
    recipients: list[RecipientStatus]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of a send."""

    message_id: int
    segments: int
    cost: Decimal
    currency: str
    due_at: str | None = None
    """Paris date and time when it was scheduled, as the API writes it."""
    errors: tuple[Failure, ...] = ()
    """Numbers that it was not sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentItem:
    """One text of a bulk-send."""

    msisdn: str
    code: int
    """200 when it was accepted."""
    segments: int = 0
    cost: Decimal = Decimal(0)
    message: str = ""
    """Why it was not accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSent:
    """What became of a bulk-send."""

    message_id: int
    segments: int
    cost: Decimal
    currency: str
    items: list[SentItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedNumber:
    """A number on the STOP list (stop-sms/list)."""

    id: int
    msisdn: str
    created_at: str
    """Paris date and time, as the API writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """Whose key it is, and what is left (me)."""

    username: str
    balance: Decimal
    currency: str
    segments: int
    """How many premium segments the balance pays for."""
    to_send: int
    """Recipients accepted and not yet submitted."""
