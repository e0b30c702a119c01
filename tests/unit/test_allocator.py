"""A large piece of memory goes back to the system when it is freed, whatever was freed before."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes
import sys

from esito.allocator import LARGE, return_large_pieces

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]


class Told(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]


libc.mallinfo2.restype = Told
if sys.argv[1] == "yes":
    return_large_pieces()
libc.free(libc.malloc(8 << 20))
before = libc.mallinfo2().hblks
libc.malloc(8 * LARGE)
print(libc.mallinfo2().hblks - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library of GNU")
@pytest.mark.parametrize(("asked", "mapped"), [("yes", 1), ("no", 0)])
def test_it_is_a_mapping_of_its_own(asked: str, mapped: int) -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM, asked], capture_output=True, text=True, check=True)
    assert int(said.stdout) == mapped
