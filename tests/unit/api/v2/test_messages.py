"""The second path: one message, its recipients, the explanation of one, the links and the orphans."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from esito.api.services import LinkStatus, SessionStatus
from esito.api.v2.orphan_list import hide_address
from tests.kit.builders import NOW, receipt
from tests.kit.desk import ADMIN_KEY, KEY, Desk, Reply, desk

SESSION = SessionStatus(bind="transceiver", state="bound", since=NOW, last_error="")
LINK = LinkStatus(name="alpha", operator="alpha", state="bound", sessions=(SESSION,))
PATHS = ["/v2/messages/1", "/v2/messages/1/recipients", "/v2/messages/1/recipients/+33611111111"]
SHARED = ["/v2/links", "/v2/orphans"]
NOT_THERE = (404, 4, "Message introuvable")


async def one_link() -> list[LinkStatus]:
    return [LINK]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path, links=one_link) as opened:
        yield opened


def look(api: Desk, path: str, key: str = "", **query: object) -> Reply:
    key = key or (ADMIN_KEY if path in SHARED else KEY)
    return api.ask("GET", path, query=urlencode(query), headers=[("authorization", f"Bearer {key}")])


def test_a_message_is_counted_by_state_and_by_status(api: Desk) -> None:
    number = api.send("0611111111", "0622222222", "0633333333", tag="t")
    api.settle("DELIVRD", "UNDELIV", "ACCEPTD")
    told = look(api, f"/v2/messages/{number}").json
    assert told["statuses"] == {"KO": 0, "Waiting": 1, "Not delivered": 1, "Delivered": 1}
    assert {name: count for name, count in told["states"].items() if count} == {
        "accepted": 1, "undeliverable": 1, "delivered": 1,
    }  # fmt: skip
    assert (told["id"], told["texts"], told["tag"], told["recipients"]) == (str(number), ["ciao"], "t", 3)
    assert (told["segments"], told["cost"], told["created_at"]) == (3, 0.135, NOW)


def test_pages_follow_each_other_without_gap_or_repetition(api: Desk) -> None:
    number = api.send("0611111111", "0622222222", "0633333333")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = look(api, f"/v2/messages/{number}/recipients", limit=1, cursor=cursor).json
        seen += [one["msisdn"] for one in page["recipients"]]
        cursor = page["next_cursor"]
    assert seen == ["+33611111111", "+33622222222", "+33633333333"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Not delivered", ["+33622222222"]), ("delivered", ["+33611111111"]), ("undeliverable", ["+33622222222"]),
     ("expired", [])],
)  # fmt: skip
def test_recipients_are_picked_by_status_or_state(api: Desk, status: str, expected: list[str]) -> None:
    number = api.send("0611111111", "0622222222")
    api.settle("DELIVRD", "UNDELIV")
    page = look(api, f"/v2/messages/{number}/recipients", status=status).json
    assert [one["msisdn"] for one in page["recipients"]] == expected


def test_a_recipient_is_explained_with_every_receipt(api: Desk) -> None:
    number = api.send("0611111111")
    api.settle("DELIVRD")
    told = look(api, f"/v2/messages/{number}/recipients/0611111111").json
    assert told["status"] == "Delivered"
    assert told["explanation"][0].startswith("The message was handed to the operator alpha at 2027-01-15 08:00:00 UTC")
    assert told["last_word"] == {"stat": "DELIVRD", "state": "delivered", "at": NOW + 10_000}
    assert [one["verdict"] for one in told["receipts"]] == ["moved"]
    assert bytes.fromhex(told["receipts"][0]["raw"]) == f"id:{number}-0-1 stat:DELIVRD".encode()
    assert [(part["phase"], part["state"]) for part in told["segments"]] == [("answered", "delivered")]


def test_a_failure_has_its_code_and_reason(api: Desk) -> None:
    number = api.send("0611111111")
    api.settle("UNDELIV")
    told = look(api, f"/v2/messages/{number}/recipients/+33611111111").json
    assert set(told["error"]) == {"raw", "category", "permanent", "reason"}
    assert told["error"]["raw"] == "000"


def test_while_nothing_is_final_the_end_of_waiting_is_told(api: Desk) -> None:
    number = api.send("0611111111")
    api.settle("")
    told = look(api, f"/v2/messages/{number}/recipients/+33611111111").json
    assert told["stops_waiting_at"] == NOW + 48 * 3_600_000


@pytest.mark.parametrize("path", PATHS + SHARED)
def test_without_a_key_nothing_is_told(api: Desk, path: str) -> None:
    api.send("0611111111")
    assert api.get(path).refused == (401, 1, "La Clé API est requise")  # apiKey is the first path's
    assert api.get(path).headers["www-authenticate"] == "Bearer"
    assert look(api, path, key="other").refused == (401, 10, "Clé API incorrecte")


@pytest.mark.parametrize("path", PATHS)
def test_another_accounts_message_is_as_absent_as_one_that_never_was(api: Desk, path: str) -> None:
    assert look(api, path).refused == NOT_THERE
    api.send("0611111111")
    api.add_account("stranger", "their-key")
    assert look(api, path, key="their-key").refused == NOT_THERE
    assert look(api, path).status == 200


@pytest.mark.parametrize("piece", ["0622222222", "nobody", "²"])
def test_who_is_no_recipient_of_the_message_is_not_found(api: Desk, piece: str) -> None:
    number = api.send("0611111111")
    assert look(api, f"/v2/messages/{number}/recipients/{piece}").refused == NOT_THERE


@pytest.mark.parametrize("piece", ["0", "x", "99999999999999999999"])
def test_what_can_be_no_message_id_is_not_found(api: Desk, piece: str) -> None:
    assert look(api, f"/v2/messages/{piece}").refused == NOT_THERE


def test_links_are_told_with_their_sessions_and_the_form_of_their_ids(api: Desk) -> None:
    (told,) = look(api, "/v2/links").json["links"]
    assert (told["link"], told["operator"], told["state"], told["id_form"]) == ("alpha", "alpha", "bound", "")
    assert told["sessions"] == [{"bind": "transceiver", "state": "bound", "since": NOW, "last_error": ""}]


def test_orphans_are_listed_with_their_numbers_hidden(api: Desk) -> None:
    lost = receipt("ffff", "DELIVRD", addresses=("33611111111", "ESITO"))
    raw = b"\x00\x0133611111111\x00ESITO\x00id:ffff"
    api.runner.run(api.store.apply_receipts([lost._replace(raw=raw), receipt("eeee", "UNDELIV")]))
    first = look(api, "/v2/orphans", limit=1).json
    (told,) = first["orphans"]
    assert (told["smsc_message_id"], told["stat"], told["verdict"]) == ("ffff", "DELIVRD", "orphan")
    assert (told["source_addr"], told["destination_addr"]) == ("*******1111", "ESITO")
    assert bytes.fromhex(told["raw"]) == raw.replace(b"3361111", b"*******")
    second = look(api, "/v2/orphans", cursor=first["next_cursor"]).json
    assert [one["smsc_message_id"] for one in second["orphans"]] == ["eeee"]
    assert second["next_cursor"] is None


def test_a_number_that_was_written_in_national_form_is_hidden_in_the_octets_too(api: Desk) -> None:
    lost = receipt("ffff", "DELIVRD", addresses=("+33611111111", "ESITO"))
    api.runner.run(api.store.apply_receipts([lost._replace(raw=b"\x02\x010611111111\x00ESITO\x00id:12345678")]))
    (told,) = look(api, "/v2/orphans").json["orphans"]
    assert bytes.fromhex(told["raw"]) == b"\x02\x01******1111\x00ESITO\x00id:12345678"


def test_a_number_in_what_cannot_be_read_is_hidden_too(api: Desk) -> None:
    lost = receipt("", "")._replace(raw=b"\x00\x00\x00\x2033611111111", flags="unreadable", stat="")
    api.runner.run(api.store.apply_receipts([lost]))
    (told,) = look(api, "/v2/orphans").json["orphans"]
    assert (told["flags"], bytes.fromhex(told["raw"])) == (["unreadable"], b"\x00\x00\x00\x20*******1111")


@pytest.mark.parametrize(
    ("address", "shown"), [("+33611111111", "********1111"), ("ESITO", "ESITO"), ("36111", "*6111")]
)
def test_of_a_number_the_last_digits_are_shown(address: str, shown: str) -> None:
    assert hide_address(address) == shown
