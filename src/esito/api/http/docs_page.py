"""The API's documentation: `/openapi.json` for programs, `/docs` for people.

Both are made once, for whoever asks first. The page needs no script, and nothing from anywhere else.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from esito.api.http.endpoint import AnyEndpoint
from esito.api.http.openapi import document
from esito.api.services import Services

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

PIECE = 16_384
"""Octets of a document that are handed over at once."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1d1d1f }
code, pre { font: 14px/1.4 ui-monospace, monospace; background: #f4f4f6; border-radius: 4px }
pre { padding: .75rem; overflow-x: auto } code { padding: 0 .25rem }
table { border-collapse: collapse; margin: .5rem 0 } td, th { border: 1px solid #ddd; padding: .25rem .5rem;
text-align: left; vertical-align: top } summary { cursor: pointer } section { border-top: 1px solid #ddd }
@media (prefers-color-scheme: dark) { body { background: #1d1d1f; color: #eee } code, pre { background: #2c2c30 }
td, th, section { border-color: #444 } a { color: #8ab4f8 } }
"""


def routes(endpoints: Sequence[AnyEndpoint], services: Services) -> list[Route]:
    """Return the two routes."""

    @cache
    def told() -> dict[str, Any]:
        return document(endpoints, error_status=services.error_status)

    @cache
    def as_json() -> bytes:
        return json.dumps(told(), ensure_ascii=False).encode()

    @cache
    def as_page() -> bytes:
        return "\n".join(page(told())).encode()

    async def openapi(_request: Request) -> Response:
        return _in_pieces(await asyncio.to_thread(as_json), "application/json", {})

    async def docs(_request: Request) -> Response:
        html = await asyncio.to_thread(as_page)
        return _in_pieces(html, "text/html; charset=utf-8", {"content-security-policy": POLICY})

    return [Route("/openapi.json", openapi, methods=["GET"]), Route("/docs", docs, methods=["GET"])]


def _in_pieces(body: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return a long answer that is handed over as it is read: a slow reader has no copy of its own of the whole."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), PIECE):
            yield body[start : start + PIECE]

    length = {"content-length": str(len(body))}
    return StreamingResponse(pieces(), media_type=media_type, headers={**headers, **length})


def page(told: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the page."""
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Esito API</title><style>{STYLE}</style>'
    yield '<meta name="viewport" content="width=device-width"><body><h1>Esito API</h1>'
    yield f'<p>{_prose(told["info"]["description"])}</p><p>For programs: <a href="openapi.json">openapi.json</a>.</p>'
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield f'<section id="{operation["operationId"]}"><h2><code>{method.upper()} {escape(path)}</code></h2>'
            yield f"<p>{_prose(operation['summary'])}</p>"
            yield from _inputs(told, operation)
            yield from _answers(operation)
            yield "</section>"


def _inputs(told: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    rows = [(one["name"], one["required"], one["schema"]) for one in operation.get("parameters", ())]
    if "requestBody" in operation:
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        body = told["components"]["schemas"][name]
        members = [(field, field in body["required"], schema) for field, schema in body["properties"].items()]
        rows += sorted(members, key=lambda member: not member[1])  # what is required comes first
    if rows:
        yield "<table><tr><th>parameter</th><th>required</th><th>meaning</th></tr>"
        for name, required, schema in rows:
            meaning = _prose(schema.get("description", schema.get("type", "")))
            yield f"<tr><td><code>{name}</code></td><td>{'yes' if required else ''}</td><td>{meaning}</td></tr>"
        yield "</table>"
    if "requestBody" in operation:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        yield f"<details><summary>Example of a request</summary>{_shown(example)}</details>"


def _answers(operation: dict[str, Any]) -> Iterator[str]:
    codes = [line.strip("| ").split(" | ") for line in operation.get("description", "").splitlines()[2:]]
    if codes:
        yield "<table><tr><th>code</th><th>text</th></tr>"
        yield from (f"<tr><td>{code}</td><td>{escape(text)}</td></tr>" for code, text in codes)
        yield "</table>"
    for status, response in operation["responses"].items():
        yield f"<details><summary>HTTP {status}: {_prose(response['description'])}</summary>"
        for kind, content in response["content"].items():
            example = content.get("example")
            if example is not None:
                yield f"<p><code>{kind}</code></p>{_shown(example)}"
        yield "</details>"


def _shown(example: object) -> str:
    text = example if isinstance(example, str) else json.dumps(example, indent=1, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>"


def _prose(text: str) -> str:
    """Return a sentence as HTML; what stands between back-quotes is code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if odd % 2 else piece for odd, piece in enumerate(pieces))
