"""All errors, as one tree; the docstring of a class is its default message.

    EsitoError
    ├── Refusal                  the caller's request is at fault; nothing was changed
    │   ├── the request itself   NoSuchPath WrongMethod BodyTooLarge HeadersTooLarge MalformedJson
    │   ├── the key and account  ApiKeyMissing ApiKeyUnknown AccountDisabled AccountBlocked ApiRefused
    │   ├── what was asked for   MessageIdMissing MessageNotFound NoSuchMessage ...
    │   └── what was to be sent  InvalidFields TooManyRecipients TooManySegments NothingToSend ...
    ├── NameTaken NoSuchAccount NoSuchAdministrator
    │                            an administrator's command names the wrong account or administrator
    ├── LinkInUse LinkChanged    a link cannot be changed so, or not now
    ├── LookupUnavailable        an extra is not installed
    ├── PartEnded                a part of the server ended unexpectedly: the process stops, with status 1
    ├── AnsweredBefore           the same request came under one idempotency key at the same time
    └── StoreError               the database is at fault
        ├── StoreUnavailable     try again later
        ├── StoreFailed          it is unknown whether a commit holds: the process must stop
        ├── Fenced               another process has taken over the work
        ├── UnknownLink          a receipt names a link that only another process knows yet
        ├── StoreInUse           another server works with the file
        ├── NewerSchema          the file was written by a newer Esito
        └── UnsafeEngine         an engine that can lose commits, by its release or its settings

Refusals are raised bare and turned into code, text and HTTP status in `api/http/error_replies.py` alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import cleandoc


class EsitoError(Exception):
    """Something went wrong."""

    retry = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or cleandoc(self.__doc__ or "").splitlines()[0])


class Refusal(EsitoError):
    """The request was refused and nothing was changed."""


class NoSuchPath(Refusal):
    """Nothing is served under this path."""


class WrongMethod(Refusal):
    """The path is served, but not with this method."""


class BodyTooLarge(Refusal):
    """The body is larger than we read."""


class EncodingUnknown(Refusal):
    """The body is compressed."""


class RepeatedHeader(Refusal):
    """A header came twice of which only one can count."""


class HeadersTooLarge(Refusal):
    """The headers are larger than we read."""


class MalformedJson(Refusal):
    """The body is not valid JSON."""


class ApiKeyMissing(Refusal):
    """The API key is required."""


class ApiKeyUnknown(Refusal):
    """The API key is not known."""


class ForAdministrators(Refusal):
    """The key is an account's, and this belongs to the installation."""


class UnmaskingNotAllowed(Refusal):
    """The account may not see numbers whole where people look."""


class AccountDisabled(Refusal):
    """The account is disabled."""


class AccountBlocked(Refusal):
    """The account is blocked."""


class AddressNotAllowed(Refusal):
    """The key may not be used from this address."""


class ApiRefused(Refusal):
    """The account may not use the API."""


class PhoneNumberMissing(Refusal):
    """The phone number is required."""


class StopNumberInvalid(Refusal):
    """What is to be stopped is no phone number."""


class StopIdMissing(Refusal):
    """The id of the stopped number is required."""


class StopNotFound(Refusal):
    """No such number on this account's STOP list."""


class MessageIdMissing(Refusal):
    """The message id is required."""


class MessageNotFound(Refusal):
    """No such message in this account."""


class NoSuchMessage(MessageNotFound):
    """No such message in this account, or no such recipient of it."""


class NoSuchCallback(Refusal):
    """No such callback in this account."""


class NumberListEmpty(Refusal):
    """The list of numbers is empty."""


class BadFormat(Refusal):
    """The list is not a list, or an item of it not an object."""


class TooManyRecipients(Refusal):
    """A message has at most 500 recipients."""


class LowCostTooLong(Refusal):
    """A low cost message has at most 160 characters."""


class TooManySegments(Refusal):
    """A message has at most 10 segments."""


class AlreadyCancelled(Refusal):
    """The message was cancelled before."""


class TooLateToCancel(Refusal):
    """A message cannot be cancelled less than five minutes before it is due."""


class AlreadySent(Refusal):
    """The message has left, or was never scheduled."""


class CommercialHour(Refusal):
    """A commercial text is not sent at this hour."""


class CommercialDay(Refusal):
    """A commercial text is not sent on a Sunday or a holiday."""


class LowCostNotEligible(Refusal):
    """The account may not use the low cost range."""


class SenderNotAllowed(Refusal):
    """The account may not use this sender."""


class AnsweredBefore(EsitoError):
    """The same request came at the same time under the same idempotency key, and was kept first."""


class SubaccountsNotAllowed(Refusal):
    """The account may not have sub-accounts."""


class BuyerMissing(Refusal):
    """Whether the sub-account buys for itself is required."""


class SubaccountTypeMissing(Refusal):
    """The type of the sub-account is required."""


class SubaccountTypeUnknown(Refusal):
    """The type of the sub-account is not known."""


class EmailMissing(Refusal):
    """The e-mail address is required."""


class EmailTaken(Refusal):
    """There is an account with this e-mail address."""


class CreditNotPositive(Refusal):
    """The credit must be more than nothing."""


class BalanceTooLow(Refusal):
    """The account's own credit is less than that."""


class TransferBalanceTooLow(BalanceTooLow):
    """The account's own credit is less than what it would give."""


class CreditMissing(Refusal):
    """The credit is required."""


class CreditInvalid(Refusal):
    """The credit is no amount above nothing."""


class TokenMissing(Refusal):
    """The token of the sub-account is required."""


class SubaccountNotFound(Refusal):
    """The account has no such sub-account."""


class RemovalTokenMissing(TokenMissing):
    """The token of the sub-account that is to be removed is required."""


class SubaccountGone(SubaccountNotFound):
    """The account has no such sub-account that could be removed."""


class SubaccountBalanceTooLow(Refusal):
    """The sub-account's credit is less than that."""


class IntervalInvalid(Refusal):
    """The interval is none of those that are known, or its days are no days."""


class NumbersNotSeparated(Refusal):
    """The numbers must be separated by commas."""


class PartEnded(EsitoError):
    """A part of the server ended that never does so by itself."""


class LookupUnavailable(EsitoError):
    """Lookup needs the extra `lookup`: pip install 'esito[lookup]'."""


class TooManyRequests(Refusal):
    """More requests came than are answered in this time."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__()
        self.retry_after = retry_after
        """Seconds until another request is answered."""


class IdempotencyKeyReused(Refusal):
    """The idempotency key was used for another request."""


class NotEnoughCredit(Refusal):
    """The account's credit does not cover the message."""


class DailyCeilingReached(NotEnoughCredit):
    """The account, or one above it, may not send that much more today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One field of a send that is invalid (contract 2.6)."""

    element: str
    message: str


class InvalidFields(Refusal):
    """One or more fields are invalid."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberProblem:
    """A well-formed number that gets nothing, and why: code 9, 13, 14 or 15 (contract 2.6, second layer)."""

    code: int
    msisdn: str


class NothingToSend(Refusal):
    """No recipient is left that could be sent to."""

    def __init__(self, problems: Sequence[NumberProblem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class NumberInUse(Refusal):
    """A message to this number is not finished; it will be by `until` (milliseconds since the epoch)."""

    def __init__(self, until: int = 0) -> None:
        at = datetime.fromtimestamp(until // 1000, UTC)
        super().__init__(f"a message to this number is not finished; it can be erased after {at:%Y-%m-%d %H:%M} UTC")
        self.until = until


class NumberInvalid(Refusal):
    """What should be erased is no phone number."""


class NameTaken(EsitoError):
    """There is an account of this name already."""


class NoSuchAccount(EsitoError):
    """There is no account or key of this name."""


class NoSuchAdministrator(EsitoError):
    """There is no administrator of this name."""


class NoSuchLink(Refusal):
    """There is no link of this name."""


class LinkInUse(EsitoError):
    """Segments still wait for this link, or for its operator's answer."""


class LinkChanged(EsitoError):
    """Somebody else has changed this link meanwhile; look at it and try again."""


class StoreError(EsitoError):
    """The database could not do what was asked."""


class StoreUnavailable(StoreError):
    """The database is full or busy; nothing was changed."""

    retry = True


class StoreFailed(StoreError):
    """A commit failed with an input/output error: whether it holds is unknown."""


class StoreInUse(StoreError):
    """Another server works with this file."""


class Fenced(StoreError):
    """Another process has taken over."""


class UnknownLink(StoreError):
    """A receipt names a link that this process has not registered; another process may have."""


class NewerSchema(StoreError):
    """The database was written by a newer version of Esito."""


class UnsafeEngine(StoreError):
    """This database engine can lose commits, by its release or by its settings."""
