"""Where an account may send: nowhere that any account above it may not."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from esito.domain.account import ANYWHERE, Account, AccountState, Profile, may_send_to

COUNTRIES = st.lists(st.sampled_from(["FR", "IT", "BE", ANYWHERE]), unique=True, max_size=3).map(tuple)
LINES = st.lists(COUNTRIES, min_size=1, max_size=3)
HOMES = st.sampled_from(["FR", "IT", "LV"])


def lowest_of(lists: list[tuple[str, ...]]) -> Account:
    """Return the account at the end of a line; the lists are from the top down."""
    account: Account | None = None
    for number, countries in enumerate(lists):
        profile = Profile(countries=countries)
        below = Account(id=number, name="", state=AccountState.ACTIVE, credit=Decimal(0), profile=profile)
        account = below if account is None else below.below(account)
    assert account is not None
    return account


def allowed(account: Account, home: str) -> set[str | None]:
    return {one for one in ("FR", "IT", "BE", "LV", None) if may_send_to(account, one, home=home)}


@given(countries=COUNTRIES, home=HOMES)
def test_it_is_its_list_or_the_home_country(countries: tuple[str, ...], home: str) -> None:
    everything = {"FR", "IT", "BE", "LV", None}
    expected = everything if ANYWHERE in countries else set(countries) or {home}
    assert allowed(lowest_of([countries]), home) == expected


@given(lists=LINES, own=COUNTRIES, home=HOMES)
def test_a_sub_account_may_send_where_all_above_it_may_and_its_own_list_allows(
    lists: list[tuple[str, ...]], own: tuple[str, ...], home: str
) -> None:
    above = allowed(lowest_of(lists), home)
    below = allowed(lowest_of([*lists, own]), home)
    assert below == (above & allowed(lowest_of([own]), home) if own else above)
