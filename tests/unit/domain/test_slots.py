"""Slots: whatever accounts ask for, there are never more out than may be, and the next account finds one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from esito.domain.slots import ALL, ALL_IN_SANDBOX, FAST, USUAL, CallbackTarget, Slots

places = st.builds(
    lambda sandbox, account, address, port: CallbackTarget(
        sandbox, account, f"{address}.example", account * 100 + ord(address) * 10 + port
    ),
    st.booleans(), st.integers(1, 9), st.sampled_from("abc"), st.integers(0, 9),
)  # fmt: skip


def taken(slots: Slots, place: CallbackTarget) -> int:
    """Let as many go out as may."""
    count = 0
    while slots.of_place(place):
        slots.take(place)
        count += 1
    return count


@given(st.lists(places, max_size=60))
def test_no_limit_is_passed_whatever_is_asked_for(asked: list[CallbackTarget]) -> None:
    slots, out = Slots(), Counter[CallbackTarget]()
    for place in asked:
        out[place] += taken(slots, place)
    for sandbox, most in ((False, ALL), (True, ALL_IN_SANDBOX)):
        assert sum(count for place, count in out.items() if place.sandbox is sandbox) <= most
        for account in {place.account for place in asked}:
            of_account = {place: n for place, n in out.items() if (place.sandbox, place.account) == (sandbox, account)}
            assert sum(of_account.values()) <= most // 4
            for address in {place.address for place in of_account}:
                assert sum(n for place, n in of_account.items() if place.address == address) <= most // 8
    assert max(out.values(), default=0) <= USUAL


@given(st.lists(places, max_size=60), st.booleans())
def test_an_account_that_has_none_out_gets_one(asked: list[CallbackTarget], sandbox: bool) -> None:
    slots = Slots()
    for place in asked:
        taken(slots, place)
    assert slots.of_place(CallbackTarget(sandbox, 77, "next.example", 7777)) >= 1


@given(st.lists(places, max_size=60))
def test_what_has_ended_leaves_nothing_behind(asked: list[CallbackTarget]) -> None:
    slots = Slots()
    out = [place for place in asked for _ in range(taken(slots, place))]
    copy = slots.copy()
    for place in out:
        slots.free(place)
        copy.free(place)
    for one in (slots, copy):
        assert one.of_account(1, sandbox=False) == ALL // 4
        assert one.of_account(1, sandbox=True) == ALL_IN_SANDBOX // 4


def test_a_server_that_answers_fast_gets_more() -> None:
    place = CallbackTarget(False, 1, "a.example", 7)
    assert (Slots().of_place(place), Slots().of_place(place, fast={7})) == (USUAL, FAST)
