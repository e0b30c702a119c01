"""The OpenAPI 3.1 document of everything that is served, derived from the declarations of endpoints."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from esito import __version__
from esito.api.http.endpoint import AnyEndpoint, Errors, common_errors, documented_errors, summary_of
from esito.api.http.error_answers import ErrorAnswer, shape_of
from esito.api.http.error_replies import ERROR_REPLIES, FAILURE, ErrorReply, status_of
from esito.api.http.response import members_of
from esito.api.http.schema import ApiKey, Format, Parameters, Schema, components, properties_of, reference
from esito.api.http.xml import to_xml


class Everywhere(Parameters):
    """What version 1 takes beside the parameters of each endpoint."""

    api_key: ApiKey = field(name="apiKey")
    format: Format | UnsetType = field(name="_format", default=UNSET)


_PLAIN: dict[str, tuple[str, dict[int, tuple[str, str]]]] = {
    "/healthz": ("The process runs.", {200: ("text/plain", "It does.")}),
    "/readyz": (
        "Messages and receipts can be taken.",
        {
            200: ("application/json", "They can. With an administrator's key `warnings` names links in trouble."),
            503: ("application/json", "They cannot. With an administrator's key `missing` says why."),
        },
    ),
    "/metrics": (
        "Everything that is counted; for administrators, and on the monitors' own address for whoever reaches it.",
        {200: ("text/plain", "Prometheus's text format."), 401: ("application/json", "It needs a key.")},
    ),
    "/openapi.json": ("This document.", {200: ("application/json", "OpenAPI 3.1.")}),
    "/docs": ("This document, for people.", {200: ("text/html", "A page.")}),
}
"""Path to what it tells, and its answers."""

ABOUT = """\
Numbers may be sent as numbers or strings, flags as 1, "1" or true; null equals absent. A body that begins with `{` is
read as JSON whatever its Content-Type says, any other as a form. Values of the query are read on a POST too; the body
goes before them. `_format` chooses JSON or XML; in XML every value is an `<entry>`, in the order of the JSON keys."""

_KEY, _FORMAT = (schema for _, _, schema in properties_of(Everywhere))


_TO_NAME = str.maketrans("/-", "__", "{}")


def document(endpoints: Sequence[AnyEndpoint], *, error_status: int) -> dict[str, Any]:
    """Return the document; `error_status` is the HTTP status of error envelopes in version 1."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, error_status)
    for path, (summary, answers) in _PLAIN.items():
        paths[path] = {"get": _plain(path, summary, answers)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Esito", "version": __version__, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": _schemas(endpoints),
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "query", "name": "apiKey"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _schemas(endpoints: Sequence[AnyEndpoint]) -> dict[str, Schema]:
    """Return the schemas of all bodies and answers; the bodies of version 1 have the key and the format beside them."""
    bodies = {type(one.body): one for one in endpoints if one.body is not None}
    found = components([*bodies, *(struct for one in endpoints for struct in _answers(one))])
    for struct, endpoint in bodies.items():
        if not endpoint.bearer:
            schema = found[struct.__name__]
            schema["properties"] = {"apiKey": _KEY, **schema["properties"], "_format": _FORMAT}
            schema["required"] = ["apiKey", *schema["required"]]
    return found


def _answers(endpoint: AnyEndpoint) -> Iterator[type[Struct]]:
    """Yield the shapes of all answers of an endpoint."""
    yield from _good_answers(endpoint)
    yield from (shape_of(error) for error in documented_errors(endpoint))


def _good_answers(endpoint: AnyEndpoint) -> Iterator[type[Struct]]:
    if endpoint.answer is not None:
        yield type(endpoint.answer)
    yield from endpoint.other_answers


def _operation(endpoint: AnyEndpoint, error_status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": f"{endpoint.method.lower()}{endpoint.path.translate(_TO_NAME)}",
        "summary": summary_of(endpoint),
        "description": _codes(documented_errors(endpoint)),
        "security": [{"bearer": []}] if endpoint.bearer else [{"apiKey": []}],
        "responses": _responses(endpoint, error_status),
    }
    if parameters := list(_parameters(endpoint)):
        told["parameters"] = parameters
    if endpoint.body is not None:
        kinds = ["application/json", *(["application/x-www-form-urlencoded"] if endpoint.takes_form else [])]
        key = {} if endpoint.bearer else {"apiKey": "the key of your account"}
        example = key | msgspec.to_builtins(endpoint.body)
        content = {kind: {"schema": reference(type(endpoint.body)), "example": example} for kind in kinds}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _parameters(endpoint: AnyEndpoint) -> Iterator[dict[str, Any]]:
    """Yield what the path and the query say; with a body, the key and the format are said there."""
    if endpoint.body is None and not endpoint.bearer:
        yield _parameter("apiKey", "query", _KEY, required=True)
    if endpoint.parameters is not None:
        given = msgspec.to_builtins(endpoint.parameters)
        for name, required, schema in properties_of(type(endpoint.parameters)):
            place = "path" if f"{{{name}}}" in endpoint.path else "query"
            yield _parameter(name, place, schema, required=required) | (
                {"example": given[name]} if name in given else {}
            )
    if endpoint.body is None and not endpoint.media:
        yield _parameter("_format", "query", _FORMAT, required=False)


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _codes(errors: Errors) -> str:
    """Return the table of codes, in the order in which they are checked."""
    rows = [f"| {ERROR_REPLIES[kind].code} | {ERROR_REPLIES[kind].text or 'The list of fields'} |" for kind in errors]
    return "\n".join(["| code | text |", "|---|---|", *rows])


def _responses(endpoint: AnyEndpoint, error_status: int) -> dict[str, Any]:
    by_status: dict[int, list[Schema]] = {200: [reference(one) for one in _good_answers(endpoint)]}
    first: dict[int, ErrorReply] = {FAILURE.status: FAILURE}
    for kind in (*documented_errors(endpoint), *common_errors(endpoint)):
        status = status_of(kind, error_status=error_status, bearer=endpoint.bearer)
        first.setdefault(status, ERROR_REPLIES[kind])
        schemas = by_status.setdefault(status, [])
        if (schema := reference(shape_of(kind))) not in schemas:
            schemas.append(schema)
    by_status[FAILURE.status] = [reference(ErrorAnswer)]
    return {
        str(status): _response(status, schemas, endpoint, first.get(status, FAILURE))
        for status, schemas in sorted(by_status.items())
    }


def _response(status: int, schemas: list[Schema], endpoint: AnyEndpoint, first: ErrorReply) -> dict[str, Any]:
    good = status == 200
    described = "All went well." if good else "The request was refused, or failed."
    streamed: dict[str, Any] = {kind: {"schema": {"type": "string"}} for kind in endpoint.media} if good else {}
    if not schemas:
        return {"description": described, "content": streamed}
    refused = ErrorAnswer(success=False, code=first.code, message=first.text)
    shown = endpoint.answer if good and endpoint.answer is not None else refused
    example = members_of(shown)
    return {
        "description": described,
        "content": {
            **streamed,
            "application/json": {
                "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
                "example": example,
            },
            "application/xml": {"schema": {"type": "string"}, "example": to_xml(example).decode()},
        },
    }


def _plain(path: str, summary: str, answers: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    return {
        "operationId": f"get{path.replace('/', '_').replace('.', '_')}",
        "summary": summary,
        "responses": {
            str(status): {"description": description, "content": {kind: {}}}
            for status, (kind, description) in answers.items()
        },
    }
