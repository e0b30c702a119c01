"""Finding messages by tag, reference and time; erasing a number from one's own."""

import pytest

from esito.domain.timing import DAY_MS
from esito.store.interface.message_store import MessageFilter
from esito.store.sqlite.sqlite_connection import STATEMENTS
from esito.store.transactions.message_reading import query_for
from tests.kit.builders import NOW
from tests.kit.desk import KEY, Desk, Reply

FIRST, SECOND = "+33611111111", "+33622222222"
BEARER = [("authorization", f"Bearer {KEY}")]


def search(api: Desk, query: str = "", key: str = KEY) -> Reply:
    return api.ask("GET", "/v2/messages", query=query, headers=[("authorization", f"Bearer {key}")])


def found(api: Desk, query: str = "", key: str = KEY) -> list[int]:
    return [int(one["id"]) for one in search(api, query, key).json["messages"]]


def erase(api: Desk, number: str, query: str = "") -> Reply:
    return api.ask("DELETE", f"/v2/numbers/{number}", query=query, headers=BEARER)


def test_messages_come_newest_first_with_their_counts(api: Desk) -> None:
    first = api.send(FIRST, SECOND, tag="t", reference="order-17", sender="ESITO")
    api.settle("DELIVRD", "UNDELIV")
    api.clock.advance(1000)
    second = api.send(FIRST)
    told = search(api).json
    assert [one["id"] for one in told["messages"]] == [str(second), str(first)]
    assert told["next_cursor"] is None
    assert told["messages"][1] == {
        "id": str(first), "sender": "ESITO", "tag": "t", "reference": "order-17", "sandbox": False, "created_at": NOW,
        "due_at": NOW, "recipients": 2, "segments": 2, "cost": 0.09, "currency": "EUR",
        "statuses": {"KO": 0, "Waiting": 0, "Not delivered": 1, "Delivered": 1},
    }  # fmt: skip


def test_tag_reference_and_both(api: Desk) -> None:
    a = api.send(FIRST, tag="t", reference="r")
    b = api.send(FIRST, tag="t", reference="s")
    c = api.send(FIRST, tag="u", reference="r")
    assert found(api, "tag=t") == [b, a]
    assert found(api, "reference=r") == [c, a]
    assert found(api, "reference=r&tag=t") == [a]
    assert found(api, "tag=nothing") == []


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("", 3),
        (f"from={NOW}", 3),
        (f"to={NOW}", 1),
        (f"from={NOW + 1}&to={NOW + DAY_MS}", 1),
        ("from=2027-01-16", 2),
        ("to=2027-01-15", 1),
        ("to=9999-12-31", 3),
        ("to=9999-12-31T23:59:59Z", 3),
        ("from=9999-12-31&to=9999-12-31", 0),
        ("from=2027-01-16&to=2027-01-16", 1),
        ("from=2027-01-15T08:00:00Z&to=2027-01-15T08:00:00Z", 1),
        ("from=2027-01-15T09:00:00+01:00&to=2027-01-15T08:00:00", 1),
        ("from=2030-01-01", 0),
    ],
)
def test_intervals(api: Desk, interval: str, expected: int) -> None:
    for _ in range(3):
        api.send(FIRST)
        api.clock.advance(DAY_MS)
    assert len(found(api, interval)) == expected


@pytest.mark.parametrize("interval", ["from=yesterday", "to=2027-02-30", "from=2027-01-16&to=2027-01-14", "from=-1"])
@pytest.mark.parametrize("path", ["/v2/messages", "/v2/export"])
def test_an_interval_that_is_none_is_refused(api: Desk, path: str, interval: str) -> None:
    reply = api.ask("GET", path, query=interval, headers=BEARER)
    assert reply.refused == (400, 3, "L'intervalle n'est pas valide")


def test_pages_hold_still_while_messages_are_sent(api: Desk) -> None:
    sent = [api.send(FIRST) for _ in range(5)]
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = search(api, f"limit=2&cursor={cursor}").json
        seen += [int(one["id"]) for one in page["messages"]]
        cursor = page["next_cursor"]
        api.send(SECOND)
    assert seen == sent[::-1]


def test_nobody_finds_what_another_account_sent(api: Desk) -> None:
    api.add_account("other", "other-key")
    api.send(FIRST, tag="t", reference="r")
    for query in ("", "tag=t", "reference=r"):
        assert found(api, query, "other-key") == []


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (MessageFilter(), "message_by_time (account=? AND created_at>? AND created_at<?)"),
        (
            MessageFilter(reference="r"),
            "message_by_reference (account=? AND reference=? AND created_at>? AND created_at<?)",
        ),
        (MessageFilter(reference="r", tag="t"), "message_by_reference (account=? AND reference=? AND"),
        (MessageFilter(tag="t"), "message_by_tag (account=? AND tag=?"),
    ],
)
def test_every_search_is_led_by_an_index(api: Desk, wanted: MessageFilter, index: str) -> None:
    connection = api.store.engine.reader
    plan = connection.execute("EXPLAIN QUERY PLAN " + STATEMENTS[query_for(wanted)].text, [0] * 8).fetchall()
    assert index in str(plan[0][3])
    assert not any("SCAN" in str(step) for step in plan)


def test_an_export_is_led_by_an_index(api: Desk) -> None:
    plan = api.store.engine.reader.execute("EXPLAIN QUERY PLAN " + STATEMENTS["exported"].text, [0] * 6).fetchall()
    assert "message_by_time (account=? AND created_at" in str(plan[0][3])
    assert not any("SCAN" in str(step) or "TEMP B-TREE FOR ORDER" in str(step) for step in plan)


# -- erasing -------------------------------------------------------------------------------


def test_an_erased_number_is_no_recipient_any_more_but_is_counted(api: Desk) -> None:
    message = api.send(FIRST, SECOND)
    api.settle("DELIVRD", "DELIVRD")
    api.stop(33611111111)
    assert erase(api, "0611111111").json == {"success": True, "code": 200, "recipients": 1, "replies": 0, "stops": 0}
    statuses = api.get("/v1/bulk-status", messageId=message).json["StatutResponse_List"]
    assert [(one["phoneNumber"], one["status"]) for one in statuses] == [("+0", "Delivered"), (SECOND, "Delivered")]
    assert api.get("/v1/message-status", messageId=message, phoneNumber=FIRST).refused[1] == 4
    assert api.get("/v1/stop-sms/list").json["nbData"] == 1
    assert erase(api, FIRST, "forgetStop=1").json["stops"] == 1
    assert api.get("/v1/stop-sms/list").json["nbData"] == 0


def test_what_is_on_its_way_is_refused_with_the_moment_from_which_it_is_not(api: Desk) -> None:
    message = api.send(FIRST)
    assert erase(api, FIRST).refused == (
        409, 409, "Un envoi à ce numéro n'est pas terminé, il pourra être effacé après le 2027-01-17 08:00 UTC",
    )  # fmt: skip
    assert api.get("/v1/bulk-status", messageId=message).json["StatutResponse_List"][0]["phoneNumber"] == FIRST


@pytest.mark.parametrize("number", ["12", "anna", "+0"])
def test_what_is_no_number_is_refused(api: Desk, number: str) -> None:
    assert erase(api, number).refused == (400, 9, "Le numéro de téléphone est invalide")


def test_another_accounts_key_erases_nothing_of_mine(api: Desk) -> None:
    api.add_account("other", "other-key")
    message = api.send(FIRST)
    api.settle("DELIVRD")
    told = api.ask("DELETE", f"/v2/numbers/{FIRST}", headers=[("authorization", "Bearer other-key")])
    assert told.json["recipients"] == 0
    assert api.get("/v1/bulk-status", messageId=message).json["StatutResponse_List"][0]["phoneNumber"] == FIRST
