"""Whom a number heard from: recipients by number, kept in sorted runs.

An index on the recipients would make a send dirty one page of the file per recipient, and the
more the larger it grows; so recipients are copied later, many at once and in order, which writes
at the end of a table only. A question asks every run, and reads what stands in none yet.
"""

from collections.abc import Iterable
from typing import cast

import apsw
import msgspec

from esito.domain.reply import STOP_WINDOW_MS, SentBefore
from esito.store.sqlite.connection import QUERIES, value

RUN = 20_000
"""Recipients of a run: copying them takes the writer some 20 ms."""

LOOK_AHEAD = 300_000
"""Recipients beyond the runs, the newest first, that a question reads at the most."""

FORGET_AT_ONCE = 5_000


def sent_before(connection: apsw.Connection, msisdns: Iterable[int], *, since: int) -> dict[int, list[SentBefore]]:
    """Return the messages that these numbers were sent and that were due after `since`, by number."""
    wanted = msgspec.json.encode(sorted(set(msisdns))).decode()
    end = value(connection, QUERIES["runs_end"])
    found: dict[int, list[SentBefore]] = {}
    for query, more in (("sent_in_runs", ()), ("sent_since_runs", (end, LOOK_AHEAD))):
        for msisdn, *message in connection.execute(QUERIES[query], (wanted, since, *more)):
            found.setdefault(int(str(msisdn)), []).append(
                SentBefore(*cast("tuple[int, int, int, str, int, str]", message))
            )
    return found


def list_recipients(connection: apsw.Connection, at: int) -> int:
    """Copy a run's worth of recipients, if there are so many; return how many."""
    _forget(connection, at)
    end = value(connection, QUERIES["runs_end"])
    beyond = value(
        connection, "SELECT count(*) FROM (SELECT 1 FROM recipient WHERE message_id > ?1 LIMIT ?2)", (end, RUN)
    )
    if beyond < RUN:
        return 0
    last = value(connection, QUERIES["run_boundary"], (end, RUN))
    run = value(connection, QUERIES["insert_run"], (end, last))
    connection.execute(QUERIES["fill_run"], (run, end, last))
    return connection.changes()


def _forget(connection: apsw.Connection, at: int) -> None:
    """Delete some of the oldest run once no reply can belong to its messages."""
    run = value(connection, QUERIES["stale_run"], (at - STOP_WINDOW_MS,))
    if run:
        connection.execute(QUERIES["empty_run"], (run, FORGET_AT_ONCE))
        connection.execute(QUERIES["delete_run"], (run,))
