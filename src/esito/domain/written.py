"""What of a written number counts: digits and a plus; what shows nothing, blanks, dashes and brackets do not."""

import unicodedata

_SHOWS_NOTHING = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202D), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F)),
    *((0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    (0xE0000, 0xE0FFF),
)
"""First and last of what has no shape (Unicode's Default_Ignorable_Code_Point, marks of annotations), or a blank's.

U+202E is not among them: it turns digits round, so that the number that is read is not the one that was seen.
"""

_DASHES = "\u02d7\u2043\u2053\u207b\u208b\u2212\u23af\u2500\u2501\u2796\u30fc\u30fb\uff70"
"""What looks like a dash, or stands for one in Japan, and is none by its category."""

_FULL_WIDTH = range(0xFF01, 0xFF5F)
"""The signs of ASCII as wide as those of China and Japan; each is this far from its own."""
_TO_ASCII = 0xFEE0

_PUNCTUATION = "./()[]\u00b7\u2022\u2024\u2027"


class _Plain(dict[int, str]):
    """What each character comes down to; of those that are looked up nothing is kept: there are a million of them."""

    def __missing__(self, point: int) -> str:
        return _came_down(point)


def _came_down(point: int) -> str:
    sign = chr(point - _TO_ASCII if point in _FULL_WIDTH else point)
    return "" if _means_nothing(sign) else sign


def _means_nothing(sign: str) -> bool:
    return (
        sign.isspace()
        or sign in _PUNCTUATION
        or sign in _DASHES
        or unicodedata.category(sign) == "Pd"
        or any(first <= ord(sign) <= last for first, last in _SHOWS_NOTHING)
    )


_PLAIN = _Plain({point: _came_down(point) for point in (*range(0x100), *range(0x2000, 0x2070), *_FULL_WIDTH)})


def plain(written: str) -> str:
    """Return the digits of a number, a plus where there is one, and all that is neither and means something."""
    return written.translate(_PLAIN)
