"""A power cut under load loses nothing that was answered; with weaker syncing it would.

The control run commits with `synchronous = NORMAL`: if that lost nothing, the cut would not be one.
"""

import time
from pathlib import Path

import pytest

from tests.kit.needs import needs
from tests.kit.patience import HANGS
from tests.torture import FULL
from tests.torture.disk import Disk
from tests.torture.house import House, Sender, a_chance, promised, until
from tests.torture.witness import Witness

KINDS = [pytest.param(kind, marks=needs(f"{kind} cuts")) for kind in ("ext4", "xfs")]
CUTS = 20 if FULL else 2

PACE = 0.02
"""Seconds between two sends: each commit is small, so that a cut falls between many of them."""

AS_IT_IS = ("-m", "esito")

WEAKER = (
    "-c",
    """
import apsw

class Weaker(apsw.Connection):
    def execute(self, statements, *rest, **named):
        return super().execute(statements.replace("synchronous = FULL", "synchronous = NORMAL"), *rest, **named)

apsw.Connection = Weaker
from esito.cli.main import cli

cli()
""",
)
"""The same server, but a commit does not wait for the disk."""


def lost_in_a_cut(house: House, disk: Disk, sender: Sender, witness: Witness, body: tuple[str, ...]) -> list[str]:
    """Start the server, cut the power at some moment, and return what was answered and is gone."""
    before = len(witness.acknowledged), len(sender.accepted)
    house.start(body=body)
    until(lambda: len(witness.acknowledged) > before[0] + 100 and len(sender.accepted) > before[1] + 5)
    time.sleep(a_chance().uniform(0, 0.5))
    # Without power nobody says anything more. Without this, the kernel may report a sync that the cut
    # overtook as done (ext4's fdatasync, seen in a system-call trace), and the server would believe it.
    house.freeze()
    disk.cut()
    house.kill()
    disk.detach()
    disk.attach()
    return promised(sender, witness).missing(house.database)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(HANGS * (1 + CUTS / 10))
def test_a_power_cut_loses_nothing_that_was_answered(tmp_path: Path, kind: str) -> None:
    with (
        Disk(folder=tmp_path, kind=kind) as disk,
        Witness() as witness,
        House(folder=tmp_path, database=disk.mount / "esito.db", links={"alpha": witness.port}) as house,
        Sender(house, pause=PACE) as sender,
    ):
        for _ in range(CUTS):
            assert lost_in_a_cut(house, disk, sender, witness, AS_IT_IS) == []
            assert house.esito("check").strip() == "The books balance."
        assert len(witness.acknowledged) > CUTS * 100


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_cut_loses_something_when_commits_do_not_wait_for_the_disk(tmp_path: Path, kind: str) -> None:
    with (
        Disk(folder=tmp_path, kind=kind) as disk,
        Witness() as witness,
        House(folder=tmp_path, database=disk.mount / "esito.db", links={"alpha": witness.port}) as house,
        Sender(house, pause=PACE) as sender,
    ):
        assert lost_in_a_cut(house, disk, sender, witness, WEAKER) != []
