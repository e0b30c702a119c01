"""Reads bodies: their cost is bounded before they are parsed, and long ones are parsed in a thread.

Until it is known whose request it is, a body has at most `BEFORE_KEY` octets and `FEW_CONTAINERS` containers. A longer
one must name its key within as much, or have it in the query or the `Authorization` header; the rest is taken only when
the key is good.
"""

import asyncio
import codecs
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, NoReturn
from urllib.parse import unquote_plus

from esito.api.http.asgi import Receive, Scope, header
from esito.api.http.multipart import boundary_of, fields_of, key_in_multipart
from esito.domain.errors import BodyTooLarge, EncodingUnknown, MalformedJson
from esito.lifecycle.account_threads import AccountThreads

BEFORE_KEY = 32 * 1024
"""Octets of a body that are taken before the key is known."""

FEW_CONTAINERS, MOST_CONTAINERS = 1_000, 20_000
"""Containers of a JSON body that is read before the key is known, and afterwards: each costs as much as 50 octets."""

DEEPEST = 16
"""Levels of nested containers in a JSON body; no request has more than three."""

MAX_FIELDS = 1000
"""Fields of a form; splitting a body of nothing but ampersands would block the event loop."""

CHARSETS = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii",
    "iso-8859-1": "iso8859-1", "iso8859-1": "iso8859-1", "iso_8859-1": "iso8859-1", "latin1": "iso8859-1",
    "latin-1": "iso8859-1", "l1": "iso8859-1",
    "iso-8859-15": "iso8859-15", "iso8859-15": "iso8859-15", "iso_8859-15": "iso8859-15", "latin-9": "iso8859-15",
    "latin9": "iso8859-15", "windows-1252": "cp1252", "cp1252": "cp1252", "x-cp1252": "cp1252",
    "utf-16": "utf-16", "utf16": "utf-16", "utf-16le": "utf-16-le", "utf-16-le": "utf-16-le", "utf-16be": "utf-16-be",
    "utf-16-be": "utf-16-be",
}  # fmt: skip
"""Charsets a body may come in, and Python's names of them.

Python is not asked about others: it keeps every name that it was ever asked for.
"""

_WRITTEN_OTHERWISE = "cp1252"
"""How a form or a query is read that is not UTF-8 though it says so, or says nothing: Windows writes this."""

_BLANKS = b" \t\r\n"

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2}){1,200}")

_KEY_IN_JSON = re.compile(rb'"apiKey"\s*:\s*"([^"\\]{1,200})"')
_KEY_IN_FORM = re.compile(rb"(?:\A|&)apiKey=([^&]{1,600})")


class Body(NamedTuple):
    """What a body says."""

    values: dict[str, Any]
    is_long: bool
    """Whether it is so long that work on all of it belongs in a thread."""


async def read_values(
    scope: Scope,
    receive: Receive,
    *,
    key: str,
    admit: Callable[[str], Awaitable[int]],
    aside: AccountThreads,
    limit: int,
    patience: float,
) -> Body:
    """Return the parameters of the body.

    `key` is the one that stands outside it, if any; `admit` tells whose turn it is, and raises when a key is not good.
    `aside` reads what is long. Raises BodyTooLarge as soon as the body is known to be, MalformedJson when it does not
    end within `patience` seconds or cannot be read, EncodingUnknown when it is compressed.
    """
    # Clients that count characters instead of octets announce a wrong length (contract 2.5).
    announced = header(scope, b"content-length")
    if announced.isdigit() and int(announced[:20]) > limit:
        raise BodyTooLarge
    if header(scope, b"content-encoding").lower() not in {b"", b"identity"}:
        raise EncodingUnknown
    content_type = header(scope, b"content-type")
    body = _Coming(receive, patience)
    await body.take(min(BEFORE_KEY, limit), limit)
    if not body.ended or len(body.octets) > BEFORE_KEY or _containers(body.octets) > FEW_CONTAINERS:
        turn = await admit(key or key_in(body.octets[:BEFORE_KEY]))
        await body.take(limit, limit)
        return Body(await aside.do(turn, lambda: parse_body(body.octets, content_type)), is_long=True)
    return Body(parse_body(body.octets, content_type), is_long=False)


class _Coming:
    """The octets of a body, as far as they were taken."""

    def __init__(self, receive: Receive, patience: float) -> None:
        self.ended = False
        self.octets = b""
        self._receive = receive
        self._until = asyncio.get_running_loop().time() + patience

    async def take(self, wanted: int, limit: int) -> None:
        """Take what comes until there are more octets than `wanted`. Raises BodyTooLarge, MalformedJson."""
        pieces, size = [self.octets], len(self.octets)
        try:
            async with asyncio.timeout_at(self._until):
                while not self.ended and size <= wanted:
                    event = await self._receive()
                    if event["type"] == "http.disconnect":
                        raise MalformedJson
                    piece = event.get("body", b"")
                    size += len(piece)
                    if size > limit:
                        raise BodyTooLarge
                    pieces.append(piece)
                    self.ended = not event.get("more_body", False)
        except TimeoutError:
            raise MalformedJson from None
        self.octets = b"".join(pieces)


def key_in(octets: bytes) -> str:
    """Return the key that the beginning of a body names, unread; empty when it names none."""
    if found := _KEY_IN_JSON.search(octets):
        return found[1].decode("utf-8", "replace")
    if found := _KEY_IN_FORM.search(octets):
        return unquote_plus(found[1].decode("latin-1"), errors="replace")
    return key_in_multipart(octets).decode("utf-8", "replace")


def parse_body(body: bytes, content_type: bytes) -> dict[str, Any]:
    """Return the body's parameters: JSON when it begins with `{`, else a form of either kind. Raises MalformedJson.

    The media type is not trusted (contract 0), but a charset is: an unknown one cannot be read.
    """
    if not body:
        return {}
    charset = _charset(content_type)
    boundary = boundary_of(content_type)
    if boundary and body.lstrip(_BLANKS).startswith(b"--" + boundary):
        fields = fields_of(body.lstrip(_BLANKS), boundary, MAX_FIELDS)
        return {_field(name, charset): _field(value, charset) for name, value in fields}
    if charset.startswith("utf-16"):
        body, charset = _decoded(body, charset).encode(), "utf-8"
    body = body.lstrip(_BLANKS).removeprefix(codecs.BOM_UTF8).lstrip(_BLANKS)
    if body.startswith(b"{"):
        return _parse_json(_decoded(body, charset))
    return read_form(body, charset)


def read_form(octets: bytes, charset: str = "utf-8") -> dict[str, Any]:
    """Return the fields of a form or a query; of a repeated one the last. Raises MalformedJson when they are many."""
    if not octets:
        return {}
    if octets.count(b"&") >= MAX_FIELDS:
        raise MalformedJson
    if b"%" in octets or b"+" in octets:
        octets = octets.replace(b"+", b" ")
        pairs = [[_unescaped(one) for one in item.split(b"=", 1)] for item in octets.split(b"&")]
        return {_field(pair[0], charset): _field(pair[-1], charset) if len(pair) == 2 else "" for pair in pairs}
    text = _field(octets, charset)  # the usual query, in a third of the time
    values = {}
    for item in text.split("&"):
        name, _, value = item.partition("=")
        values[name] = value
    return values


def _unescaped(octets: bytes) -> bytes:
    """Decode percent-encoding; what is no escape stays. The standard library takes ten times as long."""
    return _ESCAPES.sub(lambda found: bytes.fromhex(found[0].replace(b"%", b"").decode("ascii")), octets)


def _field(octets: bytes, charset: str) -> str:
    try:
        return octets.decode(charset)
    except ValueError:
        return octets.decode(_WRITTEN_OTHERWISE, "replace")


def _decoded(octets: bytes, charset: str) -> str:
    try:
        return octets.decode(charset)
    except ValueError:
        raise MalformedJson from None


def _containers(octets: bytes) -> int:
    return octets.count(b"[") + octets.count(b"{")


def _charset(content_type: bytes) -> str:
    for parameter in content_type.decode("latin-1").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and (named := value.strip().strip("\"'")):
            charset = CHARSETS.get(named.lower())
            if charset is None:
                raise MalformedJson
            return charset
    return "utf-8"


def _parse_json(text: str) -> dict[str, Any]:
    containers = text.count("[") + text.count("{")
    if containers > MOST_CONTAINERS:
        raise MalformedJson
    try:
        found = json.loads(text, parse_constant=_refuse, parse_int=_whole_number)
        if "\\ud" in text or "\\uD" in text:
            found = _without_lone_surrogates(found)
    except (ValueError, RecursionError):
        raise MalformedJson from None
    if containers > DEEPEST and _is_deep(found):
        raise MalformedJson
    # Null equals absent (contract 0): it does not hide what the query says.
    return {name: value for name, value in found.items() if value is not None}


def _is_deep(value: Any) -> bool:
    """Tell whether containers are nested deeper than we read."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)


def _whole_number(digits: str) -> int | str:
    """Return a number; one too long to be any of ours stays text, as Python refuses to read very long ones."""
    return int(digits) if len(digits) < 20 else digits


def _without_lone_surrogates(value: Any) -> Any:
    """Return a value whose texts can be encoded: half of a surrogate pair is no character."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_lone_surrogates(name): _without_lone_surrogates(item) for name, item in value.items()}
    return value
