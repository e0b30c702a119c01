"""No answer to a key holds anything of another account: over every endpoint there is, in whatever form it is asked.

The endpoints and their parameters are those of the tables that serve and describe them. The same questions with the
owner's key find everything, so that the test cannot pass by asking nothing.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest

from esito.api.endpoints import ENDPOINTS
from esito.api.http.endpoint import AnyEndpoint
from esito.api.v1.send_request import FewOptions
from esito.domain.receipt import DeliveryReceipt
from esito.smpp.codec import decode, encode
from esito.smpp.pdu import DeliverSm
from esito.smpp.receipts import read_receipt
from tests.kit.builders import NOW
from tests.kit.desk import KEY, Desk, Reply, desk
from tests.kit.replying import keep, reply

THEIRS = "their-key"

MESSAGE, NUMBER = 7_654_321, "33698765432"
TEXT, ANSWER = "Confidential: see you at nine", "Understood, nine it is"
SECRETS: dict[str, str] = {
    "message id": str(MESSAGE),
    "number": NUMBER[2:],
    "text": TEXT[:20],  # as much of it as receipts repeat
    "reply": ANSWER,
    "sender": "OWNSENDER",
    "tag": "own-tag",
    "reference": "own-reference",
    "address of callbacks": "https://own.example",
    "stopped number": "698700001",
    "email": "sub@own.example",
}
"""What an account has that another must not see; the token and the key of its sub-account join them."""


def an_orphan(text: str) -> DeliveryReceipt:
    """Return a receipt about the account's number that matches nothing."""
    pdu = DeliverSm(source_addr=NUMBER, destination_addr="OWNSENDER", esm_class=4, short_message=text.encode())
    read = decode(encode(pdu))
    assert isinstance(read, DeliverSm)
    return read_receipt(read, link="alpha", at=NOW)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(Path(tmp_path_factory.mktemp("nothing"))) as opened:
        opened.let(creates_subaccounts=True)
        opened.add_account("other", THEIRS)
        opened.runner.run(opened.store.keep_setting("next_message_id", str(MESSAGE)))
        options = {name: SECRETS[name] for name in ("sender", "tag", "reference")}
        urls = {"urlDlr": "https://own.example/dlr", "urlResponse": "https://own.example/reply"}
        sent = opened.post("/v1/send", phoneNumbers=f"+{NUMBER}", message=TEXT, **options, **urls)
        assert sent.json["message_id"] == MESSAGE
        opened.settle("DELIVRD")
        answered = reply(ANSWER, to=SECRETS["sender"], source=NUMBER)
        opened.runner.run(keep(opened.store, answered))
        fields = "id:{} sub:001 dlvrd:001 stat:DELIVRD err:000 Text:{}"
        written = [*(fields.format(one, TEXT[:20]) for one in ("fffe", "ffff")), TEXT]
        opened.runner.run(opened.store.apply_receipts([an_orphan(one) for one in written]))
        opened.stop(int(f"33{SECRETS['stopped number']}"))
        yield opened


@pytest.fixture(scope="module")
def secrets(api: Desk) -> Mapping[str, str]:
    parameters = {"email": SECRETS["email"], "isBuyer": 0}
    made = api.post("/v1/subaccount/create", type="simple", parameters=parameters).json["subaccount"]
    (listed,) = api.get("/v1/subaccount/list").json["data"]
    return SECRETS | {"token": made["token"], "key": listed["apiKey"]}


NAMED: dict[str, object] = {
    "messageId": MESSAGE, "id": MESSAGE, "message": MESSAGE, "tag": SECRETS["tag"], "msisdn": f"+{NUMBER}",
    "phoneNumber": f"+{NUMBER}", "phoneNumbers": f"+{NUMBER}", "reference": SECRETS["reference"],
    "SMSStatut_List": [{"phoneNumber": f"+{NUMBER}", "messageId": MESSAGE}],
}  # fmt: skip
"""Parameters by which the owner's things are asked for."""

HARMLESS: dict[str, object] = {
    "limit": "1000", "page": "1", "interval": "last_twelve_months", "type": "simple", "message": "hello",
    "phoneNumber": "0611111111", "phoneNumbers": "0611111111", "to": "0611111111", "msisdn": "0611111111",
    "SMSStatut_List": [{"phoneNumber": "0611111111", "messageId": 1}], "unmask": "a reason", "credit": "1",
    "SMSList": [{"phoneNumber": "0611111111", "message": "hello"}],
}  # fmt: skip
"""Of parameters that name nothing, or something that nobody has."""

TIMES = {"/v2/messages", "/v2/export", "/v1/statistics/cost-resume"}
"""Where `from` and `to` are times and left out, so that all is asked for."""


def questions(endpoint: AnyEndpoint) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Yield parameters to ask with, and those of them that name something of the owner's."""
    given = [one for one in (endpoint.parameters, endpoint.body) if one is not None]
    names = [name for one in given for name in one.__struct_encode_fields__]
    sends = isinstance(endpoint.body, FewOptions)
    for name_them in (False, True):
        named = {name: NAMED[name] for name in names if name_them and name in NAMED and not sends}
        plain = {name: HARMLESS[name] for name in names if name in HARMLESS and name not in named}
        if endpoint.path in TIMES:
            plain = {name: value for name, value in plain.items() if name not in {"from", "to"}}
        if "id" in endpoint.path and "{" in endpoint.path:
            plain = {"id": 1, "messageId": 1} | plain
        for more in ({}, {"cursor": "0"}) if "cursor" in names else ({},):
            for form in ("json", "xml"):
                yield plain | named | more | {"_format": form}, named


def asked(api: Desk, key: str, endpoint: AnyEndpoint, parameters: Mapping[str, object]) -> Reply:
    path, left = endpoint.path, dict(parameters)
    for name, value in parameters.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", str(value))
            del left[name]
    headers = [("authorization", f"Bearer {key}")]
    if endpoint.body is not None:
        return api.ask(endpoint.method, path, body=json.dumps({"apiKey": key} | left).encode(), headers=headers)
    return api.ask(endpoint.method, path, query=urlencode({"apiKey": key} | left), headers=headers)


def found(reply: Reply, secrets: Mapping[str, str]) -> set[str]:
    """Return which secrets an answer holds, as they are or as the octets of a PDU in hexadecimal."""
    said = f"{reply.headers} {reply.text}"
    return {name for name, secret in secrets.items() if secret in said or secret.encode().hex() in said}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_no_answer_holds_anything_of_another_account(
    api: Desk, secrets: Mapping[str, str], endpoint: AnyEndpoint
) -> None:
    for parameters, named in questions(endpoint):
        answer = asked(api, THEIRS, endpoint, parameters)
        told = json.dumps(named)  # what was asked with may be repeated
        hidden = {name: secret for name, secret in secrets.items() if secret not in told}
        shared = {"sender"} if endpoint.path == "/v2/orphans" else set()  # whose receipt it is, nobody knows
        assert found(answer, hidden) - shared == set(), (parameters, answer.text)


def test_the_same_questions_show_the_owner_all_of_it(api: Desk, secrets: Mapping[str, str]) -> None:
    reading = [
        one for one in ENDPOINTS if one.method == "GET" and one.path not in {"/v2/orphans", "/v1/message-cancel"}
    ]
    shown: set[str] = set()
    for endpoint in reading:
        for parameters, _ in questions(endpoint):
            shown |= found(asked(api, KEY, endpoint, parameters), secrets)
    assert shown == set(secrets)
