"""The outbox as its owner sees it: lists, one callback with its log, destinations, replay, refusals."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from esito.domain.callback import Outcome
from esito.domain.slots import Slots
from esito.domain.timing import MINUTE_MS
from esito.store.interface.callback_store import ClaimRequest
from tests.kit.builders import NOW
from tests.kit.desk import KEY, Desk, Reply, desk

URL = "https://example.org/dlr?secret=1"
NOT_THERE = (404, 404, "Notification introuvable")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as opened:
        yield opened


def look(api: Desk, path: str, key: str = KEY, **query: object) -> Reply:
    return api.ask("GET", path, query=urlencode(query), headers=[("authorization", f"Bearer {key}")])


def replay(api: Desk, key: str = KEY, /, **body: object) -> Reply:
    return api.ask(
        "POST", "/v2/callbacks/replay", body=json.dumps(body).encode(), headers=[("authorization", f"Bearer {key}")]
    )


def made(api: Desk, *statuses: int | None, next_at: int | None = None) -> None:
    """Have callbacks that are due made, each with this end."""
    api.runner.run(_made(api, statuses, next_at))


async def _made(api: Desk, statuses: tuple[int | None, ...], next_at: int | None) -> None:
    outbox, now = api.store.callbacks, api.clock.now()
    await outbox.route(now)
    wanted = ClaimRequest(at=now, lease_ms=MINUTE_MS, slots=Slots(most=8000, usual=len(statuses)))
    claimed = (await outbox.claim(wanted)).callbacks if statuses else []
    await outbox.record(
        [
            Outcome(
                callback=one, at=now, ended_at=now + 12, milliseconds=12, status=status, next_at=next_at,
                error="" if status else "no route to host", answer=b"said\x00\xff", address="192.0.2.7:443",
            )
            for one, status in zip(claimed, statuses, strict=True)
        ]
    )  # fmt: skip


def test_a_callback_is_shown_with_every_attempt(api: Desk) -> None:
    number = api.send("0611111111", urlDlr=URL)
    api.settle("DELIVRD")
    made(api, None, next_at=NOW + 5_000)
    (line,) = look(api, "/v2/callbacks").json["callbacks"]
    assert line == {
        "id": 1,
        "webhook_id": f"msg_{number}_0_8",
        "kind": "report",
        "message_id": str(number),
        "msisdn": "+33611111111",
        "told": "Delivered",
        "state": "delivered",
        "at": NOW + 10_000,
        "status": "waiting",
        "origin": "https://example.org:443",
        "attempts": 1,
        "last_status": None,
        "last_error": "no route to host",
        "next_attempt_at": NOW + 5_000,
        "finished_at": None,
        "reason": "",
    }
    told = look(api, "/v2/callbacks/1").json
    assert told == {
        "success": True,
        "code": 200,
        **line,
        "url": URL,
        "log": [
            {
                "number": 1,
                "at": NOW,
                "milliseconds": 12,
                "status": None,
                "error": "no route to host",
                "address": "192.0.2.7:443",
                "answer": "said\ufffd\ufffd",
            }
        ],
    }


def test_callbacks_are_found_by_status_and_by_message(api: Desk) -> None:
    first = api.send("0611111111", "0622222222", "0633333333", urlDlr=URL)
    second = api.send("0644444444", urlDlr=URL)
    api.settle("DELIVRD", "UNDELIV", "DELIVRD", "DELIVRD")
    made(api, 200, 500)
    for status, count in {"waiting": 2, "done": 1, "dead": 1, "": 4}.items():
        assert len(look(api, "/v2/callbacks", status=status).json["callbacks"]) == count
    of_second = look(api, "/v2/callbacks", message=second).json["callbacks"]
    assert [one["message_id"] for one in of_second] == [str(second)]
    dead = look(api, "/v2/callbacks", message=first, status="dead").json["callbacks"]
    assert [(one["status"], one["reason"]) for one in dead] == [("dead", "given up: HTTP 500")]
    assert look(api, "/v2/callbacks", message="nonsense").json["callbacks"] == []


def test_pages_of_callbacks_follow_each_other(api: Desk) -> None:
    api.send("0611111111", "0622222222", "0633333333", urlDlr=URL)
    api.settle("DELIVRD", "DELIVRD", "DELIVRD")
    made(api)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = look(api, "/v2/callbacks", limit=1, cursor=cursor).json
        seen += [one["id"] for one in page["callbacks"]]
        cursor = page["next_cursor"]
    assert seen == [3, 2, 1]


def test_destinations_are_shown_with_their_state(api: Desk) -> None:
    for host in ("good", "failing", "gone"):
        api.send("0611111111", urlDlr=f"https://{host}.example/")
    api.settle("DELIVRD", "DELIVRD", "DELIVRD")
    made(api, 204, 503, 410, next_at=NOW + 5_000)
    found = {one["origin"]: one for one in look(api, "/v2/callbacks/destinations").json["destinations"]}
    assert {origin: (one["state"], one["reason"]) for origin, one in found.items()} == {
        "https://good.example:443": ("good", ""),
        "https://failing.example:443": ("failing", ""),
        "https://gone.example:443": ("good", ""),
    }
    assert [one["gone_paths"] for one in found.values()] == [[], ["/"], []]
    assert found["https://good.example:443"]["last_success_at"] == NOW + 12
    assert found["https://failing.example:443"]["failing_since"] == NOW
    assert found["https://failing.example:443"]["waiting"] == 1


def test_one_callback_or_all_since_a_moment_are_replayed(api: Desk) -> None:
    api.send("0611111111", "0622222222", "0633333333", urlDlr=URL)
    api.settle("DELIVRD", "DELIVRD", "DELIVRD")
    made(api, 200, 500, 500)
    assert replay(api, id=2).json == {"success": True, "code": 200, "replayed": 1}
    assert [one["id"] for one in look(api, "/v2/callbacks", status="waiting").json["callbacks"]] == [2]
    made(api, 500)
    assert replay(api, since=NOW + 10_001).json["replayed"] == 0
    assert replay(api, since="2027-01-15T08:00:10Z", status="dead").json["replayed"] == 2
    made(api, 200, 200)
    assert replay(api, since="2027-01-15T08:00:10").json["replayed"] == 3


def test_another_accounts_callback_is_as_one_that_is_not_there(api: Desk) -> None:
    number = api.send("0611111111", urlDlr=URL)
    api.settle("DELIVRD")
    made(api, 500)
    api.add_account("other", "other-key")
    assert look(api, "/v2/callbacks/1", "other-key").body == look(api, "/v2/callbacks/99", "other-key").body
    assert look(api, "/v2/callbacks/1", "other-key").refused == NOT_THERE
    assert replay(api, "other-key", id=1).body == replay(api, "other-key", id=99).body
    assert replay(api, "other-key", id=1).refused == NOT_THERE
    assert replay(api, "other-key", since=0).json["replayed"] == 0
    for path in ("/v2/callbacks", f"/v2/callbacks?message={number}"):
        assert look(api, path.partition("?")[0], "other-key", message=number).json["callbacks"] == []
    assert look(api, "/v2/callbacks/destinations", "other-key").json["destinations"] == []
    assert look(api, "/v2/callbacks/1").json["status"] == "dead"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, ("children[id].data", "Indiquez soit id, soit since")),
        ({"id": 1, "since": 1}, ("children[id].data", "Indiquez soit id, soit since")),
        ({"since": "yesterday"}, ("children[since].data", "La date n'est pas valide")),
        ({"since": [1]}, ("children[since].data", "La date n'est pas valide")),
        ({"since": 0, "status": "done"}, ("children[status].data", "Le statut n'est pas valide")),
    ],
)
def test_a_replay_that_is_not_clear_is_refused_and_changes_nothing(
    api: Desk, body: dict[str, object], error: tuple[str, str]
) -> None:
    api.send("0611111111", urlDlr=URL)
    api.settle("DELIVRD")
    made(api, 500)
    assert replay(api, **body).fields == [error]
    assert look(api, "/v2/callbacks/1").json["status"] == "dead"


@pytest.mark.parametrize("number", ["nonsense", 0, -1, 10**20])
def test_an_id_that_can_be_none_is_not_there(api: Desk, number: object) -> None:
    assert replay(api, id=number).refused == NOT_THERE
    assert look(api, f"/v2/callbacks/{number}").refused == NOT_THERE


def test_an_unknown_status_of_a_list_is_refused(api: Desk) -> None:
    assert look(api, "/v2/callbacks", status="lost").fields == [("children[status].data", "Le statut n'est pas valide")]


@pytest.mark.parametrize("path", ["/v2/callbacks", "/v2/callbacks/1", "/v2/callbacks/destinations"])
def test_the_outbox_is_shown_to_whoever_has_a_key(api: Desk, path: str) -> None:
    assert look(api, path, "wrong").refused == (401, 10, "Clé API incorrecte")
    assert api.ask("GET", path).refused == (401, 1, "La Clé API est requise")


def test_a_replay_needs_a_key_and_a_body_that_can_be_read(api: Desk) -> None:
    assert replay(api, "wrong", id=1).refused == (401, 10, "Clé API incorrecte")
    broken = api.ask("POST", "/v2/callbacks/replay", body=b"{", headers=[("authorization", f"Bearer {KEY}")])
    assert broken.refused == (400, 90, "Le JSON est malformé: erreur de syntaxe")
    assert look(api, "/v2/callbacks/replay").refused == (405, 405, "Méthode non autorisée")
