"""A STOP is that of one number, though another has looked like it before its plan was changed."""

from decimal import Decimal

import pytest

from esito.domain.errors import NothingToSend
from esito.domain.pricing import PriceList
from esito.domain.routing import Routes
from esito.domain.timing import PushableClock
from esito.lifecycle.accept import Acceptance, Draft
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW, account_in, links_in

pytestmark = pytest.mark.anyio

BRAZIL = PriceList(countries={"BR": Decimal("0.045")})
STOPPED, OTHER = "+551178901234", "+5511978901234"
"""Both are whole mobiles of today: neither is the other's former spelling."""


@pytest.mark.parametrize("numbers", [(STOPPED,), (OTHER,), (STOPPED, OTHER), (OTHER, STOPPED)])
async def test_a_stop_is_that_of_its_own_number_alone(
    store: SqliteStore, clock: PushableClock, numbers: tuple[str, ...]
) -> None:
    await account_in(store)
    account = await store.change_profile("acme", {"countries": ("BR",)})
    await store.stops.add(account.id, int(STOPPED[1:]), at=NOW)
    routes = Routes(prefixes={"": "alpha"}, numbers=await links_in(store))
    accepting = Acceptance(store=store, clock=clock, routes=routes, prices=BRAZIL)
    draft = Draft(account=account, texts=("ciao",), numbers=[(one, 0) for one in numbers])
    try:
        accepted = await accepting.accept(draft)
        problems = accepted.problems
    except NothingToSend as refused:
        problems = tuple(refused.problems)
    assert [(one.msisdn, one.code) for one in problems] == [(STOPPED, 14)] * (STOPPED in numbers)
