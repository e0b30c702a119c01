"""The front door: paths, methods, keys, and what is said when something breaks."""

import asyncio
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog

from esito import logs
from esito.api.http.app import plain_path
from esito.domain.account import Account, AccountState
from esito.domain.credentials import key_digest
from esito.domain.errors import StoreUnavailable
from esito.metrics import render
from esito.store.interface.message_records import StatusRow
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW
from tests.kit.desk import KEY, SECRET, Desk, ask, desk

GETS = ["/v1/bulk-status", "/v1/message-status", "/v1/bulk-status-by-tag", "/v1/me", "/v1/multi-status"]
POSTS = ["/v1/send", "/v1/bulk-send", "/v1/multi-status"]


@pytest.mark.parametrize("path", GETS)
def test_without_a_key_nothing_is_told(api: Desk, path: str) -> None:
    for query in ("", "apiKey=", "apiKey"):
        assert api.ask("GET", path, query=query).refused == (400, 1, "La Clé API est requise")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [{}, {"apiKey": None}, {"apiKey": ""}])
def test_a_post_without_a_key_is_refused(api: Desk, path: str, body: dict[str, object]) -> None:
    assert api.post(path, body).refused == (400, 1, "La Clé API est requise")


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("key", ["wrong", KEY.upper(), KEY + "x", "a" * 20_000, "é", "%00"])
def test_an_unknown_key_is_refused(api: Desk, path: str, key: str) -> None:
    assert api.get(path, apiKey=key).refused == (400, 10, "Clé API incorrecte")


@pytest.mark.parametrize("key", [["a-key"], {"a": 1}, 5, True, "\ud800"])
def test_a_key_of_another_type_is_unknown(api: Desk, key: object) -> None:
    assert api.post("/v1/send", {"apiKey": key}).refused == (400, 10, "Clé API incorrecte")


@pytest.mark.parametrize(
    ("state", "code", "text"),
    [
        (AccountState.DISABLED, 20, "Compte désactivé"),
        (AccountState.BLOCKED, 30, "Compte bloqué"),
        (AccountState.API_REFUSED, 40, "L'accès à l'API est refusé"),
    ],
)
@pytest.mark.parametrize("path", [*GETS, *POSTS])
def test_an_account_that_is_not_active_is_refused(
    api: Desk, path: str, state: AccountState, code: int, text: str
) -> None:
    api.runner.run(api.store.set_account_state("acme", state))
    reply = api.post(path) if path in POSTS else api.get(path)
    assert reply.refused == (400, code, text)


def test_a_disabled_key_is_unknown(api: Desk) -> None:
    api.runner.run(api.store.disable_key("acme", 1))
    assert api.get("/v1/me").refused[1] == 10


def test_blanks_around_a_key_mean_nothing(api: Desk) -> None:
    assert api.get("/v1/me", apiKey=f" {KEY}\n").status == 200


def test_the_key_of_a_post_may_stand_in_the_query_and_the_body_goes_before_it(api: Desk) -> None:
    body = json.dumps({"phoneNumbers": "0611111111", "message": "x"}).encode()
    assert api.ask("POST", "/v1/send", query=f"apiKey={KEY}", body=body).status == 200
    wrong = json.dumps({"apiKey": "wrong"}).encode()
    assert api.ask("POST", "/v1/send", query=f"apiKey={KEY}", body=wrong).refused[1] == 10
    null = json.dumps({"apiKey": None, "phoneNumbers": "0611111111", "message": "x"}).encode()
    assert api.ask("POST", "/v1/send", query=f"apiKey={KEY}", body=null).status == 200


def test_malformed_json_is_told_before_a_missing_key(api: Desk) -> None:
    reply = api.ask("POST", "/v1/send", body=b'{"message": "say "hi""}')
    assert reply.refused == (400, 90, "Le JSON est malformé: erreur de syntaxe")


@pytest.mark.parametrize("charset", ["klingon", "rot13"])
def test_an_unknown_charset_is_malformed(api: Desk, charset: str) -> None:
    headers = [("Content-Type", f"application/json; charset={charset}")]
    assert api.ask("POST", "/v1/send", body=b"{}", headers=headers).refused[1] == 90


def test_malformed_json_is_told_in_the_format_of_the_query(api: Desk) -> None:
    reply = api.ask("POST", "/v1/send", query="_format=XML", body=b"{")
    assert reply.headers["content-type"] == "application/xml"
    assert "<entry>90</entry>" in reply.text


def test_the_format_of_the_body_goes_before_that_of_the_query(api: Desk) -> None:
    reply = api.ask("POST", "/v1/send", query="_format=json", body=b'{"_format": "xml"}')
    assert reply.text.endswith(
        "<result><entry>false</entry><entry>1</entry><entry>La Clé API est requise</entry></result>"
    )


# -- paths and methods -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/v1/me", "/v1/me"),
        ("/v1/me/", "/v1/me"),
        ("/v1/me//", "/v1/me"),
        ("http://api.smspartner.fr/v1/me", "/v1/me"),
        ("https://api.smspartner.fr:443/v1/me/", "/v1/me"),
        ("http://host", "/"),
        ("/", "/"),
        ("", "/"),
        ("*", "/"),
    ],
)
def test_a_path_is_freed_of_host_and_trailing_slash(path: str, plain: str) -> None:
    assert plain_path(path) == plain


@pytest.mark.parametrize("path", ["/v1/me/", "http://api.smspartner.fr/v1/me", "https://h/v1/me/"])
def test_absolute_targets_and_trailing_slashes_are_served(api: Desk, path: str) -> None:
    assert api.get(path).status == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/V1/me", "/v1/ME", "/v1/me/x", "/v2/clock/advance", "*"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_an_unknown_path_is_an_envelope(api: Desk, path: str, method: str) -> None:
    assert api.ask(method, path).refused == (404, 404, "Page introuvable")
    assert api.ask(method, path, query="_format=xml").headers["content-type"] == "application/xml"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/v1/bulk-status", "GET"),
        ("OPTIONS", "/v1/me", "GET"),
        ("GET", "/v1/send", "POST"),
        ("PUT", "/v1/bulk-send", "POST"),
        ("DELETE", "/v1/multi-status", "POST, GET"),
        ("BREW", "/v1/send", "POST"),
        ("POST", "/healthz", "GET"),
        ("POST", "/openapi.json", "GET"),
    ],
)
def test_a_wrong_method_is_told_which_are_right(api: Desk, method: str, path: str, allow: str) -> None:
    reply = api.ask(method, path)
    assert reply.refused == (405, 405, "Méthode non autorisée")
    assert set(allow.split(", ")) <= set(reply.headers["allow"].split(", "))


def test_the_body_of_a_get_is_not_read(api: Desk) -> None:
    reply = api.ask("GET", "/v1/me", query=f"apiKey={KEY}", body=b"{", headers=[("content-length", "0")])
    assert reply.status == 200


@pytest.mark.parametrize("accept", ["application/xml", "text/html"])
def test_the_accept_header_does_not_choose(api: Desk, accept: str) -> None:
    reply = api.ask("GET", "/v1/me", query=f"apiKey={KEY}", headers=[("Accept", accept)])
    assert reply.headers["content-type"] == "application/json"


def test_answers_are_not_kept_by_caches(api: Desk) -> None:
    assert api.get("/v1/me").headers["cache-control"] == "no-store"


def test_error_envelopes_can_have_another_http_status(tmp_path: Path) -> None:
    with desk(tmp_path, error_status=200) as api:
        assert api.get("/v1/bulk-status").refused == (200, 3, "L'ID du message est requis")
        assert api.get("/v1/nothing").status == 404
        assert api.post("/v1/me").status == 405


# -- what is too large -------------------------------------------------------------------------


def test_a_large_body_is_refused_before_it_is_read(api: Desk) -> None:
    never = ask(api.app, "POST", "/v1/send", body=[], headers=[("Content-Length", "1000001")])
    assert api.runner.run(never).refused == (413, 413, "Le corps de la requête est trop volumineux")


def test_a_body_of_unknown_length_is_read_up_to_the_limit_only(api: Desk) -> None:
    pieces = [b"x" * 300_000] * 4  # a fifth piece never comes: to ask for it would be to wait
    pieces_and_more = ask(api.app, "POST", "/v1/send", query=f"apiKey={KEY}", body=[*pieces, b"", b""])
    assert api.runner.run(pieces_and_more).refused[:2] == (413, 413)


def test_a_body_at_the_limit_is_read(tmp_path: Path) -> None:
    with desk(tmp_path, max_body=100) as api:
        assert api.ask("POST", "/v1/send", body=b"{}" + b" " * 98).refused[1] == 1
        assert api.ask("POST", "/v1/send", body=b"{}" + b" " * 99).refused[1] == 413


def test_a_body_that_never_comes_is_malformed(tmp_path: Path) -> None:
    with desk(tmp_path, body_patience=0.05) as api:
        never = ask(api.app, "POST", "/v1/send", body=[], headers=[("Content-Length", "40")])
        assert api.runner.run(never).refused[:2] == (400, 90)


def test_a_client_that_goes_away_breaks_nothing(api: Desk) -> None:
    sent = []

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "method": "POST", "path": "/v1/send", "query_string": b"", "headers": []}
    api.runner.run(api.app(scope, gone, send))
    assert sent[0]["status"] == 400


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key", "Content-Type"])
def test_a_header_of_which_only_one_can_count_is_refused_twice(api: Desk, name: str) -> None:
    once = api.ask("GET", "/v1/me", query=f"apiKey={KEY}", headers=[(name, "a"), ("Accept", "b"), ("Accept", "c")])
    assert once.status == 200
    twice = api.ask("GET", "/v1/me", query=f"apiKey={KEY}", headers=[(name, "a"), (name.lower(), "a")])
    assert twice.refused == (400, 400, "Un en-tête de la requête est répété")


@pytest.mark.parametrize("path", ["/v1/me", "/v1/bulk-status", "/v2/export"])
def test_a_head_is_a_get_without_its_body(api: Desk, path: str) -> None:
    query, headers = f"apiKey={KEY}&messageId={api.send('+33611111111')}", [("Authorization", f"Bearer {KEY}")]
    get = api.ask("GET", path, query=query, headers=headers)
    head = api.ask("HEAD", path, query=query, headers=headers)
    assert (head.status, head.headers, head.text) == (200, get.headers, "")
    assert get.text


@pytest.mark.parametrize("error_status", [200, 400])
def test_version_two_answers_with_the_status_that_http_means(tmp_path: Path, error_status: int) -> None:
    with desk(tmp_path, error_status=error_status) as api:
        for path in ("/v2/links", "/v2/messages/1", "/v2/events", "/v2/export", "/v2/replies"):
            nobody = api.ask("GET", path)
            assert (nobody.status, nobody.headers["www-authenticate"]) == (401, "Bearer")
            assert api.ask("GET", path, headers=[("Authorization", "Bearer x")]).status == 401
        bearer = [("Authorization", f"Bearer {KEY}")]
        assert api.ask("GET", "/v2/export", query="format=doc", headers=bearer).status == 400
        assert api.ask("GET", "/v1/me").status == error_status


def test_every_amount_is_in_the_currency_of_the_installation(tmp_path: Path) -> None:
    with desk(tmp_path, currency="CHF") as api:
        number, bearer = api.send("+33611111111"), [("Authorization", f"Bearer {KEY}")]
        told = [
            api.get("/v1/me"),
            api.get("/v1/message-status", messageId=number, phoneNumber="+33611111111"),
            *(
                api.ask("GET", path, headers=bearer)
                for path in ("/v2/messages", f"/v2/messages/{number}", "/v2/export")
            ),
        ]
        assert [("CHF" in one.text, "EUR" in one.text) for one in told] == [(True, False)] * len(told)


def test_large_headers_are_refused(api: Desk) -> None:
    query = f"apiKey={KEY}"
    assert api.ask("GET", "/v1/me", query=query, headers=[("x", "y" * 30_000)]).status == 200
    reply = api.ask("GET", "/v1/me", query=query, headers=[("x", "y" * 64_000)])
    assert reply.refused == (431, 431, "Les en-têtes de la requête sont trop volumineux")


# -- what breaks -------------------------------------------------------------------------------


class BrokenStore(SqliteStore):
    """A store whose reads fail as they are told to."""

    failure: Exception = StoreUnavailable()

    async def recipients_of(self, _account_id: int, _message_id: int) -> list[StatusRow] | None:
        raise self.failure


def broken(tmp_path: Path, failure: Exception) -> Any:
    store = BrokenStore(tmp_path / "broken.db")
    store.failure = failure
    with asyncio.Runner() as runner:
        runner.run(store.open())
        digest = key_digest(KEY, SECRET)
        runner.run(store.create_account("acme", credit=Decimal(1), key_digest=digest, at=NOW))
        with desk(tmp_path, store=store) as api:
            reply = api.get("/v1/bulk-status", messageId=1)
        runner.run(store.close())
    return reply


def test_a_store_that_cannot_be_used_is_a_503(tmp_path: Path) -> None:
    reply = broken(tmp_path, StoreUnavailable("the database is locked"))
    assert reply.refused == (503, 500, "Le service est momentanément indisponible")


def test_an_unforeseen_error_is_a_500_and_its_log_line_has_no_secret(tmp_path: Path) -> None:
    stream = io.StringIO()
    logs.configure(level="info", form="json", stream=stream)
    try:
        reply = broken(tmp_path, RuntimeError(f"apiKey={KEY} +33611111111"))
    finally:
        structlog.reset_defaults()
    assert reply.refused == (500, 500, "Une erreur est survenue, votre demande n'a pas pu être traitée")
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert (event["event"], event["level"], event["path"]) == ("request_failed", "error", "/v1/bulk-status")
    assert "RuntimeError" in event["exception"]
    assert KEY not in line
    assert "33611111111" not in line


def logged(tmp_path: Path, level: str, targets: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    stream = io.StringIO()
    logs.configure(level=level, form="json", stream=stream)
    try:
        with desk(tmp_path) as api:
            for path, query in targets:
                api.ask("GET", path, query=query)
    finally:
        structlog.reset_defaults()
    return [event for line in stream.getvalue().splitlines() if (event := json.loads(line))["event"] == "request"]


def test_a_request_is_one_line_without_its_query(tmp_path: Path) -> None:
    (event,) = logged(tmp_path, "debug", [("/v1/message-status/", f"apiKey={KEY}&phoneNumber=33611111111")])
    assert (event["method"], event["path"], event["status"]) == ("GET", "/v1/message-status", 400)
    assert event["ms"] > 0
    assert set(event) == {"event", "level", "timestamp", "method", "path", "status", "ms"}


def test_a_number_or_a_key_in_an_unknown_path_is_masked(tmp_path: Path) -> None:
    key = "0123456789abcdef" * 2 + "01234567"
    first, second = logged(tmp_path, "debug", [("/v1/33611111111", ""), (f"/v1/me/{key}", "")])
    assert first["path"].startswith("/v1/336")
    assert "11111111" not in first["path"]
    assert key not in second["path"]


def test_requests_are_not_logged_at_the_usual_level(tmp_path: Path) -> None:
    assert logged(tmp_path, "info", [("/v1/me", ""), ("/healthz", "")]) == []


def count_of(path: str, status: int) -> float:
    wanted = f'esito_http_requests_total{{path="{path}",status="{status}"}} '
    return sum(float(line.removeprefix(wanted)) for line in render().decode().splitlines() if line.startswith(wanted))


@pytest.mark.parametrize(
    ("asked", "path", "status"),
    [("/v1/me/", "/v1/me", 400), ("/healthz", "/healthz", 200), ("/v1/33611111111", "other", 404)],
)
def test_requests_are_counted_under_their_path(api: Desk, asked: str, path: str, status: int) -> None:
    before = count_of(path, status)
    api.ask("GET", asked)
    assert count_of(path, status) == before + 1


def test_accounts_do_not_mix_when_keys_alternate(api: Desk) -> None:
    other: Account = api.add_account("other", "other-key")
    for key, name in [(KEY, "acme"), ("other-key", other.name), (KEY, "acme")]:
        assert api.get("/v1/me", apiKey=key).json["user"]["username"] == name


def test_the_first_path_takes_the_key_from_the_header_where_no_other_is_given(api: Desk) -> None:
    number = api.send("+33611111111")
    bearer = [("Authorization", f"Bearer {KEY}")]
    assert api.ask("GET", "/v1/bulk-status", query=f"messageId={number}", headers=bearer).status == 200
    assert api.ask("GET", "/v1/me", query="apiKey=", headers=bearer).status == 200
    told = api.ask("GET", "/v1/me", headers=[("Authorization", "Basic abc")])
    assert told.refused == (400, 1, "La Clé API est requise")


def test_the_parameter_comes_before_the_header(api: Desk) -> None:
    bearer = [("Authorization", f"Bearer {KEY}")]
    assert api.ask("GET", "/v1/me", query="apiKey=other", headers=bearer).refused == (400, 10, "Clé API incorrecte")
    assert api.ask("GET", "/v1/me", query=f"apiKey={KEY}", headers=[("Authorization", "Bearer other")]).status == 200


def test_a_send_takes_the_key_from_the_header(api: Desk) -> None:
    body = b'{"phoneNumbers": "+33611111111", "message": "ciao"}'
    headers = [("Authorization", f"Bearer {KEY}"), ("Content-Type", "application/json")]
    assert api.ask("POST", "/v1/send", body=body, headers=headers).status == 200
