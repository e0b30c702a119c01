"""Script files."""

import json
import re
from pathlib import Path

import pytest

from esito.domain.states import MessageState
from esito.domain.timing import VALIDITY_MS
from esito.simulator.behaviour import Behaviour, Chooser
from esito.simulator.fates import ENDINGS, FATES, Fate, Word
from esito.simulator.ids import IdKind, IdNotation
from esito.simulator.script import InvalidScript, load_script
from esito.simulator.trouble import Scheduled, Trouble, TroubleKind

EXAMPLE = """
submit_per_second = 50
zone = "Europe/Paris"
response_id = "hex"
receipt_id = "padded"
ids = "uuid"
ids_start = 7
ids_wrap = 1000

[delay]
median = 0.5
sigma = 1.0
longest = 60

[shares]
delivered = 1
slow-bounce = 3

[endings]
"99" = "slow-bounce"
"0001" = "silent"

[fates.slow-bounce]
words = [
  { state = "ACCEPTD" },
  { state = "UNDELIV", after = 90, error = "027" },
  { state = "DELIVRD", after = "usual" },
]
copies = 2

[[troubles]]
kind = "full"
prefixes = ["3369", "41"]
after = 60
lasts = 12
every = 300
"""


def written(folder: Path, text: str, name: str = "operator.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_script_sets_everything_an_operator_may_do(tmp_path: Path) -> None:
    behaviour = load_script(written(tmp_path, EXAMPLE))
    assert (behaviour.submit_per_second, behaviour.zone) == (50, "Europe/Paris")
    assert (behaviour.response_id, behaviour.receipt_id) == (IdNotation.HEX, IdNotation.PADDED)
    assert (behaviour.delay.median_ms, behaviour.delay.sigma, behaviour.delay.longest_ms) == (500, 1.0, 60_000)
    assert (behaviour.ids, behaviour.ids_start, behaviour.ids_wrap) == (IdKind.UUID, 7, 1000)
    full = Trouble(kind=TroubleKind.FULL, prefixes=("3369", "41"))
    assert behaviour.troubles == (Scheduled(trouble=full, after=60, lasts=12, every=300),)
    assert behaviour.shares == {"delivered": 1, "slow-bounce": 3}
    assert behaviour.fates["slow-bounce"] == Fate(
        words=(
            Word(state=MessageState.ACCEPTED, after_ms=1_000),
            Word(state=MessageState.UNDELIVERABLE, after_ms=90_000, error="027"),
            Word(state=MessageState.DELIVERED, after_ms=None),
        ),
        copies=2,
    )
    chooser = Chooser(behaviour)
    assert chooser.fate_of("33600000099") is behaviour.fates["slow-bounce"]
    assert chooser.fate_of("33600000001") is FATES["silent"]
    assert chooser.fate_of("33600000002") is FATES["undeliverable"]


def test_an_empty_script_is_the_usual_operator(tmp_path: Path) -> None:
    assert load_script(written(tmp_path, "")) == Behaviour()


def test_json_says_the_same(tmp_path: Path) -> None:
    script = {"endings": {"7": "expired"}, "standard_endings": False}
    behaviour = load_script(written(tmp_path, json.dumps(script), "operator.json"))
    assert behaviour.endings == {"7": "expired"}
    assert Chooser(behaviour).plan(FATES["expired"])[0].after_ms == VALIDITY_MS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("endings = 3", "Expected `object`"),
        ("[broken", "operator.toml"),
        ("colour = 'blue'", "unknown field `colour`"),
        ("[endings]\n12a = 'silent'", "an ending is digits"),
        ("[endings]\n12 = 'sudden'", "no fate 'sudden'; there are "),
        ("[shares]\nsudden = 1", "no fate 'sudden'"),
        ("[shares]\nsilent = 0", "shares are zero or more"),
        ("[shares]\nsilent = -1\nlate = 2", "shares are zero or more"),
        ("[delay]\nmedian = 0", "median is a millisecond or more"),
        ("submit_per_second = -1", "submit_per_second is zero or more"),
        ("zone = 'Mars/Olympus'", "no zone 'Mars/Olympus'"),
        (
            "response_id = 'roman'",
            "Invalid enum value 'roman' - at `$.response_id`; there are decimal, hex, hex-upper, padded",
        ),
        ("[fates.odd]\nwords = [{state = 'LOST'}]", "'LOST' is not a state; there are ENROUTE, ACCEPTD, "),
        ("[fates.odd]\nwords = [{state = 'DELIVRD', after = -1}]", "after is not negative"),
        (
            "[fates.odd]\nwords = [{state = 'DELIVRD', after = 'soon'}]",
            "words[0].after`; there are usual, a number of seconds",
        ),
        ("[fates.odd]\ncopies = 0", "copies is 1 or more"),
        ("ids = 'roman'", "Invalid enum value 'roman' - at `$.ids`; there are counter, hex, decimal, uuid"),
        ("receipt_id = 'roman'", "`$.receipt_id`; there are decimal, hex, hex-upper, padded"),
        ("ids = 3", "Expected `str`, got `int` - at `$.ids`"),
        ("ids_start = -1", "ids_start and ids_wrap are zero or more"),
        ("ids_wrap = -1", "ids_start and ids_wrap are zero or more"),
        ("[[troubles]]\nkind = 'rain'", "`$.troubles[0].kind`; there are throttled, full, refusing, black-hole"),
        ("[[troubles]]\nkind = 'away'\nafter = -1", "trouble 'away': no time or rate is negative"),
        ("[[troubles]]\nkind = 'away'\nlasts = 2\nevery = 1", "cannot come again before it is over"),
        ("[[troubles]]\nkind = 'full'\nprefixes = ['+33']", "prefixes are digits"),
        ("[[troubles]]\nkind = 'refusing'\nstatus = 0", "a command_status that refuses"),
        (f"[fates.odd]\nreply = '{'x' * 161}'", "at most 160 characters"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(InvalidScript, match=r"operator\.toml") as refusal:
        load_script(written(tmp_path, text))
    assert why in str(refusal.value)


def test_the_scripts_of_the_documentation_can_be_loaded(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "simulator.md").read_text()
    scripts = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    first, second = (load_script(written(tmp_path, script)) for script in scripts)
    assert first.fates["slow-bounce"].words[1].error == "027"
    assert Chooser(second).fate_of("33600000002") is FATES["at-once"]


def test_the_documentation_has_every_ending_and_its_fate() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "simulator.md").read_text()
    rows = dict(re.findall(r"^\| (\d{4}) \| `([a-z-]+)` \|", page, re.MULTILINE))
    assert rows == ENDINGS
