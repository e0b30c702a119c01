"""Taking scheduled messages back: the literal texts and what changes (contract 2.4)."""

from decimal import Decimal

import pytest

from tests.kit.desk import KEY, Desk, Reply

FIRST, SECOND = "+33611111111", "+33622222222"
TOMORROW = {"scheduledDeliveryDate": "16/01/2027", "time": 9, "minute": 30}
"""The desk's time is 2027-01-15 09:00 in Paris."""


def cancel(api: Desk, message_id: object) -> Reply:
    return api.get("/v1/message-cancel", messageId=message_id)


def credit(api: Desk) -> Decimal:
    return Decimal(api.get("/v1/me").json["credits"]["balance"])


def statuses(api: Desk, message_id: int) -> list[str]:
    told = api.get("/v1/bulk-status", messageId=message_id).json
    return [one["status"] for one in told["StatutResponse_List"]]


def test_a_scheduled_message_is_taken_back_and_its_price_returned(api: Desk) -> None:
    message = api.send(FIRST, SECOND, **TOMORROW)
    assert credit(api) == Decimal("99.910")
    told = cancel(api, message)
    assert (told.status, told.text) == (
        200,
        '{"success":true,"code":200,"message":"L\'envoi du SMS a \\u00e9t\\u00e9 annul\\u00e9."}',
    )
    assert credit(api) == Decimal("100.000")
    assert statuses(api, message) == ["KO", "KO"]


def test_the_answer_in_xml(api: Desk) -> None:
    message = api.send(FIRST, **TOMORROW)
    told = api.get("/v1/message-cancel", messageId=message, _format="xml").text
    assert "<entry>true</entry>" in told
    assert "<![CDATA[L'envoi du SMS a été annulé.]]>" in told


def test_the_alias_with_the_id_in_the_path(api: Desk) -> None:
    message = api.send(FIRST, **TOMORROW)
    assert api.ask("DELETE", f"/v1/message-cancel/{message}", query=f"apiKey={KEY}").status == 200
    assert statuses(api, message) == ["KO"]


def test_a_cancelled_message_never_leaves(api: Desk) -> None:
    message = api.send(FIRST, **TOMORROW)
    cancel(api, message)
    later = api.clock.now() + 3 * 86_400_000
    assert api.runner.run(api.store.claim("alpha", limit=10, at=later)) == []
    api.runner.run(api.store.expire(later))
    assert statuses(api, message) == ["KO"]


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({}, (400, 3, "L'ID du message est requis")),
        ({"messageId": "999"}, (400, 4, "Message introuvable")),
        ({"messageId": "abc"}, (400, 4, "Message introuvable")),
        ({"messageId": "1", "apiKey": ""}, (400, 1, "La Clé API est requise")),
        ({"messageId": "1", "apiKey": "x"}, (400, 10, "Clé API incorrecte")),
    ],
)
def test_refusals_before_the_message_is_looked_at(
    api: Desk, asked: dict[str, str], refused: tuple[int, int, str]
) -> None:
    assert api.get("/v1/message-cancel", **asked).refused == refused


def test_another_account_s_message_is_not_found(api: Desk) -> None:
    message = api.send(FIRST, **TOMORROW)
    api.add_account("other", "their-key")
    told = api.get("/v1/message-cancel", messageId=message, apiKey="their-key")
    assert told.refused == (400, 4, "Message introuvable")
    assert statuses(api, message) == ["Waiting"]


def test_twice_is_too_often(api: Desk) -> None:
    message = api.send(FIRST, **TOMORROW)
    cancel(api, message)
    assert cancel(api, message).refused == (400, 5, "L'envoi du SMS a déjà été annulé")
    assert credit(api) == Decimal("100.000")


def test_less_than_five_minutes_before_it_is_too_late(api: Desk) -> None:
    message = api.send(FIRST, scheduledDeliveryDate="15/01/2027", time=9, minute=10)
    api.clock.advance(5 * 60_000)
    assert cancel(api, api.send(FIRST, **TOMORROW)).status == 200
    api.clock.advance(1)
    assert cancel(api, message).refused == (
        400, 6, "Vous ne pouvez pas annuler l'envoi d'un SMS moins de 5 minutes avant son envoi",
    )  # fmt: skip
    assert statuses(api, message) == ["Waiting"]


def test_five_minutes_before_to_the_millisecond_it_is_not(api: Desk) -> None:
    message = api.send(FIRST, scheduledDeliveryDate="15/01/2027", time=9, minute=10)
    api.clock.advance(5 * 60_000)
    assert cancel(api, message).status == 200


def test_what_was_sent_is_not_taken_back(api: Desk) -> None:
    refused = (400, 7, "Vous ne pouvez pas annuler un SMS déjà envoyé")
    assert cancel(api, api.send(FIRST)).refused == refused
    scheduled = api.send(SECOND, scheduledDeliveryDate="15/01/2027", time=9, minute=10)
    api.clock.advance(10 * 60_000)
    assert cancel(api, scheduled).refused == refused


def test_a_sandbox_message_is_taken_back_too(api: Desk) -> None:
    message = api.send(FIRST, sandbox=1, **TOMORROW)
    assert cancel(api, message).status == 200
    assert statuses(api, message) == ["KO"]
