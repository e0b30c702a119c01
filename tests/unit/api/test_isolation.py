"""What one account has does not exist for another: same status, same octets, and no more time.

The matrix is made of the declarations: each example names something that its account has (`names_a`). It is sent with
another account's key, and again with what nobody has. A parameter with a name of a thing that does not say so fails.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.api.endpoints import ENDPOINTS
from esito.api.http.endpoint import AnyEndpoint, Endpoint
from tests.kit.declared import names_of
from tests.kit.desk import Desk, Reply
from tests.kit.example_world import SCHEDULED, asked, example_world, names_used, things_named_by
from tests.kit.patience import WORK, Beside

THEIRS = "their-key"

IDS = frozenset({"messageId", "id", "tokenSubaccount", "token", "callback", "message", "tag", "msisdn"})
"""Parameters that name a thing of an account."""

ABSENT: dict[str, object] = {
    "message": 999_999, "tag": "missing", "stop": 999_999, "callback": 999_999, "token": "f" * 32,
    "number": "0688888888",
}  # fmt: skip
"""What nobody has, by what it is."""

OF_NOBODY = {
    ("POST", "/v1/send"), ("POST", "/v1/bulk-send"), ("POST", "/v1/vn/send"),  # `tag` names what is about to be made
}  # fmt: skip

MATRIX = [one for one in ENDPOINTS if isinstance(one, Endpoint) and things_named_by(one)]


def name_of(endpoint: AnyEndpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with example_world(Path(tmp_path_factory.mktemp("isolation"))) as opened:
        opened.add_account("other", THEIRS)
        yield opened


def test_every_operation_that_names_a_thing_is_in_the_matrix() -> None:
    wanted = {(one.method, one.path) for one in ENDPOINTS if isinstance(one, Endpoint) and names_of(one) & IDS}
    in_matrix = {(one.method, one.path) for one in MATRIX}
    assert wanted - OF_NOBODY - in_matrix == set(), "say what it names (names_a), and name it in the example"
    assert len(in_matrix) >= 20


def absent(endpoint: AnyEndpoint) -> dict[str, object]:
    """Return the parameters that name something, with what nobody has."""
    return {name: ABSENT[thing] for name, thing in things_named_by(endpoint).items()}


@pytest.mark.parametrize("endpoint", MATRIX, ids=name_of)
def test_another_account_s_thing_is_as_one_that_is_not_there(api: Desk, endpoint: AnyEndpoint) -> None:
    foreign, missing = asked(api, endpoint, THEIRS), asked(api, endpoint, THEIRS, absent(endpoint))

    def plain(reply: Reply) -> tuple[int, dict[str, str], str]:
        # The id itself may be repeated, as in multi-status.
        several = "|".join(re.escape(one) for one in names_used(endpoint) | {str(one) for one in ABSENT.values()})
        text = re.sub(rf"(?<![\w+])({several})(?!\w)", "*", reply.text)
        return reply.status, {name: value for name, value in reply.headers.items() if name != "content-length"}, text

    assert plain(foreign) == plain(missing)


@pytest.mark.parametrize("endpoint", MATRIX, ids=name_of)
def test_it_takes_no_more_time(api: Desk, endpoint: AnyEndpoint) -> None:
    both, nothing = Beside(WORK), absent(endpoint)
    for _ in range(60):
        for name, changed in (("foreign", {}), ("absent", nothing)):
            with both.timed(name):
                asked(api, endpoint, THEIRS, changed)
    assert 1 / 3 < both.ratio("foreign", "absent") < 3


def test_the_owner_still_has_everything(api: Desk) -> None:
    by_name = {name_of(one): one for one in MATRIX}
    for name in ("GET /v1/bulk-status", "GET /v2/callbacks/{id}", "GET /v2/messages/{id}"):
        assert asked(api, by_name[name]).status == 200
    assert api.get("/v1/subaccount/list").json["total"] == 1
    assert api.get("/v1/stop-sms/list").json["nbData"] == 1
    assert api.get("/v1/message-cancel", messageId=SCHEDULED).status == 200
