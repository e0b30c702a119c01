"""Whose key is this, and what is left? (contract 4.1)"""

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, field

from esito.api.http.endpoint import Endpoint
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.api.http.schema import AnswerPart, GoodAnswer
from esito.domain.message import Range
from esito.domain.pricing import PriceList

HLR_PRICE = Decimal("0.005")
"""Of one number check (contract 4.3)."""


class User(AnswerPart):
    """Whose key it is."""

    username: str
    firstname: str
    lastname: str


class CreditLeft(AnswerPart):
    """What is left, and what it buys."""

    premium: Annotated[int, Meta(description="Premium segments that the balance pays for.")] = field(name="creditSms")
    low_cost: Annotated[int, Meta(description="Low cost segments that it pays for.")] = field(name="creditSmsECO")
    number_checks: Annotated[int, Meta(description="Number checks that it pays for.")] = field(name="creditHlr")
    to_send: Annotated[int, Meta(description="Recipients accepted and not yet submitted.")] = field(name="toSend")
    balance: Annotated[str, Meta(description="Three decimal places.")]
    currency: str
    solde: Annotated[str, Meta(description="`balance` under its other name.")]
    # Last, so that XML keeps its positions.
    low_cost_older: Annotated[int, Meta(description="`creditSmsECO` under its older name.")] = field(
        name="creditSmsLowCost"
    )


class Me(GoodAnswer):
    """The account, and what its credit buys."""

    user: User
    credit: CreditLeft = field(name="credits")


async def me(request: AccountRequest) -> Response:
    """Whose key it is, and what is left."""
    account, services = request.account, request.services
    balance = f"{account.credit:.3f}"
    low_cost = _buys(account.credit, _price(services.prices, Range.LOW_COST))
    return request.answer(
        Me(
            user=User(
                username=account.username, firstname=account.profile.firstname, lastname=account.profile.lastname
            ),
            credit=CreditLeft(
                premium=_buys(account.credit, _price(services.prices, Range.PREMIUM)),
                low_cost=low_cost,
                number_checks=_buys(account.credit, HLR_PRICE),
                to_send=await services.store.to_send(account.id),
                balance=balance,
                currency=services.currency,
                solde=balance,
                low_cost_older=low_cost,
            ),
        )
    )


def _price(prices: PriceList, gamme: Range) -> Decimal | None:
    return prices.price(prices.home, gamme)


def _buys(credit: Decimal, price: Decimal | None) -> int:
    """Return how many fit into a credit; 0 where there is no price, or nothing is charged."""
    return int(credit / price) if price else 0


ME = Endpoint(
    "GET",
    "/v1/me",
    me,
    answer=Me(
        user=User(username="acme", firstname="", lastname=""),
        credit=CreditLeft(
            premium=2222,
            low_cost=2500,
            number_checks=20000,
            to_send=0,
            balance="100.000",
            currency="EUR",
            solde="100.000",
            low_cost_older=2500,
        ),
    ),
)
