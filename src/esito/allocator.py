"""What the C library does with memory that was given back."""

import ctypes

_MMAP_THRESHOLD = -3
"""`M_MMAP_THRESHOLD` of mallopt(3)."""

LARGE = 128 * 1024
"""Octets from which a piece of memory is a mapping of its own, which goes back to the system when it is freed."""


def return_large_pieces() -> None:
    """Let the bound from which freed memory goes back to the system stay where it begins.

    The library raises it to the largest piece that was ever freed, up to 32 MB: from then on long answers and bodies
    lie in its heaps, among small pieces that stay, and what a flood took is kept for ever. Where there is no `mallopt`
    (musl, macOS) nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
