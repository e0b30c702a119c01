"""Every list that has pages: what is asked of the page is understood, or refused and nothing is read."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from esito.api.endpoints import ENDPOINTS
from esito.api.http.paging import MOST
from tests.kit.declared import names_of
from tests.kit.desk import ADMIN, KEY, Desk, Reply, desk

LISTS = [one.path for one in ENDPOINTS if one.method == "GET" and "limit" in names_of(one)]
NARROWED = ["/v2/messages/{id}/recipients", "/v2/callbacks"]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as opened:
        yield opened


def look(api: Desk, path: str, **query: object) -> Reply:
    number = api.send("0611111111") if "{id}" in path else 0
    asked = path.replace("{id}", str(number))
    headers = ADMIN if path == "/v2/orphans" else [("authorization", f"Bearer {KEY}")]
    return api.ask("GET", asked, query=urlencode(query), headers=headers)


def field(reply: Reply) -> tuple[int, str]:
    (error,) = reply.json["errors"]
    return reply.status, error["elementId"]


def test_there_are_lists() -> None:
    assert set(LISTS) >= {*NARROWED, "/v2/messages", "/v2/events", "/v2/orphans", "/v2/replies"}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["abc", "0", "-1", "1.5", "1e3", "1_0", "\u0663", "9" * 30, "NaN", " , "])
def test_a_limit_that_is_no_number_is_refused(api: Desk, path: str, limit: str) -> None:
    assert field(look(api, path, limit=limit)) == (400, "children[limit].data")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("cursor", ["abc", "-1", "1.5.2", "1-", "1 OR 1=1", "\u0661", "9" * 30, "null", "//", "a\0b"])
def test_a_cursor_that_no_answer_gave_is_refused(api: Desk, path: str, cursor: str) -> None:
    assert field(look(api, path, cursor=cursor)) == (400, "children[cursor].data")


@pytest.mark.parametrize("path", NARROWED)
@pytest.mark.parametrize("status", ["nonsense", "delivered,failed", "\u0130ptal", "1", "*"])
def test_a_status_that_there_is_not_is_refused(api: Desk, path: str, status: str) -> None:
    assert field(look(api, path, status=status)) == (400, "children[status].data")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "asked", [{}, {"limit": ""}, {"cursor": ""}, {"limit": MOST}, {"limit": 10 * MOST}, {"limit": " 7 "}]
)
def test_without_a_word_and_beyond_the_most_it_is_a_page(api: Desk, path: str, asked: dict[str, object]) -> None:
    assert look(api, path, **asked).status == 200
