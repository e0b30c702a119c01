"""Whose key is this, and what is left? (contract 4.1)"""

from decimal import Decimal

from esito.api.http.request import AccountRequest
from esito.api.http.response import Response
from esito.domain.message import Range
from esito.domain.pricing import PriceList

HLR_PRICE = Decimal("0.005")
"""Of one number check (contract 4.3)."""


async def me(request: AccountRequest) -> Response:
    """GET /v1/me: the account, and what its credit buys."""
    account = request.account
    balance = f"{account.credit:.3f}"
    low_cost = _buys(account.credit, _price(request.services.prices, Range.LOW_COST))
    return request.answer(
        {
            "user": {
                "username": account.username,
                "firstname": account.profile.firstname,
                "lastname": account.profile.lastname,
            },
            "credits": {
                "creditSms": _buys(account.credit, _price(request.services.prices, Range.PREMIUM)),
                "creditSmsECO": low_cost,
                "creditHlr": _buys(account.credit, HLR_PRICE),
                "toSend": await request.services.store.to_send(account.id),
                "balance": balance,
                "currency": request.services.currency,
                "solde": balance,
                "creditSmsLowCost": low_cost,  # the older name; last, so that XML keeps its positions
            },
        }
    )


def _price(prices: PriceList, gamme: Range) -> Decimal | None:
    return prices.price(prices.home, gamme)


def _buys(credit: Decimal, price: Decimal | None) -> int:
    """Return how many fit into a credit; 0 where there is no price, or nothing is charged."""
    return int(credit / price) if price else 0
