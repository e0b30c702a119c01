"""A store that stands still for ten seconds costs ten seconds: nothing is lost, and memory stays bounded."""

import time
from pathlib import Path

import apsw

from tests.torture.house import House, Sender, promised, until
from tests.torture.witness import Witness

LOOKS, PAUSE = 40, 0.25
"""How often it is looked at meanwhile, and the seconds between; the server waits up to 30 for another writer."""

FLOOD = 30_000
"""Receipts that the operator says meanwhile: more than are taken in while they cannot be kept."""

MOST_GROWTH_MB = 64.0


def test_a_store_that_stalls_for_ten_seconds_under_a_flood_loses_nothing_and_recovers(tmp_path: Path) -> None:
    database = tmp_path / "esito.db"
    with Witness() as witness, House(folder=tmp_path, database=database, links={"alpha": witness.port}) as house:
        house.start()
        with Sender(house) as sender:
            until(lambda: len(witness.acknowledged) > 200)
            some, before = next(iter(sender.accepted)), house.rss_mb
            held = apsw.Connection(str(database))
            held.set_busy_timeout(5000)
            held.execute("BEGIN IMMEDIATE")
            kept = promised(sender, witness)
            for number in range(FLOOD):
                witness.deliver(f"F{number:09d}", "33600000000")
            for _ in range(LOOKS):
                assert house.status(some).status_code == 200
                time.sleep(PAUSE)
            assert house.rss_mb < before + MOST_GROWTH_MB
            early = [one for one in witness.acknowledged if one.smsc_id.startswith("F")]
            assert early == [], "acknowledged while nothing could be kept"
            held.execute("COMMIT")
            held.close()
            until(lambda: len(sender.accepted) > len(kept.messages) + 5)
            until(lambda: len(witness.acknowledged) > len(kept.receipts) + FLOOD)
        house.stop()
        assert promised(sender, witness).missing(database) == []
        assert house.esito("check").strip() == "The books balance."
