"""The OpenAPI 3.1 document of everything that is served, built from tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from esito import __version__
from esito.api.http import samples
from esito.api.http.app import AnyOperation
from esito.api.http.areas import AREAS
from esito.api.http.error_replies import ERROR_REPLIES, FAILURE, ErrorReply, status_of
from esito.api.http.pages import ALWAYS, BODY, KEY, SENDING, EndpointDoc, Refusals
from esito.api.http.schemas import API_KEY, BODIES, FORMAT, MESSAGE_ID, SCHEMAS, Schema, integer, ref, text
from esito.api.http.xml import to_xml
from esito.api.v2.samples_v2 import V2_SAMPLES
from esito.api.v2.schemas_v2 import CURSOR, MESSAGE_PIECE, MSISDN_PIECE, PAGE_LIMIT, STATUS_FILTER, UNMASK, V2_SCHEMAS
from esito.domain import errors as e

_ID = {"messageId": (MESSAGE_ID, True)}
_PIECE = {"id": (MESSAGE_PIECE, True)}
_PAGED = {"cursor": (CURSOR, False), "limit": (PAGE_LIMIT, False)}
_MULTI = EndpointDoc(
    summary="Statuses of up to 500 pairs of number and message.",
    answer="MultiStatus",
    body="MultiStatusRequest",
    refusals=(*BODY, *KEY, e.NumberListEmpty, e.BadFormat, e.TooManyRecipients),
)

PAGES: dict[tuple[str, str], EndpointDoc] = {
    ("GET", "/v1/bulk-status"): EndpointDoc(
        summary="What happened to every recipient of one message.",
        answer="BulkStatus",
        parameters=_ID,
        refusals=(*KEY, e.MessageIdMissing, e.MessageNotFound),
    ),
    ("GET", "/v1/message-status"): EndpointDoc(
        summary="What happened to one recipient of one message.",
        answer="MessageStatus",
        parameters={"phoneNumber": (text("French or international; a leading blank is a plus."), True), **_ID},
        refusals=(*KEY, e.PhoneNumberMissing, e.MessageIdMissing, e.MessageNotFound),
    ),
    ("POST", "/v1/multi-status"): _MULTI,
    ("GET", "/v1/multi-status"): _MULTI,
    ("GET", "/v1/bulk-status-by-tag"): EndpointDoc(
        summary="What happened to the recipients of every message with one tag, 500 to a page.",
        answer="BulkStatusByTag",
        parameters={"tag": (text(), True), "page": (integer(minimum=1, default=1), False)},
        refusals=(*KEY, e.MessageIdMissing, e.MessageNotFound),
    ),
    ("POST", "/v1/send"): EndpointDoc(
        summary="Send one text to up to 500 numbers; with `SMSList` it is a bulk-send.",
        answer="Sent",
        body="SendRequest",
        form=True,
        refusals=(*BODY, *KEY, *SENDING),
    ),
    ("POST", "/v1/bulk-send"): EndpointDoc(
        summary="Send up to 500 pairs of number and text as one message.",
        answer="BulkSent",
        body="BulkSendRequest",
        refusals=(*BODY, *KEY, *SENDING),
    ),
    ("GET", "/v1/me"): EndpointDoc(summary="Whose key it is, and what is left.", answer="Me", refusals=KEY),
    ("GET", "/v2/messages/{id}"): EndpointDoc(
        summary="One message and how its recipients stand.",
        answer="MessageOverview",
        parameters=_PIECE,
        refusals=(*KEY, e.NoSuchMessage),
    ),
    ("GET", "/v2/messages/{id}/recipients"): EndpointDoc(
        summary="The recipients of one message in order of submission, a page at a time.",
        answer="RecipientPage",
        parameters={**_PIECE, "status": (STATUS_FILTER, False), **_PAGED},
        refusals=(*KEY, e.InvalidFields, e.NoSuchMessage),
    ),
    ("GET", "/v2/messages/{id}/recipients/{msisdn}"): EndpointDoc(
        summary="What happened to one recipient, what it means, until when we wait, and every receipt.",
        answer="RecipientExplained",
        parameters={
            **_PIECE,
            "msisdn": (MSISDN_PIECE, True),
            "unmask": (UNMASK, False),
        },
        refusals=(*KEY, e.InvalidFields, e.NoSuchMessage, e.UnmaskingNotAllowed),
    ),
}

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


_TO_NAME = str.maketrans("/-", "__", "{}")
_SAMPLES = samples.OF_ANSWER | V2_SAMPLES
_SCHEMAS = SCHEMAS | V2_SCHEMAS | BODIES
for _area in AREAS:
    PAGES.update(_area.pages)
    _SAMPLES.update(_area.samples)
    _SCHEMAS.update(_area.schemas)
    _SCHEMAS.update(_area.bodies)


def document(operations: Sequence[AnyOperation], *, error_status: int) -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        page = PAGES[operation.method, operation.path]
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, page, error_status)
    for path, (summary, answers) in _PLAIN.items():
        paths[path] = {"get": _plain(path, summary, answers)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Esito", "version": __version__, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "query", "name": "apiKey"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(operation: AnyOperation, page: EndpointDoc, error_status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}{operation.path.translate(_TO_NAME)}",
        "summary": page.summary,
        "description": _codes(page.refusals),
        "security": [{"bearer": []}] if operation.bearer else [{"apiKey": []}],
        "responses": _responses(page, error_status, bearer=operation.bearer),
    }
    parameters = dict(page.parameters or {})
    if not page.body:
        key = {} if operation.bearer else {"apiKey": (API_KEY, True)}
        parameters = {**key, **parameters, **({} if page.media else {"_format": (FORMAT, False)})}
    if parameters:
        told["parameters"] = [
            {
                "name": name,
                "in": "path" if f"{{{name}}}" in operation.path else "query",
                "required": required,
                "schema": schema,
            }
            for name, (schema, required) in parameters.items()
        ]
    if page.body:
        kinds = ["application/json", *(["application/x-www-form-urlencoded"] if page.form else [])]
        told["requestBody"] = {"required": True, "content": {kind: {"schema": ref(page.body)} for kind in kinds}}
    return told


def _codes(refusals: Refusals) -> str:
    """Return the table of codes, in the order in which they are checked."""
    rows = [f"| {ERROR_REPLIES[kind].code} | {ERROR_REPLIES[kind].text or 'The list of fields'} |" for kind in refusals]
    return "\n".join(["| code | text |", "|---|---|", *rows])


def _responses(page: EndpointDoc, error_status: int, *, bearer: bool) -> dict[str, Any]:
    by_status: dict[int, list[Schema]] = {200: [] if page.media else [ref(page.answer)]}
    if page.answer == "Sent":
        by_status[200].append(ref("BulkSent"))  # with `SMSList`
    first: dict[int, ErrorReply] = {FAILURE.status: FAILURE}
    for kind in (*page.refusals, *([e.BodyTooLarge, e.EncodingUnknown] if page.body else []), *ALWAYS):
        status = status_of(kind, error_status=error_status, bearer=bearer)
        first.setdefault(status, ERROR_REPLIES[kind])
        schemas = by_status.setdefault(status, [])
        name = {e.InvalidFields: "InvalidFields", e.NothingToSend: "NothingToSend"}.get(kind, "Refusal")
        if ref(name) not in schemas:
            schemas.append(ref(name))
    by_status[FAILURE.status] = [ref("Refusal")]
    return {
        str(status): _response(status, schemas, page, first.get(status, FAILURE))
        for status, schemas in sorted(by_status.items())
    }


def _response(status: int, schemas: list[Schema], page: EndpointDoc, first: ErrorReply) -> dict[str, Any]:
    good = status == 200
    described = "All went well." if good else "The request was refused, or failed."
    streamed: dict[str, Any] = {kind: {"schema": {"type": "string"}} for kind in page.media} if good else {}
    if not schemas:
        return {"description": described, "content": streamed}
    sample = _SAMPLES[page.answer] if good and not streamed else samples.refused(first)
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {
        "description": described,
        "content": {
            **streamed,
            "application/json": {"schema": schema, "example": sample},
            "application/xml": {"schema": {"type": "string"}, "example": to_xml(sample).decode()},
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
