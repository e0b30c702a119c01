"""What a history is made of, before anybody knows what comes of it: how the operators are, and what is done."""

from typing import NamedTuple

from hypothesis import strategies as st

from esito.domain.states import MessageState
from tests.histories.truth import DAY, HOUR, MINUTE, SECOND, WRITINGS, Operator

PAUSES = (SECOND, 20 * SECOND, 90 * SECOND, 12 * MINUTE, 2 * HOUR, DAY, 3 * DAY)

NOTHING = "nothing"
"""What an act is made by whoever shrinks a history: they stay long enough for something to happen in all of them."""

DOES = (
    NOTHING,
    *["send"] * 5,
    *["claim"] * 5,
    *["respond"] * 6,
    *["deliver"] * 7,
    *["lose"] * 2,
    *["pause"] * 4,
    "late", "again", "foreign", "throttle", "refuse", "drop", "restart", "expire",
)  # fmt: skip

WORDS = (
    MessageState.DELIVERED,
    MessageState.UNDELIVERABLE,
    MessageState.DELIVERED,
    MessageState.ENROUTE,
    MessageState.EXPIRED,
    MessageState.ACCEPTED,
    MessageState.UNKNOWN,
    None,
)


class Act(NamedTuple):
    """One thing that happens; what the numbers choose among depends on what there is."""

    does: str
    which: int
    how: int
    more: int


class Setup(NamedTuple):
    """The operators and the links of a history."""

    operators: tuple[tuple[str, int, int, int, int], ...]
    """Of each: writing, first id, round, offset of its clock, precision of its dates."""
    again: tuple[bool, bool]
    """Whether each link submits again what is uncertain."""
    together: bool
    """Whether answers and receipts are recorded in one go, nobody waiting in between."""

    def make(self) -> list[Operator]:
        """Return the operator of each of the two links."""
        made = [
            Operator(name=f"op{number}", writing=WRITINGS[writing], first=first, round=round_, offset=offset,
                     precision=precision)
            for number, (writing, first, round_, offset, precision) in enumerate(self.operators)
        ]  # fmt: skip
        return [made[0], made[-1]]


_OPERATOR = st.tuples(
    st.sampled_from([*["decimal"] * 6, *WRITINGS]),
    st.sampled_from([1, 9, 15, 98, 4_090, 7_300_000, 0xFFFF_FFF0]),
    st.sampled_from([0, 0, 50, 3, 2]),
    st.sampled_from([0, 0, 60 * SECOND, -60 * SECOND, 17_300]),
    st.sampled_from([SECOND, MINUTE, 0]),
)

SETUPS = st.builds(
    Setup,
    st.one_of(st.tuples(_OPERATOR), st.tuples(_OPERATOR, _OPERATOR)),
    st.sampled_from([(False, False), (False, False), (False, True), (True, True)]),
    st.booleans(),
)

_ACTS = st.builds(Act, st.sampled_from(DOES), st.integers(0, 11), st.integers(0, 11), st.integers(0, 11))

HISTORIES = st.tuples(
    SETUPS, st.lists(_ACTS, min_size=24, max_size=48).map(lambda acts: [act for act in acts if act.does != NOTHING])
)
