"""The settings of a sub-account are never wider than its parent's."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from esito.domain.account import Account, AccountState, CommercialTexts, Profile, narrowed

SENDERS = st.lists(st.sampled_from(["A", "B", "C"]), unique=True).map(tuple)
PROFILES = st.builds(
    Profile,
    unicode_allowed=st.booleans(),
    low_cost_allowed=st.booleans(),
    commercial=st.sampled_from(CommercialTexts),
    senders=SENDERS,
    numbers=st.just(("33644556677",)),
    creates_subaccounts=st.booleans(),
    requests_per_second=st.integers(0, 3),
    weight=st.integers(1, 3),
)
STRICTER = list(CommercialTexts)


def may_send_as(profile: Profile) -> set[str]:
    return {one for one in "ABCD" if not profile.senders or one in profile.senders}


def rate(profile: Profile) -> float:
    return profile.requests_per_second or float("inf")


@given(own=PROFILES, parent=PROFILES)
def test_it_is_the_narrower_of_the_two(own: Profile, parent: Profile) -> None:
    holds = narrowed(own, parent)
    assert may_send_as(holds) == may_send_as(own) & may_send_as(parent)
    assert holds.unicode_allowed == (own.unicode_allowed and parent.unicode_allowed)
    assert holds.low_cost_allowed == (own.low_cost_allowed and parent.low_cost_allowed)
    assert STRICTER.index(holds.commercial) == max(STRICTER.index(own.commercial), STRICTER.index(parent.commercial))
    assert rate(holds) == min(rate(own), rate(parent))
    assert holds.weight == min(own.weight, parent.weight)
    assert not holds.creates_subaccounts
    assert holds.numbers == own.numbers


@given(own=PROFILES, parent=PROFILES, above=PROFILES)
def test_the_order_of_narrowing_does_not_matter(own: Profile, parent: Profile, above: Profile) -> None:
    first, second = narrowed(narrowed(own, parent), above), narrowed(own, narrowed(parent, above))
    assert (may_send_as(first), rate(first), first.commercial) == (may_send_as(second), rate(second), second.commercial)


@given(own=st.sampled_from(AccountState), parent=st.sampled_from(AccountState))
def test_it_is_active_only_below_an_active_one(own: AccountState, parent: AccountState) -> None:
    child, above = (
        Account(id=number, name="", state=state, credit=Decimal(0)) for number, state in ((2, own), (1, parent))
    )
    account = child.below(above)
    assert (account.state is AccountState.ACTIVE) == (own is parent is AccountState.ACTIVE)
    assert [one.id for one in account.lineage] == [2, 1]
