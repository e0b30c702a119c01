"""Requests that come twice under one idempotency key are kept and paid once."""

import asyncio
import json

from tests.kit.desk import KEY, Desk, Reply, ask

FIRST = "+33611111111"


def body(**members: object) -> bytes:
    return json.dumps({"apiKey": KEY, "phoneNumbers": FIRST, "message": "ciao"} | members).encode()


def send(api: Desk, key: str, path: str = "/v1/send", **members: object) -> Reply:
    return api.ask("POST", path, body=body(**members), headers=[("Idempotency-Key", key)])


def balance(api: Desk) -> str:
    return str(api.get("/v1/me").json["credits"]["balance"])


def test_the_same_request_is_answered_alike_and_paid_once(api: Desk) -> None:
    first, again = send(api, "k1"), send(api, "k1")
    assert (again.status, again.body) == (first.status, first.body)
    assert balance(api) == "99.955"


def test_what_says_nothing_makes_no_other_request(api: Desk) -> None:
    """A client that tries again may leave a field out instead of leaving it empty, or add a query of nothing."""
    first = send(api, "k1", tag="").json["message_id"]
    again = api.ask("POST", "/v1/send", query="&x=", body=body(reference=None), headers=[("Idempotency-Key", "k1")])
    assert again.json["message_id"] == first


def test_another_key_is_another_message(api: Desk) -> None:
    assert send(api, "k1").json["message_id"] != send(api, "k2").json["message_id"]
    assert balance(api) == "99.910"


def test_another_account_may_use_the_same_key(api: Desk) -> None:
    api.add_account("other", "their-key")
    assert send(api, "k1").json["message_id"] != send(api, "k1", apiKey="their-key").json["message_id"]


def test_the_same_request_in_xml_has_the_same_message(api: Desk) -> None:
    message = send(api, "k1").json["message_id"]
    assert f"<entry>{message}</entry>" in send(api, "k1", _format="xml").text


def test_a_key_that_stands_for_another_request_is_refused_and_changes_nothing(api: Desk) -> None:
    send(api, "k1")
    refused = (409, 409, "Cette clé d'idempotence a déjà servi à une autre demande")
    assert send(api, "k1", message="altro").refused == refused
    assert send(api, "k1", path="/v1/bulk-send", SMSList=[{"phoneNumber": FIRST, "message": "x"}]).refused == refused
    assert balance(api) == "99.955"


def test_a_refusal_is_not_remembered(api: Desk) -> None:
    assert send(api, "k1", message="").status == 400
    assert send(api, "k1").status == 200


def test_a_key_that_is_none_is_refused(api: Desk) -> None:
    assert send(api, "x" * 256).fields == [("children[Idempotency-Key].data", "La clé d'idempotence n'est pas valide")]


def test_a_scheduled_send_is_answered_alike_after_its_time(api: Desk) -> None:

    def scheduled() -> Reply:
        return send(api, "k1", scheduledDeliveryDate="15/01/2027", time=9, minute=10)

    first = scheduled()
    api.clock.advance(3_600_000)
    assert scheduled().body == first.body


def test_numbers_that_were_left_out_are_told_again(api: Desk) -> None:
    numbers = f"{FIRST},{FIRST}"
    first = send(api, "k1", phoneNumbers=numbers)
    assert first.json["errors"]
    assert send(api, "k1", phoneNumbers=numbers).body == first.body
    xml = send(api, "k2", phoneNumbers=numbers, _format="xml")
    assert send(api, "k2", phoneNumbers=numbers, _format="xml").body == xml.body


def test_a_batch_is_answered_alike(api: Desk) -> None:
    items = [{"phoneNumber": FIRST, "message": "x"}]
    first = send(api, "k1", path="/v1/bulk-send", SMSList=items)
    assert send(api, "k1", path="/v1/bulk-send", SMSList=items).body == first.body


def test_a_batch_with_a_number_left_out_is_answered_alike_in_xml(api: Desk) -> None:
    items = [{"phoneNumber": FIRST, "message": "x"}, {"phoneNumber": FIRST, "message": "y"}]
    first = send(api, "k1", path="/v1/bulk-send", SMSList=items, _format="xml")
    assert "<entry>Le numéro est déjà présent dans la liste</entry>" in first.text
    assert send(api, "k1", path="/v1/bulk-send", SMSList=items, _format="xml").body == first.body


def test_the_same_request_many_times_at_once_is_one_message(api: Desk) -> None:
    async def many() -> list[Reply]:
        once = [ask(api.app, "POST", "/v1/send", body=[body()], headers=[("idempotency-key", "k1")]) for _ in range(20)]
        return await asyncio.gather(*once)

    replies = api.runner.run(many())
    assert len({reply.body for reply in replies}) == 1
    assert balance(api) == "99.955"


def test_a_key_is_forgotten_after_two_days(api: Desk) -> None:
    first = send(api, "k1").json["message_id"]
    api.clock.advance(2 * 86_400_000 + 1)
    send(api, "k2")  # forgets what is older
    assert send(api, "k1").json["message_id"] != first
