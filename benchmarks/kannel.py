"""The same receipts into Kannel, the C gateway that people use: Debian's package, its receipts in SQLite.

Kannel looks a receipt up, takes its row away and hands it to a box that would tell somebody. No box runs here, so this
is all that Kannel does before its deliver_sm_resp and nothing else; its messages are spooled to files, and not synced.
Its database is in WAL mode, which it does not ask for by itself, and in which it is half as fast again.
"""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.receipt_peer import EACH, FIRST_NUMBER
from benchmarks.server import FIRST_SMSC_ID, free_port
from esito.store.sqlite.sqlite_connection import connect

BEARERBOX = "/usr/sbin/bearerbox"
RECEIPTS = 6_000
WINDOW = 4_000

CONFIG = """
group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {box}
box-allow-ip = 127.0.0.1
dlr-storage = sqlite3
store-type = spool
store-location = {folder}/spool

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = smsc
smsc-password = secret
system-type = ""
max-pending-submits = 1000

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}

group = sqlite3-connection
id = receipts
database = {folder}/receipts.db
max-connections = 1

group = dlr-db
id = receipts
table = dlr
field-smsc = smsc
field-timestamp = ts
field-destination = destination
field-source = source
field-service = service
field-url = url
field-mask = mask
field-status = status
field-boxc-id = boxc
"""
_TABLE = """
CREATE TABLE dlr (smsc TEXT, ts TEXT, destination TEXT, source TEXT, service TEXT, url TEXT, mask INTEGER,
                  status INTEGER, boxc TEXT);
CREATE INDEX dlr_by_id ON dlr (smsc, ts)"""
_WANTED = "INSERT INTO dlr VALUES ('bench', ?, ?, 'ESITO', '', '', 31, 0, '')"


def receipts_per_second(folder: Path) -> float:
    """Return how many receipts a second Kannel acknowledges."""
    spool = folder / "spool"
    spool.mkdir(parents=True)
    _fill(folder / "receipts.db")
    port = free_port()
    config = folder / "kannel.conf"
    text = CONFIG.format(folder=folder, smsc=port, admin=free_port(), box=free_port(), sendsms=free_port())
    config.write_text(text, encoding="ascii")
    words = [str(port), str(RECEIPTS), str(FIRST_SMSC_ID), str(WINDOW), "given"]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.receipt_peer", *words], stdout=subprocess.PIPE, text=True
    ) as peer:
        output = peer.stdout
        if output is None or output.readline() != "listening\n":
            raise RuntimeError("the peer does not listen")
        with subprocess.Popen([BEARERBOX, "-v", "4", str(config)], cwd=folder, stderr=subprocess.DEVNULL) as kannel:
            try:
                result = json.loads(output.readline())
            finally:
                kannel.terminate()
    if result["refused"] or _left(folder / "receipts.db"):
        raise RuntimeError("Kannel did not take every receipt")
    return RECEIPTS / float(result["seconds"])


def _fill(path: Path) -> None:
    """Let every receipt be one that somebody waits for."""
    connection = connect(path)
    connection.execute(_TABLE)
    with connection:
        connection.executemany(
            _WANTED, ((str(FIRST_SMSC_ID + place), f"+{FIRST_NUMBER + place % EACH}") for place in range(RECEIPTS))
        )
    connection.close()


def _left(path: Path) -> int:
    connection = connect(path)
    left = connection.execute("SELECT count(*) FROM dlr").get
    connection.close()
    return int(str(left))
