"""Every refusal has its code, its literal text and its HTTP status."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from esito.api.http.error_replies import ERROR_REPLIES, FAILURE, refusal
from esito.api.http.response import json_of, members_of
from esito.api.v1.stop_list import StopDeleted
from esito.api.v2.message_overview import MessageSummary
from esito.domain import errors as e
from esito.domain.pricing import as_number

LITERALS = {
    1: "La Clé API est requise",
    2: "Le numéro de téléphone est requis",
    3: "L'ID du message est requis",
    4: "Message introuvable",
    5: "La liste des numéros est vide",
    6: "Le format n'est pas correct",
    10: "Clé API incorrecte",
    11: "Manque de crédits",
    20: "Compte désactivé",
    30: "Compte bloqué",
    40: "L'accès à l'API est refusé",
    50: "Le nombre de numéros autorisés est de 500 maxi",
    52: "Le nombre de SMS concaténés ne peut excéder 10 SMS",
    55: "Aucun numéro à envoyer",
    90: "Le JSON est malformé: erreur de syntaxe",
}
"""The contract's own words (1.1, 1.2, 1.3, 2.6, 5)."""

WITHOUT_ITS_OWN = {e.Refusal}


def refusals(kind: type[e.EsitoError] = e.Refusal) -> list[type[e.EsitoError]]:
    return [kind, *(deeper for below in kind.__subclasses__() for deeper in refusals(below))]


@pytest.mark.parametrize("kind", [kind for kind in refusals() if kind not in WITHOUT_ITS_OWN])
def test_every_refusal_has_a_meaning(kind: type[e.EsitoError]) -> None:
    assert kind in ERROR_REPLIES


def test_the_texts_are_the_contracts() -> None:
    # A code may mean one thing to a status and another to cancelling.
    assert set(LITERALS.items()) <= {(meaning.code, meaning.text) for meaning in ERROR_REPLIES.values()}


@pytest.mark.parametrize("kind", [kind for kind in ERROR_REPLIES if kind not in {e.InvalidFields, e.NothingToSend}])
@pytest.mark.parametrize("error_status", [400, 200])
def test_the_http_status_is_the_configured_one_unless_http_has_its_own(
    kind: type[e.EsitoError], error_status: int
) -> None:
    answer = refusal(kind(), xml=False, error_status=error_status)
    meaning = ERROR_REPLIES[kind]
    assert answer.status == (meaning.status or error_status)
    # The second path says 404 of a message that is not there; the code stays that of the first.
    assert meaning.status in {0, 404 if kind is e.NoSuchMessage else meaning.code, 503}


def test_what_nobody_foresaw_is_a_500_that_tells_nothing() -> None:
    answer = refusal(ZeroDivisionError("apiKey=secret"), xml=True, error_status=200)
    assert answer.status == FAILURE.status == 500
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    ("code", "message", "keys"),
    [
        ("9", "Le téléphone (06) n'est pas être un numéro de mobile", ["success", "code", "message"]),
        ("13", "Aucun prix par défaut n'a été trouvé pour les numéros suivant (06)", ["success", "code", "message"]),
        ("14", "Le numéro est dans la liste des STOP SMS", ["success", "code", "message", "phoneNumber"]),
        ("15", "Le numéro est déjà présent dans la liste", ["success", "code", "message", "phoneNumber"]),
    ],
)
def test_a_number_error_says_which_number(code: str, message: str, keys: list[str]) -> None:
    error = e.NothingToSend([e.NumberProblem(code=int(code), msisdn="06")])
    envelope = json.loads(refusal(error, xml=False, error_status=400).body)
    assert list(envelope) == ["success", "code", "message", "errors"]
    (entry,) = envelope["errors"]
    assert (entry["success"], entry["code"], entry["message"]) == (False, code, message)
    assert list(entry) == keys
    assert "06" in entry["message"] or entry["phoneNumber"] == "06"


def test_numbers_that_are_only_on_a_list_are_told_as_nothing_to_send() -> None:
    error = e.NothingToSend([e.NumberProblem(code=14, msisdn="06")])
    assert "Aucun numéro à envoyer".encode() in refusal(error, xml=True, error_status=400).body


# -- good answers ------------------------------------------------------------------------------

TEXTS = some.text(some.characters() | some.sampled_from('\0\b\t\n\f\r\x1f"\\/\x7f\u2028\ud800\udc00\U0001f600'))


def as_json(members: object) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode("ascii")


@given(TEXTS, TEXTS, some.decimals(0, 10**9, places=4), some.integers(-(2**63), 2**63), some.booleans())
def test_an_answer_is_written_as_the_standard_library_writes_its_members(
    text: str, name: str, cost: Decimal, number: int, flag: bool
) -> None:
    answer = MessageSummary(
        id=text, sender=text, texts=[text, name], tag=None, reference=name, sandbox=flag, created_at=number,
        due_at=0, recipients=0, segments=1, cost=as_number(cost), currency="EUR", statuses={name: number}, states={},
    )  # fmt: skip
    assert json_of(answer) == as_json(members_of(answer))


def test_an_answer_without_members_is_its_envelope() -> None:
    assert json_of(StopDeleted()) == as_json({"success": True, "code": 200})
