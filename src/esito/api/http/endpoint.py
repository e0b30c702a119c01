"""The declaration of an endpoint: what is served, documented and tested of it, in one place beside its handler.

Routes, the OpenAPI document, the documentation page and the tests that ask with another account's key all come from
it. A new endpoint is a handler and its declaration in one file, which `esito.api.endpoints` names.
"""

from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from inspect import getdoc

from msgspec import Struct

from esito.api.http.request import AccountRequest, AdminRequest
from esito.api.http.response import Response
from esito.api.http.schema import GoodAnswer, Parameters
from esito.domain import errors as e

Errors = tuple[type[e.EsitoError], ...]

OF_BODY: Errors = (e.MalformedJson,)
OF_ACCOUNT_KEY: Errors = (
    e.ApiKeyMissing,
    e.ApiKeyUnknown,
    e.AccountDisabled,
    e.AccountBlocked,
    e.ApiRefused,
    e.AddressNotAllowed,
)
OF_ADMIN_KEY: Errors = (e.ApiKeyMissing, e.ForAdministrators, e.ApiKeyUnknown, e.AddressNotAllowed)
OF_LONG_BODY: Errors = (e.BodyTooLarge, e.EncodingUnknown)
OF_ANY_REQUEST: Errors = (e.RepeatedHeader, e.HeadersTooLarge, e.TooManyRequests, e.StoreUnavailable)


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """One method of one path."""

    method: str
    path: str
    """A piece in braces, such as `{id}`, is one of `parameters`."""
    _: KW_ONLY
    answer: Struct | None
    """A good answer, as the documentation shows it; its type is the schema. None where `media` says what comes."""
    other_answers: tuple[type[GoodAnswer], ...] = ()
    """Shapes that a good answer may have beside that of `answer`."""
    media: tuple[str, ...] = ()
    """Media types of a good answer that is neither JSON nor XML."""
    parameters: Parameters | None = None
    """What the path and the query say, as an example that a test sends; its type is the schema."""
    body: Parameters | None = None
    """The same of the body; None where no body is read."""
    takes_form: bool = False
    """Whether the body may be a form as well as JSON: whether its members are scalars."""
    refusals: Errors = ()
    """What the handler raises, in the order in which it is checked; `errors` adds what every request may meet."""

    @property
    def bearer(self) -> bool:
        """Whether the key comes in the `Authorization` header, not as `apiKey`."""
        return not self.path.startswith("/v1/")


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint(Declaration):
    """What an account may ask."""

    handler: Callable[[AccountRequest], Awaitable[Response]]
    """Its docstring's first line is the summary in the documentation."""


@dataclass(frozen=True, slots=True, eq=False)
class AdminEndpoint(Declaration):
    """What only an administrator may ask."""

    handler: Callable[[AdminRequest], Awaitable[Response]]


AnyEndpoint = Endpoint | AdminEndpoint


def summary_of(endpoint: AnyEndpoint) -> str:
    """Return what an endpoint does, in a sentence."""
    return (getdoc(endpoint.handler) or "").partition("\n")[0]


def documented_errors(endpoint: AnyEndpoint) -> Errors:
    """Return the errors in the order in which they are checked: the body, the key, then what the handler refuses."""
    of_body = () if endpoint.body is None else OF_BODY
    of_key = OF_ADMIN_KEY if isinstance(endpoint, AdminEndpoint) else OF_ACCOUNT_KEY
    return (*of_body, *of_key, *endpoint.refusals)


def common_errors(endpoint: AnyEndpoint) -> Errors:
    """Return the errors that a request may meet before it is looked at."""
    return (*(() if endpoint.body is None else OF_LONG_BODY), *OF_ANY_REQUEST)
