"""Which texts ask for no more messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.opt_out import LONGEST_STOP, StopWords, plain_words
from esito.lifecycle.receive import stop_words

WORDS = stop_words()


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", "Stop.", " stop \r\n", "«STOP»", "STOP!!!", "ARRÊT", "Arret", "arre\u0302t", "STOPSMS", "stop sms",
     "Unsubscribe", "DÉSABONNEMENT", "desabonnement", "BAJA", "parar", "STOPP", "cancella", "Abmelden", "ＳＴＯＰ",
     "stop\u200b", "S\u00adTOP".replace("\u00ad", ""), "STOP\0", "* STOP *", "end", "stop pub",
     "Stop. Merci", "stop sms svp", "please stop", "STOP, s'il vous plaît !", "Bitte STOPP danke",
     "stop s\u2019il vous plaît"],
)  # fmt: skip
def test_a_word_of_any_language_stops(text: str) -> None:
    assert WORDS.stops(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "!", "oui", "don't stop", "stop it", "stop envoyer svp", "nonstop", "stopover", "s t o p", "STOP ESITO",
     "arrêtez de m'écrire", "STOP" * 20, "stop" + "!" * LONGEST_STOP, "Please cancel my order",
     "please don't stop", "don\u2019t stop please", "merci", "svp", "merci de ne pas stop", "stop au", "stop au revoir",
     "please"],
)  # fmt: skip
def test_anything_else_does_not(text: str) -> None:
    assert not WORDS.stops(text)


@pytest.mark.parametrize("text", [
    "STOP ESITO", "stop esito.", "Arrêt, Esito!", "stop  36111", "STOP Café du Coin", "STOP au 36111", "STOP 36 111",
    "stop au 36 111, merci", "Stop to ESITO please", "STOP à Esito", "stop sms au 36111"])  # fmt: skip
def test_a_word_and_the_name_of_the_service_stop(text: str) -> None:
    assert WORDS.stops(text, ["ESITO", "36111", "Cafe du coin", ""])
    assert not WORDS.stops(text, ["SHOP", ""])
    assert not WORDS.stops(text + " now", ["ESITO", "36111", "Cafe du coin"])


@given(st.text())
def test_no_text_is_too_odd_to_be_judged(text: str) -> None:
    assert WORDS.stops(text, [text]) in {True, False}
    assert plain_words(plain_words(text)) == plain_words(text)


def test_every_word_of_the_list_stops_by_itself() -> None:
    assert StopWords(["Arrêt", "opt out"]).stops("OPT-OUT") is False
    assert StopWords(["Arrêt", "opt out"]).stops("opt   OUT!")


@pytest.mark.parametrize(
    "text",
    ["STOP au 0700000001", "STOP au 07 00 00 00 01", "STOP 0033700000001", "STOP au +33 700 000 001", "STOP 36.111",
     "STOP36111", "stop:36111", "STOP au 36-111"],
)  # fmt: skip
def test_a_number_of_the_service_may_be_written_in_any_form(text: str) -> None:
    assert WORDS.stops(text, ["33700000001", "36111"])


@pytest.mark.parametrize(
    "text", ["STOP au 0700000002", "STOP 0000001", "stop36112", "stopover36111", "STOP 00", "stop 0", "STOP 700000001"]
)
def test_another_number_is_not_the_service(text: str) -> None:
    assert not WORDS.stops(text, ["33700000001", "36111"])
