"""Every word has a meaning and somebody who acts for it; a file with any other word is not played."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.receipts import accidents, words
from tests.receipts.__main__ import main
from tests.receipts.case import LINK_SETTINGS, MODIFIERS
from tests.receipts.expect import QUESTIONS
from tests.receipts.happening import ACTS
from tests.receipts.names import strange_names
from tests.receipts.runner import CASES, load, run_case
from tests.receipts.scene import WITH_A_WORD_BEFORE
from tests.receipts.words import misplaced, unknown

assert accidents  # the acts are registered

CASE: dict[str, Any] = {
    "id": "X1",
    "title": "",
    "events": [{"submit": {"to": "33612345678", "segments": 1, "response_ids": ["1"]}}, {"receipt": {"text": "id:1"}}],
    "expect": {"status": "Delivered"},
}


def test_somebody_acts_for_every_event_and_asks_for_every_expectation() -> None:
    assert set(words.EVENTS) == set(ACTS) | MODIFIERS | WITH_A_WORD_BEFORE
    assert set(words.EXPECT) == set(QUESTIONS) | {"note"}


def test_our_own_cases_use_no_other_word() -> None:
    cases = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    assert unknown(cases, LINK_SETTINGS) == []
    assert [one for case in cases for one in misplaced(case, LINK_SETTINGS)] == []


def _with(place: str, word: Any, value: Any = 1) -> dict[str, Any]:
    """Return the case with a word at a place."""
    case: dict[str, Any] = json.loads(json.dumps(CASE))
    if place == "case":
        case[word] = value
    elif place == "expectation":
        case["expect"][word] = value
    elif place == "link":
        case["links"] = [{"name": "a", word: value}]
    elif place == "event":
        case["events"].append({word: value})
    elif place == "late_answer":
        case["events"][0]["submit"]["late_answer"] = {word: value}
    elif place == "query_sm":
        case["events"].append({"query_sm": {word: value}})
    else:
        next(event for event in case["events"] if place in event)[place][word] = value
    return case


@pytest.mark.parametrize(
    "place", ["case", "event", "submit", "late_answer", "receipt", "query_sm", "link", "expectation"]
)
def test_a_word_that_is_known_nowhere_is_named_with_its_case_and_what_is_known(place: str) -> None:
    (said,) = unknown([CASE, _with(place, "teleport")], LINK_SETTINGS)
    assert said.startswith(f"case X1: the {place} 'teleport' is not known; known are ")
    assert all(word in said for word in words.PLACES[place])


@pytest.mark.parametrize(
    ("place", "word", "value"),
    [("submit", "lose_response", "explosion"), ("event", "order", "sideways"), ("event", "store", "on fire"),
     ("receipt", "text", "id:{uuid}"), ("receipt", "text", "done date:{yesterday}")],
)  # fmt: skip
def test_a_value_that_is_a_word_must_be_a_known_one(place: str, word: str, value: str) -> None:
    assert len(unknown([_with(place, word, value)])) == 1


@pytest.mark.parametrize(("place", "word"), [("event", "cut_at"), ("submit", "tlv_list"), ("expectation", "sigstop")])
def test_a_word_in_a_place_where_it_means_nothing_fails_its_case_alone(place: str, word: str) -> None:
    assert unknown([_with(place, word)]) == []
    (said,) = misplaced(_with(place, word))
    assert said.startswith(f"{word!r} means nothing as {place}; known there are ")


def test_nothing_is_played_of_a_file_with_an_unknown_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "strange.json"
    file.write_text(json.dumps({"cases": [CASE, _with("event", "teleport")]}), encoding="utf-8")
    assert main([str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "case X1: the event 'teleport' is not known" in said.err


@pytest.mark.parametrize(
    ("place", "word", "value", "said"),
    [
        ("event", "link_setting", {"windw": 3}, "[[link]] has no setting 'windw'; it has "),
        ("link", "link_setting", {"windw": 3}, "[[link]] has no setting 'windw'; it has "),
        ("receipt", "encoding", "utf-99", "there is no encoding 'utf-99'; there are gsm, "),
        ("receipt", "encoding", "rot13", "there is no encoding 'rot13'; there are gsm, "),
        ("receipt", "tlv_list", [{}], "'' is no optional parameter; it may be "),
        ("receipt", "tlv_list", [[]], "'' is no optional parameter; it may be "),
        ("receipt", "tlvs", {"message_stat": 2}, "'message_stat' is no optional parameter; it may be "),
        ("receipt", "tlv_hex", {"14270": "02"}, "'14270' is no optional parameter; it may be "),
        ("receipt", "tlv_list", [["0427", 2], ["stat", 2]], "'stat' is no optional parameter; it may be "),
        ("receipt", "tlv_list", [{"tag": "stat", "hex": "02"}], "'stat' is no optional parameter; it may be "),
    ],
)
def test_nothing_is_played_of_a_file_with_an_unknown_name(
    tmp_path: Path, place: str, word: str, value: Any, said: str
) -> None:
    file = tmp_path / "strange.json"
    file.write_text(json.dumps([CASE, _with(place, word, value)]), encoding="utf-8")
    with pytest.raises(words.UnknownWords) as refused:
        load(file)
    _, sentence = str(refused.value).splitlines()
    assert sentence.startswith(f"case X1: {said}")


def test_names_are_looked_at_with_each_value_that_is_filled_in() -> None:
    case = _with("receipt", "encoding", "{each}")
    case["events"].append({"for_each": ["latin-1", "gsm", "utf-99"]})
    (said,) = strange_names(case, LINK_SETTINGS)
    assert said.startswith("case X1: there is no encoding 'utf-99'")


def test_a_message_needs_a_number_and_has_one_segment() -> None:
    case = json.loads(json.dumps(CASE))
    del case["events"][0]["submit"]["segments"]
    assert strange_names(case, LINK_SETTINGS) == []
    case["expect"] = {"status": "Waiting"}
    assert run_case(case) == []
    del case["events"][0]["submit"]["to"]
    assert strange_names(case, LINK_SETTINGS) == ["case X1: a message is submitted to nobody: 'to' is missing"]


@pytest.mark.parametrize("content", [None, "{", "[1]", "7", '{"case": []}', '[{"id": "X"}]', "\xff"])
def test_a_file_that_is_none_of_cases_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "strange.json"
    if content is not None:
        file.write_text(content, encoding="latin-1")
    assert main([str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert str(file) in said.err


def test_the_settings_of_links_are_known() -> None:
    assert unknown([_with("link", "sessions")], LINK_SETTINGS) == []
    assert load(CASES)
