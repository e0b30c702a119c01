"""A request as the endpoints see it, read in every form that real clients use (contract 0).

Numbers come as numbers or strings, flags as 1, "1" or true, bodies under any Content-Type.
What is read here is text, a message id, a flag or a list; what it means is the endpoint's.
"""

import asyncio
import codecs
import json
from collections.abc import ItemsView, Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from esito.api.answer import Answer, success
from esito.api.asgi import Receive, Scope, header
from esito.api.services import Services
from esito.api.xml import Value
from esito.domain.account import Account
from esito.domain.errors import BodyTooLarge, MalformedJson, MessageIdMissing, MessageNotFound

LARGEST_ID = 2**53 - 1
"""Message ids stay below 2**53 (design 5)."""

CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"})
"""Charsets a body may come in, by Python's names; its other codecs are no charsets, or nobody's."""

DEEPEST = 16
"""Containers within each other in a JSON body; no request has more than three."""

MAX_FIELDS = 1000
"""Fields of a form; to split a body of nothing but ampersands would keep everybody else waiting."""

_YES = frozenset({"1", "true", "yes", "on"})


class Inputs:
    """The parameters of one call."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def has(self, name: str) -> bool:
        """Tell whether a parameter was given; null equals absent, and so does an empty text."""
        value = self._values.get(name)
        return value is not None and value != ""

    def items(self) -> ItemsView[str, Any]:
        """Return all parameters as they came."""
        return self._values.items()

    def raw(self, name: str) -> Any:
        """Return a parameter as it came; None when it is absent."""
        return self._values.get(name)

    def text(self, name: str) -> str:
        """Return a scalar as text; empty when it is absent, a list or an object."""
        return as_text(self._values.get(name))

    def optional(self, name: str) -> str | None:
        """Return a scalar as trimmed text; None when it is absent, empty when it is no scalar."""
        return as_text(self._values[name]).strip() if self.has(name) else None

    def flag(self, name: str) -> bool:
        """Return a flag; anything that is not plainly yes is no."""
        return self.text(name).strip().lower() in _YES


class Call:
    """One authenticated request."""

    __slots__ = ("_scope", "account", "inputs", "services", "xml")

    def __init__(self, services: Services, account: Account, inputs: Inputs, *, xml: bool, scope: Scope) -> None:
        self.services = services
        self.account = account
        self.inputs = inputs
        self.xml = xml
        self._scope = scope

    def header(self, name: bytes) -> str:
        """Return a header of the request, by its name in lower case; empty when it is absent."""
        return header(self._scope, name).decode("latin-1")

    def message_id(self) -> int:
        """Return `messageId`. Raises MessageIdMissing, MessageNotFound."""
        value = self.inputs.raw("messageId")
        if value is None or value == "":
            raise MessageIdMissing
        message_id = as_message_id(value)
        if message_id is None:
            raise MessageNotFound
        return message_id

    def answer(self, members: Mapping[str, Value]) -> Answer:
        """Answer that all went well, in the format asked for."""
        return success(members, xml=self.xml)


# -- values ------------------------------------------------------------------------------------


def as_text(value: Any) -> str:
    """Return a scalar as text; empty for null, a list or an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return ""


def as_message_id(value: Any) -> int | None:
    """Return a message id: decimal digits, blanks around them allowed; None for anything else."""
    digits = as_text(value).strip()
    if len(digits) > 16 or not (digits.isascii() and digits.isdecimal()):
        return None
    number = int(digits)
    return number if 0 < number <= LARGEST_ID else None


def as_number_text(value: Any) -> str:
    """Return a phone number as it was meant: form-decoding turns a `+` into a leading blank (contract 0)."""
    text = as_text(value)
    if text[:1] == " " and "1" <= text[1:2] <= "9":
        text = "+" + text[1:]
    return text.strip()


def wants_xml(values: Mapping[str, Any]) -> bool:
    """Tell whether `_format` asks for XML; an unknown format is JSON."""
    value = values.get("_format")
    return value is not None and as_text(value).strip().lower() == "xml"


# -- where they come from ----------------------------------------------------------------------


def read_query(query: bytes) -> dict[str, Any]:
    """Return the query's parameters; of a repeated one the last."""
    text = query.decode("utf-8", "replace")
    if "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))
    values: dict[str, Any] = {}
    for item in text.split("&"):  # the usual query, in a third of the time
        name, _, value = item.partition("=")
        values[name] = value
    return values


async def read_body(scope: Scope, receive: Receive, *, limit: int, patience: float) -> bytes:
    """Return the whole body. Raises BodyTooLarge as soon as it is known to be, and MalformedJson when it does not end.

    Clients that count characters instead of octets announce a wrong length (contract 2.5).
    """
    announced = header(scope, b"content-length")
    if announced.isdigit() and int(announced[:20]) > limit:
        raise BodyTooLarge
    try:
        async with asyncio.timeout(patience):
            return await _gather(receive, limit)
    except TimeoutError:
        raise MalformedJson from None


async def _gather(receive: Receive, limit: int) -> bytes:
    pieces = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise MalformedJson
        piece = event.get("body", b"")
        size += len(piece)
        if size > limit:
            raise BodyTooLarge
        pieces.append(piece)
        if not event.get("more_body", False):
            return b"".join(pieces)


def parse_body(body: bytes, content_type: bytes) -> dict[str, Any]:
    """Return the body's parameters: JSON when it begins with `{`, else a form. Raises MalformedJson.

    The media type is not trusted (contract 0), but a charset is: an unknown one cannot be read.
    """
    if not body:
        return {}
    charset = _charset(content_type)
    try:
        text = body.decode(charset).lstrip("\ufeff \t\r\n")
        if text.startswith("{"):
            return _parse_json(text)
        pairs = parse_qsl(text, keep_blank_values=True, encoding=charset, errors="replace", max_num_fields=MAX_FIELDS)
    except ValueError:  # octets that are not of this charset, too many fields
        raise MalformedJson from None
    return dict(pairs)


def _charset(content_type: bytes) -> str:
    for parameter in content_type.decode("latin-1").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and (named := value.strip().strip("\"'")):
            try:
                charset = codecs.lookup(named).name
            except (LookupError, ValueError):
                raise MalformedJson from None
            if charset not in CHARSETS:
                raise MalformedJson
            return charset
    return "utf-8"


def _parse_json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_refuse, parse_int=_whole_number)
        if "\\ud" in text or "\\uD" in text:
            found = _without_lone_surrogates(found)
    except (ValueError, RecursionError):
        raise MalformedJson from None
    if text.count("[") + text.count("{") > DEEPEST and _is_deep(found):
        raise MalformedJson
    # Null equals absent (contract 0): it does not hide what the query says.
    return {name: value for name, value in found.items() if value is not None}


def _is_deep(value: Any) -> bool:
    """Tell whether containers stand within each other deeper than we read."""
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
