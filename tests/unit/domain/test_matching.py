from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.belief import NOTHING_OWED, OpenSubmission, Owed
from esito.domain.choosing import Candidate
from esito.domain.decisions import CallbackRow, RecipientMove, SegmentMove, Unmatched, Waits
from esito.domain.matching import Settlement, is_clear, is_plain
from esito.domain.operator_habits import COUNT_TO, ENOUGH, IdForm, Learned
from esito.domain.receipt import SKEW_MS, DeliveryReceipt
from esito.domain.states import MessageState, MultipartRule
from tests.kit.builders import NOW, receipt

S = MessageState
PARIS, ROME = "33612345678", "393331234567"


def candidate(
    smsc_message_id: str,
    *,
    message_id: int = 1,
    seq: int = 0,
    part: int = 1,
    msisdn: str = PARIS,
    state: int = S.WAITING,
    submitted_at: int = NOW,
    recipient_state: int | None = None,
    wants_callback: int = 0,
    states: tuple[int, ...] = (),
) -> Candidate:
    return Candidate(
        message_id, seq, part, smsc_message_id, msisdn, state, submitted_at,
        state if recipient_state is None else recipient_state, wants_callback, states or (state,),
    )  # fmt: skip


def settle(*receipts: tuple[DeliveryReceipt, list[Candidate]], owed: Owed = NOTHING_OWED, **rules: str) -> Settlement:
    settlement = Settlement({link: MultipartRule(rule) for link, rule in rules.items()}, {"alpha": Learned()})
    for number, (one, candidates) in enumerate(receipts):
        settlement.settle(number, one, candidates, owed=owed)
    return settlement


OWED = Owed([OpenSubmission(PARIS, NOW)])
"""A submit_sm to Paris lacks its response."""


def verdicts(settlement: Settlement) -> list[tuple[str, int | None]]:
    """What the trail says of each receipt, and of which message."""
    return [(row.verdict, row.message_id) for row in settlement.decisions.trail]


def flags(settlement: Settlement) -> list[str]:
    return [row.flags for row in settlement.decisions.trail]


# -- the usual receipt --------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["DELIVRD", "UNDELIV", "ENROUTE", "NONSENSE"]),
            st.integers(1, 3),
            st.sampled_from([None, NOW - SKEW_MS - 1, NOW + 1]),
            st.booleans(),
        ),
        max_size=6,
    ),
    st.integers(ENOUGH, COUNT_TO),
    st.sampled_from([(S.WAITING, S.WAITING, S.WAITING), (S.ENROUTE, S.WAITING, S.ENROUTE)]),
    st.booleans(),
    st.booleans(),
)
def test_the_shorter_way_of_the_usual_receipt_ends_where_the_long_one_does(
    said: list[tuple[str, int, int | None, bool]],
    seen: int,
    before: tuple[int, int, int],
    alone: bool,
    queried: bool,
) -> None:
    """`alone`: each has a message of its own; `queried`: what is known was only told by answers to query_sm."""
    short, long = ({"alpha": Learned(seen={IdForm.AS_IS: seen})} for _ in range(2))
    only = [(1 + place * alone, 0, 1 if alone else place + 1) for place in range(3 * queried)]
    by_short, by_long = (Settlement({}, forms, queried_only=only) for forms in (short, long))
    for number, (word, part, done_at, counts) in enumerate(said):
        one = receipt(f"100{part}", word, addresses=(PARIS, ""), counts=counts)
        one = one._replace(done_at=done_at, submitted_at=NOW)
        state, recipient = before[part - 1], min(before)
        if alone:
            owner = candidate(f"100{part}", message_id=part, state=state, recipient_state=recipient, wants_callback=1)
        else:
            owner = candidate(
                f"100{part}", part=part, state=state, recipient_state=recipient, wants_callback=1, states=before
            )
        assert is_clear(one, [owner], by_short.decisions.learned["alpha"])
        assert is_plain(one, owner)
        by_short.settle_plain(number, one, owner)
        by_long.settle(number, one, [owner])
    learned, other = (way.decisions.learned.pop("alpha") for way in (by_short, by_long))
    assert by_short.decisions == by_long.decisions
    assert learned.seen == other.seen
    assert short["alpha"].seen == long["alpha"].seen == Learned(seen={IdForm.AS_IS: seen}).seen


# -- which segment is meant --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "written"),
    [("1001", "1001"), ("0a1f", "0A1F"), ("1001", "0000001001"), ("3e9", "1001"), ("1001", "3E9")],
)
def test_one_segment_whose_id_agrees_in_any_spelling_is_meant(response: str, written: str) -> None:
    settled = settle((receipt(written, "DELIVRD"), [candidate(response)]))
    assert verdicts(settled) == [("moved", 1)]
    assert settled.decisions.recipients == [RecipientMove(1, 0, S.DELIVERED, NOW + 5_000)]
    assert settled.decisions.unmatched == []


def test_a_segment_whose_id_does_not_agree_is_not_meant() -> None:
    settled = settle((receipt("1001", "DELIVRD"), [candidate("1002")]))
    assert verdicts(settled) == [("orphan", None)]
    assert [number for number, _ in settled.decisions.unmatched] == [0]
    settled = settle((receipt("1001", "DELIVRD"), [candidate("1002"), candidate("1003", message_id=2)]))
    assert verdicts(settled) == [("orphan", None)]


def test_the_better_spelling_wins_within_one_base() -> None:
    candidates = [candidate("0007", message_id=1, submitted_at=NOW + 9), candidate("7", message_id=2)]
    assert verdicts(settle((receipt("7", "DELIVRD"), candidates))) == [("moved", 2)]
    assert verdicts(settle((receipt("0007", "DELIVRD"), candidates))) == [("moved", 1)]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_an_id_and_its_other_base_are_ambiguous_and_nothing_is_guessed(order: slice) -> None:
    candidates = [candidate("1000", message_id=1), candidate("4096", message_id=2)][order]
    settled = settle((receipt("1000", "DELIVRD"), candidates), owed=OWED)
    assert verdicts(settled) == [("orphan", None)]
    assert flags(settled) == ["ambiguous"]
    assert [number for number, _ in settled.decisions.unmatched] == [0]
    assert settled.decisions.segments == []
    assert settled.decisions.recipients == []


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        (ROME, 2), (f"+{ROME}", 2), (f"00{ROME}", 2), (PARIS, 1), (f"+{PARIS}", 1), ("0612345678", 1),
        ("0033612345678", 1), ("", None), ("ESITO", None), ("612345678", 1), ("33699999999", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1])
def test_the_address_breaks_a_tie_whichever_field_it_stands_in(address: str, meant: int | None, place: int) -> None:
    candidates = [candidate("1000", message_id=1), candidate("4096", message_id=2, msisdn=ROME)]
    addresses = (address, "ESITO") if place == 0 else ("ESITO", address)
    settled = settle((receipt("1000", "DELIVRD", addresses=addresses), candidates))
    assert verdicts(settled) == [("moved", meant) if meant else ("orphan", None)]


def test_the_very_id_wins_over_another_base_where_both_have_the_number() -> None:
    candidates = [candidate("1000", message_id=1), candidate("4096", message_id=2)]
    settled = settle((receipt("1000", "DELIVRD", addresses=(PARIS, "")), candidates))
    assert verdicts(settled) == [("moved", 1)]


def test_two_paddings_that_agree_equally_well_are_ambiguous() -> None:
    candidates = [candidate("007", message_id=1), candidate("0007", message_id=2)]
    assert flags(settle((receipt("7", "DELIVRD"), candidates))) == ["ambiguous"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_id_that_has_come_round_means_the_newest_unfinished_segment(order: tuple[int, ...]) -> None:
    candidates = [
        candidate("7", message_id=1, submitted_at=NOW),
        candidate("7", message_id=2, submitted_at=NOW + 10),
        candidate("7", message_id=3, submitted_at=NOW + 20, state=S.DELIVERED),
    ]
    assert verdicts(settle((receipt("7", "UNDELIV"), [candidates[place] for place in order]))) == [("moved", 2)]


def test_an_id_that_has_come_round_where_all_is_finished_means_the_newest() -> None:
    candidates = [
        candidate("7", message_id=1, submitted_at=NOW, state=S.EXPIRED),
        candidate("7", message_id=2, submitted_at=NOW + 10, state=S.UNDELIVERABLE),
    ]
    assert verdicts(settle((receipt("7", "DELIVRD"), candidates))) == [("moved", 2)]


def test_what_one_receipt_finishes_the_next_of_the_batch_sees_finished() -> None:
    candidates = [candidate("7", message_id=1), candidate("7", message_id=2, submitted_at=NOW + 10)]
    settled = settle((receipt("7", "DELIVRD"), candidates), (receipt("7", "UNDELIV"), candidates))
    assert verdicts(settled) == [("moved", 2), ("moved", 1)]


# -- nobody is meant ---------------------------------------------------------------------------


def test_a_receipt_that_may_be_early_is_parked_and_any_other_is_an_orphan() -> None:
    early, orphan = settle((receipt("1001", "DELIVRD"), []), owed=OWED), settle((receipt("1001", "DELIVRD"), []))
    assert verdicts(early) == [("parked", None)]
    assert early.decisions.unmatched == [Unmatched(0, Waits.RESPONSE)]
    assert verdicts(orphan) == [("orphan", None)]
    assert orphan.decisions.unmatched == [Unmatched(0, Waits.NOTHING)]


def test_a_receipt_without_an_id_can_never_be_matched_and_is_an_orphan() -> None:
    settled = settle((receipt("", "DELIVRD"), []), owed=OWED)
    assert verdicts(settled) == [("orphan", None)]
    assert [number for number, _ in settled.decisions.unmatched] == [0]


def test_flags_of_the_receipt_are_kept_beside_our_own() -> None:
    flagged = receipt("1000", "DELIVRD")._replace(flags="bad_date")
    candidates = [candidate("1000", message_id=1), candidate("4096", message_id=2)]
    assert flags(settle((flagged, candidates), (flagged, []))) == ["bad_date ambiguous", "bad_date"]


# -- what it does there ------------------------------------------------------------------------


def test_a_receipt_moves_up_only_and_the_trail_says_why_not() -> None:
    words = ["ACCEPTD", "ENROUTE", "ACCEPTD", "ZZZ", "DELIVRD", "UNDELIV"]
    settled = settle(*((receipt("7", word), [candidate("7")]) for word in words))
    assert [verdict for verdict, _ in verdicts(settled)] == [
        "moved", "weaker", "duplicate", "unknown_word", "moved", "weaker",
    ]  # fmt: skip
    assert [move.state for move in settled.decisions.segments] == [S.ACCEPTED, S.DELIVERED]


def test_an_acknowledgement_by_the_handset_is_noted_and_moves_nobody() -> None:
    acknowledgement = receipt("7", "DELIVRD", counts=False)
    settled = settle((acknowledgement, [candidate("7")]), (acknowledgement, []), owed=OWED)
    assert verdicts(settled) == [("not_a_receipt", 1), ("not_a_receipt", None)]
    assert settled.decisions.segments == []
    assert settled.decisions.unmatched == []


def test_a_move_keeps_what_the_operator_said_of_it() -> None:
    said = receipt("7", "UNDELIV")._replace(error_code="1:011", done_at=NOW + 3)
    settled = settle((receipt("9", "DELIVRD"), []), (said, [candidate("7", message_id=5, seq=2)]))
    assert settled.decisions.segments == [SegmentMove(5, 2, 1, S.UNDELIVERABLE, NOW + 3, "1:011", 1)]


def test_a_callback_is_owed_when_the_public_word_changes_and_only_then() -> None:
    words = ["ENROUTE", "ACCEPTD", "EXPIRED", "UNDELIV", "DELIVRD"]
    settled = settle(*((receipt("7", word), [candidate("7", wants_callback=1)]) for word in words))
    at = NOW + 5_000
    assert settled.decisions.callbacks == [CallbackRow(1, 0, S.EXPIRED, at), CallbackRow(1, 0, S.DELIVERED, at)]
    assert settle((receipt("7", "DELIVRD"), [candidate("7")])).decisions.callbacks == []


# -- many segments -----------------------------------------------------------------------------


def parts(*ids: str, states: tuple[int, ...] = (), recipient_state: int = S.WAITING) -> list[Candidate]:
    known = states or (S.WAITING,) * len(ids)
    return [
        candidate(id_, part=part, state=known[part - 1], states=known, recipient_state=recipient_state)
        for part, id_ in enumerate(ids, 1)
    ]


@pytest.mark.parametrize(
    ("rule", "states"),
    [
        ("any-failed", [S.UNDELIVERABLE]),
        ("all", [S.UNDELIVERABLE]),
        ("first", [S.DELIVERED]),
        ("last", [S.DELIVERED]),
    ],
)
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_segments_make_the_recipient_in_any_order(rule: str, states: list[int], order: tuple[int, ...]) -> None:
    said = [receipt("a", "DELIVRD"), receipt("b", "UNDELIV"), receipt("c", "DELIVRD")]
    batch = [(said[place], [parts("a", "b", "c")[place]]) for place in order]
    settled = settle(*batch, alpha=rule)
    assert [move.state for move in settled.decisions.recipients][-1:] == states


def test_one_id_for_the_whole_message_moves_all_of_its_segments() -> None:
    settled = settle((receipt("7", "DELIVRD"), parts("7", "7", "7")))
    assert [(move.part, move.state) for move in settled.decisions.segments] == [(n, S.DELIVERED) for n in (1, 2, 3)]
    assert [move.state for move in settled.decisions.recipients] == [S.DELIVERED]


def test_one_id_for_the_whole_message_never_lowers_a_segment_that_stands_higher() -> None:
    """The receipt came between two responses: one segment is delivered, its sister has just got the same id."""
    standing = parts("7", "7", states=(S.DELIVERED, S.WAITING))
    settled = settle((receipt("7", "UNDELIV"), standing))
    assert [(move.part, move.state) for move in settled.decisions.segments] == [(2, S.UNDELIVERABLE)]


# -- our own conclusions -----------------------------------------------------------------------


def conclusion(state: MessageState | None) -> DeliveryReceipt:
    return DeliveryReceipt(link="alpha", smsc_message_id="", state=state, stat="no receipt", received_at=NOW)


def infer(segments: list[Candidate], state: MessageState | None, link_rule: str = "any-failed") -> Settlement:
    settlement = Settlement({"alpha": MultipartRule(link_rule)}, {"alpha": Learned()})
    settlement.infer(0, conclusion(state), segments)
    return settlement


def test_a_conclusion_moves_each_segment_that_stands_lower() -> None:
    inferred = infer(parts("a", "b", "c", states=(S.DELIVERED, S.ACCEPTED, S.WAITING)), S.EXPIRED)
    assert [(move.part, move.state) for move in inferred.decisions.segments] == [(2, S.EXPIRED), (3, S.EXPIRED)]
    assert verdicts(inferred) == [("inferred", 1), ("inferred", 1)]
    assert [move.state for move in inferred.decisions.recipients] == [S.EXPIRED]


@pytest.mark.parametrize("state", [S.EXPIRED, S.UNDELIVERABLE, S.DELIVERED])
def test_a_conclusion_leaves_alone_what_the_operator_has_settled(state: MessageState) -> None:
    inferred = infer([candidate("a", state=state)], S.EXPIRED)
    assert inferred.decisions.trail == []
    assert inferred.decisions.segments == []


def test_a_conclusion_without_a_state_concludes_nothing() -> None:
    assert infer([candidate("a")], None).decisions.trail == []


def test_a_later_word_of_the_operator_corrects_a_conclusion() -> None:
    settlement = Settlement({}, {"alpha": Learned()})
    settlement.infer(0, conclusion(S.EXPIRED), [candidate("7")])
    settlement.settle(1, receipt("7", "DELIVRD"), [candidate("7")])
    assert verdicts(settlement) == [("inferred", 1), ("moved", 1)]
    assert [move.state for move in settlement.decisions.recipients] == [S.EXPIRED, S.DELIVERED]


# -- answers to query_sm -----------------------------------------------------------------------


def queried(word: str, *, at: int = NOW + 5_000, known: Candidate | None = None) -> Settlement:
    settlement = Settlement({}, {"alpha": Learned()})
    owner = known or candidate("4711")
    settlement.settle_answer(0, receipt("4711", word, at=at), owner, [owner])
    return settlement


def test_an_answer_to_query_sm_moves_a_segment_up_under_a_verdict_of_its_own() -> None:
    settlement = queried("DELIVRD", known=candidate("4711", wants_callback=1))
    assert verdicts(settlement) == [("queried", 1)]
    assert [(one.state, one.part) for one in settlement.decisions.segments] == [(S.DELIVERED, 1)]
    assert settlement.decisions.recipients == [RecipientMove(1, 0, S.DELIVERED, NOW + 5_000)]
    assert settlement.decisions.callbacks == [CallbackRow(1, 0, S.DELIVERED, NOW + 5_000)]


@pytest.mark.parametrize("state", [S.UNDELIVERABLE, S.DELIVERED])
def test_an_answer_to_query_sm_that_says_no_more_than_is_known_moves_nobody(state: MessageState) -> None:
    settlement = queried("UNDELIV", known=candidate("4711", state=state))
    assert verdicts(settlement) == [("queried", 1)]
    assert settlement.decisions.segments == []
    assert settlement.decisions.recipients == []


def test_a_receipt_that_says_the_same_as_an_answer_to_query_sm_is_still_the_receipt() -> None:
    known = candidate("4711", state=S.DELIVERED)
    settlement = Settlement({}, {"alpha": Learned()}, queried_only=[known[:3]])
    told = receipt("4711", "DELIVRD")._replace(done_at=NOW + 1_000)
    for number in range(2):
        settlement.settle(number, told, [known])
    assert verdicts(settlement) == [("moved", 1), ("duplicate", 1)]
    assert settlement.decisions.segments == [SegmentMove(1, 0, 1, S.DELIVERED, NOW + 1_000, "000", 0)]
    assert settlement.decisions.recipients == []
    assert settlement.decisions.callbacks == []


def test_an_answer_to_query_sm_about_a_common_id_moves_every_segment_that_has_it() -> None:
    parts = [candidate("4711", part=part, states=(0, 0)) for part in (1, 2)]
    settlement = Settlement({}, {"alpha": Learned()})
    settlement.settle_answer(0, receipt("4711", "DELIVRD"), parts[0], parts)
    assert [one.part for one in settlement.decisions.segments] == [1, 2]
    assert [one.state for one in settlement.decisions.recipients] == [S.DELIVERED]
