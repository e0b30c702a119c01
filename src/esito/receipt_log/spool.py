"""The spool: frames on the gateway's own disk that operators have been acknowledged and the store has not confirmed.

A folder with append-only files of records:

    lock                  held by the process that uses the folder
    epoch                 when the folder was created; its frames are numbered from 1 in this epoch
    confirmed             the last frame up to which the store has all
    00000000000000000001.frames ...   records, named by the first frame in the file

    record: 4 octets length of the frame, 8 octets its number, 8 octets BLAKE2b of number and frame, the frame

A killed process leaves at most a torn record at the end, which was never acknowledged: it is cut off.
"""

import fcntl
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import structlog

from esito.private_files import make_folder, new_private, open_private

log = structlog.get_logger()

_HEAD = struct.Struct(">IQ8s")
_LOOK_FOR = 8
"""How many following numbers are searched for after a damaged record."""

ROLL_AT = 16 << 20
"""Octets at which a new file begins."""

KEEP_MARK_EVERY = 2.0
"""Seconds between two writes of `confirmed`: if it is lost, frames are sent again, which does no harm."""


class SpoolInUse(Exception):
    """Another process uses this folder; each gateway needs one of its own (bus.spool)."""


class SpoolBroken(OSError):
    """A write failed and cannot be undone; the spool must be opened again."""


@dataclass(slots=True)
class _Place:
    file: Path
    offset: int
    length: int


class Spool:
    """The folder of one gateway; safe to use from several threads."""

    def __init__(self, directory: Path, *, most: int = 256 << 20, roll_at: int = ROLL_AT) -> None:
        """Take as `most` the octets at which it counts as full."""
        self._directory = directory
        self._most = most
        self._roll_at = roll_at
        self._guard = threading.RLock()
        self._places: dict[int, _Place] = {}
        self._sizes: dict[Path, int] = {}
        self._last_of: dict[Path, int] = {}
        self._current: int | None = None
        self._file: Path | None = None
        self._lock: int | None = None
        self._broken = False
        self._marked_at = 0.0
        self._mark_kept = 0
        self.epoch = 0
        self.confirmed = 0
        self.last = 0
        """The number of the newest frame."""
        self.damaged: list[str] = []
        """A sentence for each record that could not be read."""

    # -- opening --------------------------------------------------------------------------------

    def open(self) -> None:
        """Lock the folder and find its records. Raises SpoolInUse, OSError."""
        make_folder(self._directory)
        self._take_lock()
        self.epoch = self._number("epoch") or self._begin_epoch()
        self.confirmed = self._mark_kept = self._number("confirmed")
        self.last = self.confirmed
        self._broken = False
        for file in sorted(self._directory.glob("*.frames")):
            self._find_records(file)
        self._forget_confirmed()

    def close(self) -> None:
        """Write `confirmed` and unlock the folder; idempotent."""
        with self._guard:
            if self._lock is None:
                return
            if not self._broken and self.confirmed != self._mark_kept:
                self._keep_mark()
            self._end_file()
            os.close(self._lock)
            self._lock = None
            self._places.clear()
            self._sizes.clear()
            self._last_of.clear()

    def _take_lock(self) -> None:
        descriptor = open_private(self._directory / "lock", os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise SpoolInUse(f"another process uses {self._directory}; {SpoolInUse.__doc__}") from error
        self._lock = descriptor

    def _begin_epoch(self) -> int:
        epoch = time.time_ns() // 1_000_000
        self._write_whole("epoch", epoch)
        return epoch

    def _number(self, name: str) -> int:
        with suppress(FileNotFoundError, ValueError):
            return int((self._directory / name).read_text(encoding="ascii"))
        return 0

    def _write_whole(self, name: str, number: int) -> None:
        """Write a small file atomically and durably."""
        draft = self._directory / f".{name}"
        with new_private(draft) as file:
            file.write(str(number).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._directory / name)
        self._sync_directory()

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _find_records(self, file: Path) -> None:
        """Note the records of a file. Damage is reported; records that can be read after it count."""
        content = file.read_bytes()
        self.last = max(self.last, int(file.stem) - 1)
        offset = good = 0
        while offset < len(content):
            found = _record_at(content, offset)
            if found is None:
                following = _next_record(content, offset, self.last + 1)
                if following is None:
                    break
                self._complain(f"{following - offset} octets at {offset} of {file.name} are damaged")
                offset = following
                continue
            sequence, length = found
            self._places[sequence] = _Place(file, offset + _HEAD.size, length)
            self.last = self._last_of[file] = max(self.last, sequence)
            offset = good = offset + _HEAD.size + length
        self._sizes[file] = good
        if good < len(content):
            self._cut(file, good, content[good:])

    def _cut(self, file: Path, good: int, tail: bytes) -> None:
        """Cut off a torn record of a killed process; one of full length may have been acknowledged, and is reported."""
        log.warning("spool_tail_cut", file=file.name, octets=len(tail))
        if len(tail) >= _HEAD.size:
            length, sequence, _ = _HEAD.unpack_from(tail)
            if len(tail) >= _HEAD.size + length and sequence == self.last + 1:
                self.last = sequence  # the log may have this number: it is not used again
                self._complain(f"frame {sequence} at the end of {file.name} is damaged")
        with os.fdopen(open_private(file, os.O_RDWR), "r+b") as opened:
            opened.truncate(good)
            os.fsync(opened.fileno())

    def _complain(self, sentence: str) -> None:
        self.damaged.append(sentence)
        log.error("spool_damaged", reason=sentence)

    # -- writing --------------------------------------------------------------------------------

    def append_many(self, makers: Sequence[Callable[[int], bytes]]) -> list[tuple[int, bytes]]:
        """Make numbered frames, and write all of them durably; return them with their numbers.

        Raises OSError, and then nothing is stored and no number is used up.
        """
        with self._guard:
            if self._broken or self._lock is None:
                raise SpoolBroken("the spool is not open")
            made = [(self.last + place, make(self.last + place)) for place, make in enumerate(makers, 1)]
            file, descriptor = self._file_for(self.last + 1)
            start = self._sizes[file]
            try:
                _write_all(descriptor, b"".join(_record(sequence, frame) for sequence, frame in made))
                os.fdatasync(descriptor)
            except OSError:
                self._take_back(descriptor, start)
                raise
            self._note(file, start, made)
            return made

    def _file_for(self, first: int) -> tuple[Path, int]:
        if self._file is not None and self._current is not None and self._sizes[self._file] < self._roll_at:
            return self._file, self._current
        self._end_file()
        file = self._directory / f"{first:020d}.frames"
        self._current = open_private(file, os.O_WRONLY | os.O_APPEND)
        self._file = file
        self._sizes[file] = os.fstat(self._current).st_size
        self._sync_directory()
        return file, self._current

    def _end_file(self) -> None:
        if self._current is not None:
            os.close(self._current)
        self._current = self._file = None

    def _take_back(self, descriptor: int, start: int) -> None:
        try:
            os.ftruncate(descriptor, start)
            os.fdatasync(descriptor)
        except OSError as error:
            self._broken = True
            raise SpoolBroken(f"what was written of it cannot be taken back: {error}") from error

    def _note(self, file: Path, start: int, made: list[tuple[int, bytes]]) -> None:
        offset = start
        for sequence, frame in made:
            self._places[sequence] = _Place(file, offset + _HEAD.size, len(frame))
            offset += _HEAD.size + len(frame)
        self._sizes[file] = offset
        self.last = self._last_of[file] = made[-1][0] if made else self.last

    # -- reading and letting go -------------------------------------------------------------------

    def one(self, sequence: int) -> bytes | None:
        """Return a frame; None if it was confirmed or is damaged."""
        with self._guard:
            place = self._places.get(sequence)
            if place is None:
                return None
            with place.file.open("rb") as file:
                file.seek(place.offset - _HEAD.size)
                _, _, told = _HEAD.unpack(file.read(_HEAD.size))
                frame = file.read(place.length)
        if _sum(sequence, frame) != told:
            self._complain(f"frame {sequence} in {place.file.name} is damaged")
            return None
        return frame

    def unconfirmed(self) -> list[int]:
        """Return the numbers of the frames that the store has not confirmed, in order."""
        with self._guard:
            return sorted(self._places)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield the frames that the store has not confirmed, in order."""
        for sequence in self.unconfirmed():
            if (frame := self.one(sequence)) is not None:
                yield sequence, frame

    def confirm(self, watermark: int) -> None:
        """Drop every frame up to this one: the store has them."""
        with self._guard:
            if watermark <= self.confirmed:
                return
            self.confirmed = watermark
            self.last = max(self.last, watermark)
            self._forget_confirmed()
            if time.monotonic() - self._marked_at > KEEP_MARK_EVERY:
                self._keep_mark()

    def _forget_confirmed(self) -> None:
        for sequence in [one for one in self._places if one <= self.confirmed]:
            del self._places[sequence]
        done = [file for file in self._sizes if file != self._file and self._last_of.get(file, 0) <= self.confirmed]
        if done:
            self._keep_mark()  # before the files are removed: numbers must continue from here
        for file in done:
            file.unlink(missing_ok=True)
            del self._sizes[file]
            self._last_of.pop(file, None)

    def _keep_mark(self) -> None:
        self._write_whole("confirmed", self.confirmed)
        self._mark_kept, self._marked_at = self.confirmed, time.monotonic()

    @property
    def count(self) -> int:
        """How many frames the store has not confirmed."""
        return len(self._places)

    @property
    def octets(self) -> int:
        """The size of its files on disk."""
        return sum(list(self._sizes.values()))

    @property
    def full(self) -> bool:
        """Whether it is full: no more receipts may be accepted."""
        return self.octets > self._most


def _record_at(content: bytes, offset: int) -> tuple[int, int] | None:
    """Return number and length of the frame whose record begins here; None if none does."""
    if offset + _HEAD.size > len(content):
        return None
    length, sequence, told = _HEAD.unpack_from(content, offset)
    start = offset + _HEAD.size
    if start + length > len(content) or _sum(sequence, content[start : start + length]) != told:
        return None
    return sequence, length


def _next_record(content: bytes, offset: int, expected: int) -> int | None:
    """Return where an intact record begins after a damaged one: we know which numbers follow."""
    for sequence in range(expected, expected + _LOOK_FOR):
        place = content.find(sequence.to_bytes(8, "big"), offset + 1)
        while place >= 0:
            if _record_at(content, place - 4) is not None:
                return place - 4
            place = content.find(sequence.to_bytes(8, "big"), place + 1)
    return None


def _sum(sequence: int, frame: bytes) -> bytes:
    return blake2b(sequence.to_bytes(8, "big") + frame, digest_size=8).digest()


def _record(sequence: int, frame: bytes) -> bytes:
    return _HEAD.pack(len(frame), sequence, _sum(sequence, frame)) + frame


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
