"""Reads `multipart/form-data` (RFC 7578), as HTML forms and some HTTP libraries write it; files are left out."""

import re

from esito.domain.errors import MalformedJson

_BOUNDARY = re.compile(rb"""boundary="?([0-9A-Za-z'()+_,./:=? -]{1,70})"?\s*(?:;|\Z)""", re.IGNORECASE)
_NAME = re.compile(rb"""(?:;|\A)\s*name="((?:[^"\\]|\\.){0,200})\"""", re.IGNORECASE)
_FILE = re.compile(rb"""(?:;|\A)\s*filename\*?=""", re.IGNORECASE)
_DISPOSITION = re.compile(rb"(?:\A|\r\n)content-disposition:[ \t]*form-data([^\r\n]*)", re.IGNORECASE)
_KEY = re.compile(rb'name="apiKey"[^\r\n]{0,200}\r\n(?:[^\r\n]{1,200}\r\n){0,3}\r\n([^\r\n]{1,200})')

LONGEST_HEAD = 4096
"""Octets of the headers of one field."""


def boundary_of(content_type: bytes) -> bytes:
    """Return what stands between the fields; empty where the body is another kind of form."""
    if not content_type.lower().startswith(b"multipart/form-data"):
        return b""
    found = _BOUNDARY.search(content_type)
    return found[1].rstrip() if found else b""


def fields_of(body: bytes, boundary: bytes, most: int) -> list[tuple[bytes, bytes]]:
    """Return name and value of each field in order. Raises MalformedJson for more than `most`, and what is none."""
    line = b"\r\n--" + boundary
    framed = b"\r\n" + body
    if framed.count(line) > most:
        raise MalformedJson
    _, *pieces = framed.split(line)
    if not pieces or not pieces[-1].startswith(b"--"):
        raise MalformedJson
    return [field for piece in pieces[:-1] if (field := _field(piece)) is not None]


def key_in_multipart(octets: bytes) -> bytes:
    """Return the key that the beginning of a body names; empty when it names none."""
    found = _KEY.search(octets)
    return found[1].strip() if found else b""


def _field(piece: bytes) -> tuple[bytes, bytes] | None:
    """Return name and value of one field; None for a file. Raises MalformedJson."""
    head, blank, value = piece.partition(b"\r\n\r\n")
    said = _DISPOSITION.search(head[:LONGEST_HEAD])
    name = _NAME.search(said[1]) if said else None
    if not blank or said is None or name is None:
        raise MalformedJson
    return None if _FILE.search(said[1]) else (re.sub(rb"\\(.)", rb"\1", name[1]), value)
