"""What strangers may write so that it is much work to read: units that are repeated, and pieces that all differ."""

from collections.abc import Callable, Mapping
from typing import Any, AnyStr, NamedTuple

from esito.api.services import MAX_HEADER_OCTETS
from esito.domain.errors import EsitoError
from esito.receipt_log.frames import Damaged
from esito.webhooks.targets import RefusedError

BODY = 131_072
"""Octets of a body: fewer than may come (`Services.max_body`), as many as show how the work grows."""
HEADER = MAX_HEADER_OCTETS
PDU = 65_536
"""Octets of a message_payload."""


class Reader(NamedTuple):
    """One reader."""

    most: int
    """Octets, or signs, that it may be given."""
    read: Callable[[Any], object]
    hostile: Mapping[str, Callable[[int], Any]]


def repeated(*units: str) -> dict[str, Callable[[int], str]]:
    """Return makers of texts that are one unit again and again."""
    return {repr(unit): _again(unit) for unit in units}


def octets(*units: bytes) -> dict[str, Callable[[int], bytes]]:
    """Do the same with octets."""
    return {repr(unit): _again(unit) for unit in units}


def _again(unit: AnyStr) -> Callable[[int], AnyStr]:
    return lambda length: unit * (length // len(unit))


def counted(form: str) -> dict[str, Callable[[int], str]]:
    """Return a maker of a text whose pieces all differ; `{}` is the place of a number."""

    def make(length: int) -> str:
        return "".join(form.format(number) for number in range(length // (len(form) + 4)))

    return {f"counted {form!r}": make}


def framed(before: str, unit: str, after: str) -> dict[str, Callable[[int], str]]:
    return {f"{before!r} {unit!r} {after!r}": lambda length: before + unit * (length // len(unit)) + after}


SPITEFUL: Mapping[str, Callable[[int], str]] = {
    **repeated(" ", "0", "9", "+", "a", ",", "a,", "0,", "%", "%41", "&", "=", "a=&", "-", ".", ":", "/", "(0)", '"'),
    **repeated("\\", "\n", "\r\n", "\t", "\0", "[", "{", "<", "]]>", "&amp;", ";", "@", "#", "_", "?", "1.", "::"),
    **repeated(
        "é", "e\u0301", "\u0301", "\u0301\u0323", "\u0344", "\ufdfa", "\u200b", "\ufeff", "\u202e", "\U0001f600"
    ),
    **repeated("\ud83d", "\udc00", "€", "{}", "^", "\x1b", "İ", "ß", "\u0661", "\uff11", ":br:", ":euro:", "STOP "),
    **repeated("id:", "id:1 ", "stat ", "err:", "submit date:", "text ", "apiKey=", "bearer ", "to=+", "+33 6", "tel:"),
    **counted("{} "),
    **counted("id:{} "),
    **counted("stat:{} "),
    **counted("{},"),
    **framed("", " ", "x"),
    **framed("x", " ", "x"),
    **framed("0x", "f", ""),
    **framed("+33", "6", ""),
    **framed("id:", " ", ""),
    **framed("apiKey", " ", ""),
    **framed("1,", "\u0301", "a"),
}


def wrapped(before: bytes, unit: bytes, after: bytes) -> dict[str, Callable[[int], bytes]]:
    """Return a maker of a form within which one unit stands again and again."""
    return {f"{before!r} {unit!r} {after!r}": lambda length: before + unit * (length // len(unit)) + after}


def numbered(before: bytes, form: str, after: bytes) -> dict[str, Callable[[int], bytes]]:
    """Return a maker of a form within which pieces stand that all differ."""

    def make(length: int) -> bytes:
        return before + "".join(form.format(number) for number in range(length // (len(form) + 4))).encode() + after

    return {f"{before!r} {form!r} {after!r}": make}


def allowed(read: Callable[[Any], object]) -> Callable[[Any], object]:
    """Let a reader refuse as it may."""

    def reads(given: Any) -> object:
        try:
            return read(given)
        except (EsitoError, ValueError, Damaged, RefusedError):
            return None

    return reads
