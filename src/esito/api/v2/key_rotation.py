"""A new key for a sub-account (contract 4.4)."""

from typing import Annotated

from msgspec import Meta, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import GoodAnswer, Parameters
from esito.api.v1.subaccount_credit import Token
from esito.api.v1.subaccount_keys import EXAMPLE_TOKEN, actor_of, subaccount_key
from esito.domain.credentials import key_digest
from esito.domain.errors import SubaccountNotFound, TokenMissing


class SubaccountKeyRequest(Parameters):
    """Which sub-account."""

    token: Token


class SubaccountKey(GoodAnswer):
    """The new key."""

    api_key: Annotated[str, Meta(description="As the list shows it from now on.")] = field(name="apiKey")


async def rotate_key(request: AccountRequest) -> Response:
    """Give a sub-account a new key; the one before opens nothing any more."""
    token, secret = request.inputs.text("token").strip(), request.services.key_secret
    if not token:
        raise TokenMissing
    before = await request.services.store.ledger.rotate_key(
        request.account.id,
        token,
        lambda before: key_digest(subaccount_key(request, token, before=before), secret),
        actor=actor_of(request),
        at=request.services.clock.now(),
    )
    return request.answer(SubaccountKey(api_key=subaccount_key(request, token, before=before)))


ROTATE_KEY = Endpoint(
    "POST",
    "/v2/subaccounts/rotate-key",
    rotate_key,
    body=SubaccountKeyRequest(token=EXAMPLE_TOKEN),
    answer=SubaccountKey(api_key="7a2c6b1d9a4e7f2085b1c3d5e7f90a1b2c3d4e5f"),
    refusals=(TokenMissing, SubaccountNotFound),
)
