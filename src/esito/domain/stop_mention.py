"""The words that say how to stop such messages (` STOP au 36111`), and the number they name.

It is the number that a text comes from, where it comes from one: that is what a subscriber answers. A text under a
name cannot be answered, and names the number at which its link takes a STOP. Which link a text leaves by is known for
sure only when it leaves, so the number is written then once more, without a change of what was paid.
"""

from functools import lru_cache

from esito.domain.address import AddressKind, kind_of
from esito.domain.text import count_segments, prepare

STOP_NUMBER = "36111"
"""The number that is named where no setting says another one."""

_WORDS = " STOP au "


def mention(number: str) -> str:
    """Return what is appended to a text."""
    return f"{_WORDS}{number}"


def stop_number_of_link(*, sender: str, stop_number: str) -> str:
    """Return where a link takes a STOP, by its settings."""
    return dialled(stop_number or (sender if is_number(sender) else STOP_NUMBER))


def number_named(sender: str, of_link: str) -> str:
    """Return the number that the mention of a message names: its sender, unless that is a name or left to the link."""
    return dialled(sender) if is_number(sender) else of_link


def is_number(address: str) -> bool:
    """Tell whether an address can be answered."""
    return kind_of(address) not in {None, AddressKind.ALPHANUMERIC}


def dialled(number: str) -> str:
    """Return a number as a handset dials it: an international one with its plus."""
    bare = kind_of(number) is AddressKind.INTERNATIONAL and not number.startswith(("+", "00"))
    return f"+{number}" if bare else number


@lru_cache(maxsize=1024)
def renamed(text: str, before: str, number: str, *, unicode: bool) -> str:
    """Return a text with a mention of `before`, naming another number in as many segments.

    Where a shorter number would leave a segment over, blanks stand before the mention. Where a longer one would need
    one more, the text stays as it is: it names the link that it was accepted for, which takes the STOP all the same.
    """
    body = text.removesuffix(mention(before))
    if number == before or body == text:
        return text
    segments = count_segments(prepare(text, unicode=unicode))
    spare = max(0, len(before) - len(number))
    for blanks in dict.fromkeys((0, spare)):
        other = body + " " * blanks + mention(number)
        if count_segments(prepare(other, unicode=unicode)) == segments:
            return other
    return text
