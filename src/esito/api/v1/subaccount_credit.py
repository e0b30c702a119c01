"""Moving credit between an account and its sub-accounts (contract 4.4)."""

import re
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest, as_text
from esito.api.http.response import Response
from esito.api.http.schema import GoodAnswer, Parameters, names_a
from esito.api.v1.subaccount_keys import EXAMPLE_TOKEN, actor_of
from esito.domain import errors as e
from esito.domain.pricing import as_number, to_micros

LARGEST_AMOUNT = Decimal(1_000_000_000)
_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,18})?", re.ASCII)

Amount = Annotated[float, Meta(gt=0, le=1000, multiple_of=0.001)]
Token = Annotated[str, Meta(min_length=1, description="As creating or listing showed it."), names_a("token")]


class CreditRequest(Parameters):
    """How much, and whose."""

    credit: Amount
    token: Token = field(name="tokenSubaccount")


class CreditMoved(GoodAnswer):
    """What both have then."""

    credit: Annotated[float, Meta(description="What is left of one's own.")]
    subaccount_credit: Annotated[float, Meta(description="What the sub-account has then.")] = field(
        name="subaccountCredit"
    )
    currency: str


async def add_credit(request: AccountRequest) -> Response:
    """Give credit to a sub-account."""
    return await _move(request, 1)


async def remove_credit(request: AccountRequest) -> Response:
    """Take credit back from a sub-account."""
    return await _move(request, -1)


async def _move(request: AccountRequest, sign: int) -> Response:
    if not request.account.profile.creates_subaccounts:
        raise e.SubaccountsNotAllowed
    if not request.inputs.has("credit"):
        raise e.CreditMissing
    amount = read_amount(request.inputs.raw("credit"))
    if amount is None:
        raise e.CreditInvalid
    token = request.inputs.text("tokenSubaccount").strip()
    if not token:
        raise e.TokenMissing
    try:
        left = await request.services.store.ledger.move_credit(
            request.account.id,
            token,
            sign * to_micros(amount),
            actor=actor_of(request),
            at=request.services.clock.now(),
        )
    except e.BalanceTooLow:
        raise e.TransferBalanceTooLow from None
    return request.answer(
        CreditMoved(
            credit=as_number(left.parent),
            subaccount_credit=as_number(left.subaccount),
            currency=request.services.currency,
        )
    )


def read_amount(value: Any) -> Decimal | None:
    """Return an amount above nothing with at most three decimals; None for anything else."""
    text = as_text(value).strip()
    if isinstance(value, bool) or not _AMOUNT.fullmatch(text):
        return None
    amount = Decimal(text)
    if not 0 < amount < LARGEST_AMOUNT or amount != round(amount, 3):
        return None
    return amount


_REFUSALS = (
    e.SubaccountsNotAllowed,
    e.CreditMissing,
    e.CreditInvalid,
    e.TokenMissing,
    e.SubaccountNotFound,
    e.TransferBalanceTooLow,
    e.SubaccountBalanceTooLow,
)

ADD_CREDIT = Endpoint(
    "POST",
    "/v1/subaccount/credit/add",
    add_credit,
    body=CreditRequest(credit=10, token=EXAMPLE_TOKEN),
    takes_form=True,
    answer=CreditMoved(credit=90, subaccount_credit=10, currency="EUR"),
    refusals=_REFUSALS,
)

REMOVE_CREDIT = Endpoint(
    "POST",
    "/v1/subaccount/credit/remove",
    remove_credit,
    body=CreditRequest(credit=1, token=EXAMPLE_TOKEN),
    takes_form=True,
    answer=CreditMoved(credit=91, subaccount_credit=9, currency="EUR"),
    refusals=_REFUSALS,
)
