"""A file system of its own in a file, which can be cut off like a disk that loses its power.

The cut is the GOINGDOWN ioctl without a log flush: what was not synced stays in memory and never
reaches the disk, as with a power cut, and every later call fails with EIO.
"""

import fcntl
import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.kit.patience import PATIENCE

GOINGDOWN = 0x8004587D
"""`_IOR('X', 125, __u32)`: EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are one number."""

NO_LOG_FLUSH = 2
SIZE_MB = 320
"""XFS refuses less than 300 MB; the file is sparse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A file system in `folder/image`, mounted on `folder/mount`."""

    folder: Path
    kind: str
    """`ext4` or `xfs`."""

    def __enter__(self) -> Self:
        with self.image.open("wb") as image:
            image.truncate(SIZE_MB << 20)
        run(f"mkfs.{self.kind}", "-q", str(self.image))
        self.mount.mkdir()
        self.attach()
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "-l", str(self.mount)], capture_output=True, check=False)
        self.image.unlink()

    @property
    def image(self) -> Path:
        return self.folder / f"{self.kind}.image"

    @property
    def mount(self) -> Path:
        return self.folder / f"{self.kind}.mount"

    def attach(self) -> None:
        """Mount it; the file system replays its log. XFS is told that one of its name may be mounted still."""
        options = "loop,nouuid" if self.kind == "xfs" else "loop"
        run("mount", "-o", options, str(self.image), str(self.mount))

    def detach(self) -> None:
        """Unmount it, and go on with a copy of what has reached the disk.

        Whoever was given a mount namespace of its own meanwhile holds the file system that was cut: mounted again from
        the same file, it would be the same one, still cut.
        """
        run("umount", str(self.mount))
        copy = self.image.with_suffix(".copy")
        run("cp", "--sparse=always", str(self.image), str(copy))
        copy.replace(self.image)

    def cut(self) -> None:
        """Take the power away."""
        descriptor = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, GOINGDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=PATIENCE)


def may_cut(kind: str) -> bool:
    """Return whether this machine lets a file system of this kind be made, mounted on a loop device, and cut."""
    if os.geteuid() != 0:
        return False
    try:
        with tempfile.TemporaryDirectory() as folder, Disk(folder=Path(folder), kind=kind) as disk:
            disk.cut()
            disk.detach()
    except (OSError, subprocess.SubprocessError):
        return False
    return True
