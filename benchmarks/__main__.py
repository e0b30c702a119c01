"""Runs every measurement, prints the table and writes benchmarks/RESULTS.md."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from benchmarks import callback_load, http_load, kannel
from benchmarks.large import large
from benchmarks.logged import logged
from benchmarks.row import Row
from benchmarks.server import FIRST_SMSC_ID, Workplace, environment, resident_mb, running, workplace
from esito.store.sqlite.sqlite_connection import STATEMENTS, connect

SECONDS = 5


def reads(folder: Path) -> list[Row]:
    """bulk-status against the static answer of the same server, and against the bare read."""
    rows = []
    for recipients in (2, 500):
        place = workplace(folder / f"reads-{recipients}", messages=200, recipients=recipients)
        raw = _raw_reads(place)
        with running(place) as process:
            idle = resident_mb(process)
            url = f"{place.url}/v1/bulk-status?apiKey={place.key}&messageId="
            http_load.get(url + "7", connections=32, seconds=1)
            # In turn and for a second each, so that a machine that slows down slows down both.
            static, status = [], []
            for _ in range(9):
                static.append(http_load.get(f"{place.url}/healthz", connections=32, seconds=1))
                status.append(http_load.get(url + "7", connections=32, seconds=1))
            under_load = resident_mb(process)
        fixed, asked = _median(static), _median(status)
        ratio = statistics.median(one.per_second / other.per_second for one, other in zip(status, static, strict=True))
        _no_errors(static + status)
        p99 = statistics.median(run.p99_ms for run in status)
        name = f"bulk-status, {recipients} recipients"
        rows += [
            Row(name, f"{asked:,.0f}/s, p99 {p99:.1f} ms", f"{ratio:.2f}", f"static answer {fixed:,.0f}/s"),
            Row(name, f"{asked:,.0f}/s", f"{asked / raw:.2f}", f"SQLite read alone {raw:,.0f}/s"),
        ]
        if recipients == 2:
            rows.append(Row("resident memory, idle", f"{idle:.0f} MB", "", "limit 80 MB"))
            rows.append(Row("resident memory, under reads", f"{under_load:.0f} MB", "", ""))
    return rows


def _raw_reads(place: Workplace) -> float:
    """Read the same rows with nothing around it, for a second."""
    connection: apsw.Connection = connect(place.folder / "esito.db", read_only=True)
    statement, count = STATEMENTS["recipients_of"], 0
    asked = statement.in_order({"account": 1, "message_id": 7})
    began = time.perf_counter()
    while time.perf_counter() - began < 1:
        connection.execute(statement.text, asked).fetchall()
        count += 1
    connection.close()
    return count / (time.perf_counter() - began)


def receipts(folder: Path, messages: int = 240) -> list[Row]:
    """From the deliver_sm on the socket to its response, each after its commit; and what it leaves on disk.

    Everything is submitted to the operator before, and answered by it.
    """
    count = messages * 500
    place = workplace(folder / "receipts", messages=messages)
    bare = _bare_updates(folder / "bare.db", count)
    seconds, used = _with_peer(place, count, "afterwards")
    rate = count / seconds
    whole_count = count // 4
    whole_seconds, _ = _with_peer(workplace(folder / "whole", messages=messages // 4), whole_count, "at-once")
    whole = whole_count / whole_seconds
    other = kannel.receipts_per_second(folder / "kannel")
    name = "durable receipts, socket to response"
    return [
        Row(name, f"{rate:,.0f}/s", f"{rate / other:.1f}", f"Kannel, receipts in SQLite, nobody told {other:,.0f}/s"),
        Row(
            name,
            f"{rate:,.0f}/s",
            f"{rate / bare:.2f}",
            f"SQLite updates alone, 1,000 to a commit {bare:,.0f}/s",
        ),
        Row(
            "submitted, answered and receipted in one write, each durable",
            f"{whole:,.0f}/s",
            f"{whole / rate:.2f}",
            f"receipts alone {rate:,.0f}/s",
        ),
        Row("resident memory, under receipts", f"{used:.0f} MB", "", ""),
        Row(
            "on disk, all of one recipient with its receipt",
            f"{place.bytes_on_disk() / count:.0f} bytes",
            "",
            f"{count:,} recipients",
        ),
    ]


def _with_peer(place: Workplace, count: int, mode: str) -> tuple[float, float]:
    """Run a server against the receipt peer; return the seconds that it tells, and the server's megabytes."""
    # Counted from 1, ids look most alike in decimal and hexadecimal.
    first = 1 if mode == "at-once" else FIRST_SMSC_ID
    words = [str(place.smsc_port), str(count), str(first), "4000", mode]
    command = [sys.executable, "-m", "benchmarks.receipt_peer", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peer:
        output = peer.stdout
        if output is None or output.readline() != "listening\n":
            raise RuntimeError("the peer does not listen")
        with running(place) as process:
            result = json.loads(output.readline())
            used = resident_mb(process)
    if result["refused"]:
        raise RuntimeError(f"{result['refused']} receipts were refused")
    _must_be_delivered(place, count)
    return float(result["seconds"]), used


def _bare_updates(path: Path, count: int) -> float:
    """Update one column of as many rows, 1,000 to a commit: what SQLite itself can do here."""
    connection = connect(path)
    connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, state INTEGER)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO bare VALUES (?, 0)", ((number,) for number in range(count)))
    connection.execute("COMMIT")
    began = time.perf_counter()
    for first in range(0, count, 1000):
        connection.execute("BEGIN IMMEDIATE")
        numbers = ((number,) for number in range(first, first + 1000))
        connection.executemany("UPDATE bare SET state = 8 WHERE id = ?", numbers)
        connection.execute("COMMIT")
    return count / (time.perf_counter() - began)


def _must_be_delivered(place: Workplace, count: int) -> None:
    connection = connect(place.folder / "esito.db", read_only=True)
    delivered = connection.execute("SELECT count(*) FROM recipient WHERE state = 8").get
    connection.close()
    if delivered != count:
        raise RuntimeError(f"{delivered} of {count} recipients are delivered")


def sends(folder: Path) -> list[Row]:
    """Accepted sends, each answered after its commit; the link is down, so that only accepting is measured."""
    place = workplace(folder / "sends")
    many = ",".join(f"+336{number:08d}" for number in range(500))
    body = '{"apiKey": "%s", "phoneNumbers": "%s", "message": "What happened to every recipient?"}'
    with running(place):
        one = http_load.post(
            f"{place.url}/v1/send", body % (place.key, "+33611111111"), folder, connections=64, seconds=SECONDS
        )
        static = http_load.get(f"{place.url}/healthz", connections=64, seconds=2)
        lot = http_load.post(f"{place.url}/v1/send", body % (place.key, many), folder, connections=16, seconds=SECONDS)
    _no_errors([one, lot, static])
    return [
        Row(
            "sends of 1 recipient, 64 connections",
            f"{one.per_second:,.0f}/s",
            f"{one.per_second / static.per_second:.2f}",
            f"static answer {static.per_second:,.0f}/s",
        ),
        Row(
            "recipients accepted in sends of 500",
            f"{lot.per_second * 500:,.0f}/s",
            f"{lot.per_second / static.per_second:.2f}",
            "sends against static answers",
        ),
    ]


def callbacks(folder: Path, messages: int = 60) -> list[Row]:
    """Callbacks from the outbox to a local receiver and back, each with its commits, by a whole server."""
    count = messages * 500
    place = workplace(folder / "callbacks", messages=messages, answered=True)
    with place.config.open("a", encoding="utf-8") as config:
        config.write("[callbacks]\nallow_private_networks = true\n")
    made = callback_load.measure(place, count)
    return [
        Row(
            "callbacks delivered, outbox to commit",
            f"{made.per_second:,.0f}/s",
            f"{made.per_second / made.bare_per_second:.2f}",
            f"bare aiohttp loop to the same receiver {made.bare_per_second:,.0f}/s",
        ),
        Row("resident memory, under callbacks", f"{made.used_mb:.0f} MB", "", ""),
    ]


def _median(runs: list[http_load.Load]) -> float:
    return statistics.median(run.per_second for run in runs)


def _no_errors(runs: list[http_load.Load]) -> None:
    if any(run.errors for run in runs):
        raise RuntimeError(f"requests failed: {runs}")


MEASUREMENTS: dict[str, Callable[[Path], list[Row]]] = {
    "reads": reads,
    "receipts": receipts,
    "sends": sends,
    "callbacks": callbacks,
    "large": large,
    "logged": logged,
}


def main() -> None:
    chosen = sys.argv[1:] or list(MEASUREMENTS)
    if not set(chosen) <= set(MEASUREMENTS):
        raise SystemExit(f"usage: python -m benchmarks [{' | '.join(MEASUREMENTS)}] ...; without a name, all of them")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="esito-bench-") as folder:
        for name in chosen:
            rows += MEASUREMENTS[name](Path(folder))
            print(f"{name} done", file=sys.stderr)
    table = "\n".join(
        ["| what | figure | ratio | against |", "|---|---|---|---|"] + ["| " + " | ".join(row) + " |" for row in rows]
    )
    print(table)
    if len(chosen) == len(MEASUREMENTS):
        results = f"# What `make bench` measured\n\n{environment()}\n\n{table}\n"
        Path(__file__).with_name("RESULTS.md").write_text(results, encoding="utf-8")


if __name__ == "__main__":
    main()
