"""Whom a number heard from: recipients by number, kept in sorted runs.

An index on the recipients would make a send dirty one page of the file per recipient, and the
more the larger it grows; so recipients are copied later, many at once and in order, which writes
at the end of a table only. A question asks every run, and reads what stands in none yet.
"""

from collections.abc import Iterable
from typing import NamedTuple

from esito.domain.opt_out import is_number, number_named
from esito.domain.reply import STOP_WINDOW_MS, SentBefore
from esito.store.sql_connection import Connection
from esito.store.transactions.known_links import KnownLink, Links

RUN = 20_000
"""Recipients of a run: copying them takes the writer some 20 ms."""

LOOK_AHEAD = 300_000
"""Recipients beyond the runs, the newest first, that a question reads at the most."""

FORGET_AT_ONCE = 5_000


class _Sent(NamedTuple):
    """A recipient and its message, the link that took it, and the STOP mention of its text."""

    msisdn: int
    message_id: int
    seq: int
    account: int
    sender: str
    due_at: int
    url_response: str | None
    link: int | None
    stop_number: str | None


def sent_before(
    connection: Connection, links: Links, msisdns: Iterable[int], *, since: int
) -> dict[int, list[SentBefore]]:
    """Return the messages that these numbers were sent and that were due after `since`, by number."""
    wanted = sorted(set(msisdns))
    rows = connection.rows("sent_in_runs", _Sent, msisdns=wanted, since=since)
    if not connection.indexed_by_number:
        end = connection.number("runs_end")
        rows += connection.rows("sent_since_runs", _Sent, msisdns=wanted, since=since, after=end, limit=LOOK_AHEAD)
    known = {link.id: link for link in links.known}
    found: dict[int, list[SentBefore]] = {}
    for row in rows:
        link = None if row.link is None else known.get(row.link)
        found.setdefault(row.msisdn, []).append(_by_link(row, link))
    return found


def _by_link(row: _Sent, link: KnownLink | None) -> SentBefore:
    """Return a message with what is known of it by the link that took it, and by its STOP mention."""
    sender = row.sender or (link.sender if link is not None else "")
    numbers = (row.stop_number, number_named(row.sender, link.stop_number) if link is not None else "")
    return SentBefore(
        message_id=row.message_id,
        seq=row.seq,
        account=row.account,
        sender=row.sender,
        due_at=row.due_at,
        url_response=row.url_response,
        source=sender if is_number(sender) else "",
        stop_numbers=tuple(number for number in numbers if number),
        operator=None if link is None else link.operator,
    )


def list_recipients(connection: Connection, at: int) -> int:
    """Copy a run's worth of recipients, if there are so many; return how many."""
    if connection.indexed_by_number:
        return 0
    _forget(connection, at)
    end = connection.number("runs_end")
    beyond = connection.number("beyond_runs", after=end, limit=RUN)
    if beyond < RUN:
        return 0
    last = connection.number("run_boundary", after=end, limit=RUN)
    run = connection.number("insert_run", after=end, last=last)
    return connection.run("fill_run", run=run, after=end, last=last)


def _forget(connection: Connection, at: int) -> None:
    """Delete some of the oldest run once no reply can belong to its messages."""
    run = connection.number("stale_run", before=at - STOP_WINDOW_MS)
    if run:
        connection.run("empty_run", run=run, limit=FORGET_AT_ONCE)
        connection.run("delete_run", run=run)


def forget_recipient(connection: Connection, message_id: int, seq: int, msisdn: int) -> None:
    """Let a recipient not be found by its number any more."""
    if not connection.indexed_by_number:
        connection.run("remove_sent_to", message_id=message_id, seq=seq, msisdn=msisdn)
