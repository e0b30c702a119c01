"""Which fate falls on a number, and when what is said of it."""

import statistics
from collections import Counter

import pytest

from esito.domain.states import MessageState as State
from esito.domain.timing import HOUR_MS, MINUTE_MS, VALIDITY_MS
from esito.simulator.behaviour import Behaviour, Chooser, Delay, Said
from esito.simulator.fates import ENDINGS, FATES, STATS
from esito.simulator.ids import IdNotation
from esito.smpp.pdu import Status

MINUTE_LESS = VALIDITY_MS - MINUTE_MS


@pytest.fixture
def chooser() -> Chooser:
    return Chooser(Behaviour(), seed=1)


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("0001", [(0, "DELIVRD")]),
        ("0002", [(1_000, "UNDELIV")]),
        ("0003", [(VALIDITY_MS, "EXPIRED")]),
        ("0004", []),
        ("0005", []),
        ("0006", [(MINUTE_LESS, "DELIVRD")]),
        ("0007", [(1_000, "UNDELIV"), (2_000, "DELIVRD")]),
        ("0008", [(0, "DELIVRD")]),
        ("0009", [(1_000, "DELIVRD")]),
        ("0010", [(1_000, "DELIVRD"), (1_100, "ENROUTE"), (1_200, "ACCEPTD")]),
        ("0011", [(1_000, "DELIVRD")]),
        ("0012", [(1_000, "DELIVRD")]),
        ("0013", [(1_000, "DELIVRD")]),
        ("0014", [(1_000, "DELIVRD")]),
        ("0015", [(1_000, "DELIVRD")]),
    ],
)
def test_an_ending_says_this_and_then(chooser: Chooser, ending: str, said: list[tuple[int, str]]) -> None:
    plan = chooser.plan(chooser.fate_of(f"3361234{ending}"))
    assert [(word.after_ms, STATS[word.state]) for word in plan] == said


def test_what_else_an_ending_does(chooser: Chooser) -> None:
    def fate(ending: str) -> object:
        return chooser.fate_of(f"+3361234{ending}")

    assert FATES["refused"].refused == Status.ESME_RINVDSTADR
    assert fate("0004") is FATES["refused"]
    assert fate("0008") is FATES["receipt-first"]
    assert FATES["receipt-first"].receipt_first
    assert FATES["twice"].copies == 2
    assert (FATES["two-id-forms"].response_id, FATES["two-id-forms"].receipt_id) == (IdNotation.HEX, IdNotation.DECIMAL)
    assert FATES["other-session"].other_session
    assert FATES["broken-text"].broken_text
    assert FATES["throttled"].throttled == 3
    assert FATES["stop"].reply == "STOP"


def test_only_0000_and_any_other_number_are_left_to_chance(chooser: Chooser) -> None:
    scripted = [chooser.fate_of(f"33612340{ending}") for ending in ENDINGS if ending != "0000"]
    assert all(word.after_ms is not None for fate in scripted for word in fate.words)
    assert [word.after_ms for word in chooser.fate_of("33612340000").words] == [None]


def test_97_of_a_hundred_others_are_delivered_2_undeliverable_1_late(chooser: Chooser) -> None:
    names = {id(fate): name for name, fate in FATES.items()}
    fates = Counter(names[id(chooser.fate_of("33612345678"))] for _ in range(100_000))
    # Four standard deviations of a binomial distribution of 100,000.
    assert fates["delivered"] == pytest.approx(97_000, abs=216)
    assert fates["usually-undeliverable"] == pytest.approx(2_000, abs=177)
    assert fates["late"] == pytest.approx(1_000, abs=126)
    assert fates.total() == 100_000


def test_the_usual_delay_is_log_normal_around_three_seconds(chooser: Chooser) -> None:
    fate = FATES["delivered"]
    delays = sorted(chooser.plan(fate)[0].after_ms for _ in range(50_000))
    assert statistics.median(delays) == pytest.approx(3_000, rel=0.05)
    assert delays[40_000] == pytest.approx(16_150, rel=0.07)  # 80 %
    assert delays[47_500] == pytest.approx(80_500, rel=0.10)  # 95 %
    assert delays[-1] <= MINUTE_LESS


def test_late_is_between_one_hour_and_48_and_mostly_early(chooser: Chooser) -> None:
    delays = [chooser.plan(FATES["late"])[0].after_ms for _ in range(10_000)]
    assert min(delays) >= HOUR_MS
    assert max(delays) < VALIDITY_MS
    assert max(delays) > 47 * HOUR_MS
    assert statistics.median(delays) == pytest.approx(HOUR_MS * 48**0.5, rel=0.1)


def test_the_same_seed_gives_the_same_fates_and_delays() -> None:
    def story(seed: int) -> list[tuple[Said, ...]]:
        chooser = Chooser(Behaviour(), seed=seed)
        return [chooser.plan(chooser.fate_of("33612345678")) for _ in range(50)]

    assert story(7) == story(7)
    assert story(7) != story(8)


@pytest.mark.parametrize(
    ("ending", "validity_ms", "said"),
    [
        ("0003", 10_000, [(10_000, State.EXPIRED)]),
        ("0006", HOUR_MS, [(HOUR_MS, State.EXPIRED)]),
        ("0007", 1_500, [(1_000, State.UNDELIVERABLE), (1_500, State.EXPIRED)]),
        ("0010", 500, [(500, State.EXPIRED)]),
        ("0002", 1_001, [(1_000, State.UNDELIVERABLE)]),
    ],
)
def test_a_message_that_is_no_longer_valid_expires(
    chooser: Chooser, ending: str, validity_ms: int, said: list[tuple[int, State]]
) -> None:
    plan = chooser.plan(chooser.fate_of(f"336{ending}"), validity_ms)
    assert [(word.after_ms, word.state) for word in plan] == said


def test_the_longest_ending_wins() -> None:
    endings = {"1": "delivered", "01": "undeliverable", "55501": "silent"}
    chooser = Chooser(Behaviour(endings=endings, shares={"late": 1}))
    assert chooser.fate_of("33600001") is FATES["undeliverable"]
    assert chooser.fate_of("33655501") is FATES["silent"]
    assert chooser.fate_of("33600011") is FATES["delivered"]
    assert chooser.fate_of("33600002") is FATES["late"]


def test_a_delay_without_spread_is_its_median() -> None:
    chooser = Chooser(Behaviour(delay=Delay(median_ms=500, sigma=0.0)))
    assert {chooser.plan(FATES["delivered"])[0].after_ms for _ in range(20)} <= {499, 500}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (IdNotation.DECIMAL, "43981"),
        (IdNotation.HEX, "abcd"),
        (IdNotation.HEX_UPPER, "ABCD"),
        (IdNotation.PADDED, "0" * 15 + "43981"),
    ],
)
def test_an_id_has_four_forms(form: IdNotation, text: str) -> None:
    assert form.write(0xABCD) == text
