"""The disk that is cut off comes back, whoever else looks at it."""

import subprocess
from pathlib import Path

import pytest

from tests.kit.needs import needs
from tests.kit.patience import PATIENCE
from tests.torture.disk import Disk

KINDS = [pytest.param(kind, marks=needs(f"{kind} cuts")) for kind in ("ext4", "xfs")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_was_cut_comes_back_though_another_mount_namespace_holds_it(tmp_path: Path, kind: str) -> None:
    with Disk(folder=tmp_path, kind=kind) as disk:
        synced = disk.mount / "synced"
        with synced.open("w", encoding="ascii") as file:
            file.write("kept")
            file.flush()
            subprocess.run(["sync", str(synced)], check=True, timeout=PATIENCE)
        holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", "echo held; exec sleep 1000"], stdout=subprocess.PIPE
        )
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            disk.cut()
            disk.detach()
            disk.attach()
            assert synced.read_text(encoding="ascii") == "kept"
            synced.write_text("written again", encoding="ascii")
        finally:
            holder.kill()
            holder.communicate(timeout=PATIENCE)
