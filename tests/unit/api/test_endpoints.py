"""What every endpoint declares is what it does: its example can be sent, and its answer has the declared shape."""

import pkgutil
from importlib import import_module
from pathlib import Path

import jsonschema_rs
import pytest

from esito.api import endpoints, v1, v2
from esito.api.asgi_app import build
from esito.api.endpoints import ENDPOINTS, FILES
from esito.api.http.endpoint import AnyEndpoint, Declaration, Endpoint, summary_of
from esito.api.http.error_replies import ERROR_REPLIES
from esito.api.http.openapi import document
from esito.api.http.request import AccountRequest
from esito.api.http.response import Response, members_of
from esito.domain.errors import BadFormat
from tests.kit.declared import held
from tests.kit.desk import KEY, ask, desk
from tests.kit.example_world import asked, example_world

TOLD = document(ENDPOINTS, error_status=400)


def name_of(endpoint: AnyEndpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def test_every_file_with_an_endpoint_is_named() -> None:
    found = [(folder.__name__, file.name) for folder in (v1, v2) for file in pkgutil.iter_modules(folder.__path__)]
    files = [import_module(f"{folder}.{name}") for folder, name in found]
    declaring = {file.__name__ for file in files if any(isinstance(one, Declaration) for one in vars(file).values())}
    assert {file.__name__ for file in FILES} == declaring, f"name it in {endpoints.__name__}"


def test_no_path_is_declared_twice() -> None:
    assert len({name_of(one) for one in ENDPOINTS}) == len(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
def test_a_declaration_says_all_there_is_to_say(endpoint: AnyEndpoint) -> None:
    assert summary_of(endpoint).endswith(".")
    assert set(endpoint.refusals) <= set(ERROR_REPLIES)
    assert (endpoint.answer is None) == bool(endpoint.media)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name_of)
def test_the_example_can_be_sent_and_is_answered_as_declared(endpoint: AnyEndpoint, tmp_path: Path) -> None:
    with example_world(tmp_path) as api:
        reply = asked(api, endpoint)
    assert reply.status == 200, reply.text
    if endpoint.answer is None:
        assert reply.headers["content-type"].partition(";")[0] in endpoint.media
        return
    content = TOLD["paths"][endpoint.path][endpoint.method.lower()]["responses"]["200"]["content"]
    schema = content["application/json"]["schema"] | {"components": TOLD["components"]}
    jsonschema_rs.validator_for(schema).validate(reply.json)
    shown = members_of(endpoint.answer)
    assert list(reply.json)[: len(shown)] == list(shown), "in the order of the Struct, which is that of XML"


# -- declarations that say too little ----------------------------------------------------------


async def says_too_little(request: AccountRequest) -> Response:
    """Read and refuse what is not declared."""
    request.inputs.text("unheard")
    raise BadFormat


def test_what_a_handler_reads_and_raises_is_held_to_its_declaration(tmp_path: Path) -> None:
    faults: list[str] = []
    short = held(Endpoint("GET", "/v1/short", says_too_little, answer=None), faults)
    with desk(tmp_path) as api:
        app = build(api.services, [short])
        reply = api.runner.run(ask(app, "GET", "/v1/short", query=f"apiKey={KEY}"))
    assert reply.refused[:2] == (400, 6)
    assert faults == [
        "GET /v1/short raises BadFormat, which is not declared",
        "GET /v1/short reads ['unheard'], which are not declared",
    ]
