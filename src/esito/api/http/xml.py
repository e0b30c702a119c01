"""XML by position (contract 0.2): every value is an `<entry>`, in the order of the JSON keys.

Names are lost. Strings are CDATA, numbers and booleans bare, and so is the text of an error.
The layout is that of the contract's samples, so that bytes can be compared with them: the
declaration on a line of its own, then one tag to a line; an error envelope on one line. No
line break follows the last tag.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>\n"

Value = float | str | None | Sequence["Value"] | Mapping[str, "Value"]

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write; it becomes U+FFFD."""

_NAMED = frozenset({"user"})
"""Objects whose members keep their names (contract 0.2, rule 6)."""

_ENVELOPE = ["success", "code", "message"]


class Text(str):
    """A string that stands bare in XML: the text of an error."""

    __slots__ = ()


def to_xml(data: Mapping[str, Value]) -> bytes:
    """Write an answer."""
    between = "" if list(data) == _ENVELOPE else "\n"
    return (DECLARATION + between.join(_element("result", data))).encode("utf-8", "replace")


def to_xml_element(value: Value) -> bytes:
    """Write one member of a list."""
    return "\n".join(_element("entry", value)).encode("utf-8", "replace")


def _element(tag: str, value: Value, *, named: bool = False) -> Iterator[str]:
    """Yield the lines of one element; `named`: those within it keep their names."""
    if isinstance(value, str) or not isinstance(value, Mapping | Sequence):
        yield f"<{tag}>{_scalar(value)}</{tag}>"
    elif not value:
        yield f"<{tag}/>"
    else:
        yield f"<{tag}>"
        members = value.items() if isinstance(value, Mapping) else (("", member) for member in value)
        for name, member in members:
            yield from _element((named and name) or "entry", member, named=name in _NAMED)
        yield f"</{tag}>"


def _scalar(value: float | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    clean = _FORBIDDEN.sub("\ufffd", value)
    return escape(clean) if isinstance(value, Text) else cdata(clean)


def escape(text: str) -> str:
    """Return bare text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cdata(text: str) -> str:
    """Return a CDATA section; one that would end early is split."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"
