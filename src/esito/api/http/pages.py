"""What the OpenAPI document says of one operation beyond what the table of operations knows."""

from collections.abc import Mapping
from dataclasses import dataclass

from esito.api.http.schemas import Schema
from esito.domain import errors as e

Refusals = tuple[type[e.EsitoError], ...]

KEY: Refusals = (
    e.ApiKeyMissing,
    e.ApiKeyUnknown,
    e.AccountDisabled,
    e.AccountBlocked,
    e.ApiRefused,
    e.AddressNotAllowed,
)
OF_ADMINISTRATORS: Refusals = (e.ApiKeyMissing, e.ForAdministrators, e.ApiKeyUnknown, e.AddressNotAllowed)
"""Where an administrator's key is asked for."""
BODY: Refusals = (e.MalformedJson,)
SENDING: Refusals = (
    e.InvalidFields,
    e.PhoneNumberMissing,
    e.SenderNotAllowed,
    e.TooManyRecipients,
    e.LowCostNotEligible,
    e.LowCostTooLong,
    e.TooManySegments,
    e.CommercialHour,
    e.CommercialDay,
    e.NothingToSend,
    e.NotEnoughCredit,
    e.DailyCeilingReached,
    e.IdempotencyKeyReused,
)
ALWAYS: Refusals = (e.RepeatedHeader, e.HeadersTooLarge, e.TooManyRequests, e.StoreUnavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDoc:
    """What the document says of one operation beyond what the table of operations knows."""

    summary: str
    answer: str
    """Name of the schema of a good answer."""
    refusals: Refusals
    """In the order in which they are checked."""
    parameters: Mapping[str, tuple[Schema, bool]] | None = None
    """Name to schema, and whether it is required; `apiKey` and `_format` are added."""
    body: str = ""
    """Name of the schema of the body."""
    form: bool = False
    """Whether the body may be a form as well."""
    media: tuple[str, ...] = ()
    """Media types of a good answer that is neither JSON nor XML."""
