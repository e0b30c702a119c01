"""Foreign text made fit to be looked at: what shows nothing, or would steer a terminal, is written out.

An operator, a subscriber and a customer write what they like; a terminal obeys ESC, and a mark that turns the direction
of writing lets a line say something else than it holds.
"""

import unicodedata


def visible(text: str, *, keep: str = "") -> str:
    r"""Return a text in which every character shows: controls and marks without a shape become `\x1b`, `\u202e`.

    Blanks stay, and so does what is in `keep`.
    """
    if text.isprintable():
        return text
    return "".join(sign if _shows(sign) or sign in keep else _written_out(sign) for sign in text)


def visible_json(text: str) -> str:
    r"""Return a JSON text that says the same and in which every character shows; line breaks between values stay."""
    if text.isprintable():
        return text
    return "".join(sign if _shows(sign) or sign == "\n" else _escaped(sign) for sign in text)


def _shows(sign: str) -> bool:
    return sign.isprintable() or unicodedata.category(sign) == "Zs"


def _written_out(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def _escaped(sign: str) -> str:
    octets = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{octets[place : place + 2].hex()}" for place in range(0, len(octets), 2))
