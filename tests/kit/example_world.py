"""An account that has what the examples of the documentation name: so each can be sent, and asked with other keys."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from esito.api.http.endpoint import AdminEndpoint, AnyEndpoint
from esito.api.http.schema import things_of
from esito.api.v1.subaccount_keys import EXAMPLE_TOKEN
from esito.domain.credentials import key_digest
from esito.store.interface.account_store import NewSubaccount
from tests.kit.builders import NOW
from tests.kit.desk import ADMIN_KEY, KEY, SECRET, Desk, Reply, desk
from tests.kit.link_edits import RecordedEdits

FIRST, SECOND, THIRD = "+33611111111", "+33622222222", "+33644444444"
MESSAGE, SCHEDULED = 4711, 4712


@contextmanager
def example_world(directory: Path) -> Iterator[Desk]:
    """Open a desk whose account has what the examples name."""
    with desk(directory, pushable=True, link_desk=RecordedEdits()) as api:
        api.let(creates_subaccounts=True, numbers=("33700000001",))
        api.runner.run(api.store.keep_setting("next_message_id", str(MESSAGE - 1)))
        api.send(THIRD)
        api.settle("DELIVRD")
        api.send(FIRST, SECOND, tag="parcels", urlDlr="https://example.org/dlr?secret=1")
        api.settle("DELIVRD", "")
        assert api.send(FIRST, scheduledDeliveryDate="20/01/2027", time=9, minute=0) == SCHEDULED
        api.stop(33688888888)
        new = NewSubaccount(
            email="office@example.org", kind="simple", token=EXAMPLE_TOKEN,
            key_digest=key_digest("another key", SECRET), firstname="", lastname="", credit=10_000_000,
        )  # fmt: skip
        api.runner.run(api.store.ledger.create_subaccount(api.account.id, new, actor="cli:tests", at=NOW))
        yield api


def asked(api: Desk, endpoint: AnyEndpoint, key: str = "", changed: Mapping[str, object] | None = None) -> Reply:
    """Send an endpoint's example; `changed` goes over its parameters, in lists too."""
    key = key or (ADMIN_KEY if isinstance(endpoint, AdminEndpoint) else KEY)
    query = altered(endpoint.parameters, changed or {})
    path = endpoint.path
    for name in [name for name in query if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", str(query.pop(name)))
    body = b""
    if endpoint.body is not None:
        body = json.dumps({"apiKey": key} | altered(endpoint.body, changed or {})).encode()
    elif not endpoint.bearer:
        query["apiKey"] = key
    headers = [("authorization", f"Bearer {key}")] if endpoint.bearer else []
    return api.ask(endpoint.method, path, query=urlencode(query), body=body, headers=headers)


def altered(example: msgspec.Struct | None, changed: Mapping[str, object]) -> dict[str, Any]:
    """Return the members of an example, some of them changed, those of items of lists too."""
    members = {} if example is None else msgspec.to_builtins(example)
    found = _altered(members, changed)
    assert isinstance(found, dict)
    return found


def _altered(value: Any, changed: Mapping[str, object]) -> Any:
    if isinstance(value, list):
        return [_altered(one, changed) for one in value]
    if isinstance(value, dict):
        return {name: changed[name] if name in changed else _altered(one, changed) for name, one in value.items()}
    return value


def things_named_by(endpoint: AnyEndpoint) -> dict[str, str]:
    """Return which parameters of an example name something of an account, and what."""
    given = [one for one in (endpoint.parameters, endpoint.body) if one is not None]
    said = {name for one in given for name, _ in _members(msgspec.to_builtins(one))}
    return {name: thing for one in given for name, thing in things_of(type(one)).items() if name in said}


def names_used(endpoint: AnyEndpoint) -> set[str]:
    """Return how an example names the things of its account."""
    things, given = things_named_by(endpoint), [endpoint.parameters, endpoint.body]
    members = [member for one in given if one is not None for member in _members(msgspec.to_builtins(one))]
    return {str(value) for name, value in members if name in things}


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    for one in value if isinstance(value, list) else [value]:
        for name, inner in one.items():
            yield name, inner
            if isinstance(inner, dict | list):
                yield from _members(inner)
