"""Books that balance (design 7): every sentence names something that does not add up."""

from collections.abc import Iterator

import apsw

from esito.domain.pricing import from_micros
from esito.domain.states import MessageState, public_word
from esito.store.checksum import checksum

_CREDIT = """
SELECT a.name, a.granted, a.credit,
       coalesce((SELECT sum(r.cost) FROM message m JOIN recipient r ON r.message_id = m.id WHERE m.account = a.id), 0)
       + a.retired
  FROM account a ORDER BY a.name"""

_EMPTY_MESSAGES = """
SELECT id FROM message m WHERE NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = m.id)"""

_GAPS = """
SELECT message_id, count(*), max(seq) + 1 FROM recipient GROUP BY message_id HAVING count(*) <> max(seq) + 1"""

_STRAYS = """
SELECT r.message_id, r.seq FROM recipient r WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = r.message_id)"""

_UNSENT = """
SELECT r.message_id, r.seq FROM recipient r JOIN message m ON m.id = r.message_id
 WHERE r.state = 0 AND m.sandbox = 0
   AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq)
   AND NOT EXISTS (SELECT 1 FROM outgoing o WHERE o.message_id = r.message_id AND o.link = r.link
                                              AND r.seq BETWEEN o.next_seq AND o.last_seq)"""

_HIGHER = """
SELECT s.message_id, s.seq, s.part, s.state,
       coalesce((SELECT max(t.state) FROM trail t
                  WHERE t.message_id = s.message_id AND t.seq = s.seq AND t.verdict IN ('moved', 'inferred')
                    AND (t.part = s.part
                         -- One id may stand for all segments: its receipts move every one that carries it.
                         OR EXISTS (SELECT 1 FROM segment o WHERE o.message_id = t.message_id AND o.seq = t.seq
                                       AND o.part = t.part AND o.smsc_id = s.smsc_id))), 0) AS told
  FROM segment s WHERE s.state <> told"""

_CALLBACKS = """
SELECT r.message_id, r.seq, r.state FROM message m JOIN recipient r ON r.message_id = m.id
 WHERE m.url_dlr IS NOT NULL AND (r.state >= 3 OR r.state = -1)
   AND r.msisdn <> 0 -- whose number was removed is told of no more
   AND NOT EXISTS (SELECT 1 FROM callback c WHERE c.message_id = r.message_id AND c.seq = r.seq
                     AND c.kind = 1 AND (c.state = 8) = (r.state = 8) AND (c.state = -1) = (r.state = -1))"""

_DONE_UNHEARD = """
SELECT c.id FROM callback c
 WHERE c.phase = 4 AND NOT EXISTS (SELECT 1 FROM callback_attempt t
                                    WHERE t.callback_id = c.id AND t.status BETWEEN 200 AND 299)"""

_DEAD_UNTOLD = """
SELECT c.id FROM callback c WHERE c.phase = 5 AND coalesce(c.reason, '') = ''"""

_LINES_STUCK = """
SELECT c.id FROM callback c
 WHERE c.phase = 3 AND NOT EXISTS (SELECT 1 FROM callback h
                                    WHERE h.message_id = c.message_id AND h.seq = c.seq AND h.kind = c.kind
                                      AND (h.phase = 1 OR h.phase = 2))"""

_TRAIL = """
SELECT t.id, t.received_at, t.verdict, t.smsc_id, t.state, t.error, t.message_id, t.seq, t.part, t.raw, t.checksum,
       CASE WHEN t.message_id IS NOT NULL
            THEN EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = t.message_id AND r.seq = t.seq)
            ELSE EXISTS (SELECT 1 FROM unmatched u WHERE u.trail = t.id)
                 OR EXISTS (SELECT 1 FROM trail later WHERE later.origin = t.id) OR t.verdict = 'not_a_receipt' END
  FROM trail t"""


def read_books(connection: apsw.Connection) -> Iterator[str]:
    """Yield what does not add up, streaming over the tables within one snapshot."""
    connection.execute("BEGIN")
    try:
        yield from _money(connection)
        yield from _recipients(connection)
        yield from _receipts(connection)
        yield from _callbacks(connection)
    finally:
        connection.execute("COMMIT")


def _money(connection: apsw.Connection) -> Iterator[str]:
    for name, granted, credit, spent in connection.execute(_CREDIT):
        if granted - credit != spent:
            yield (
                f"account {name}: {from_micros(granted - credit)} was taken off the credit, "
                f"but the prices of its recipients sum to {from_micros(spent)}"
            )


def _recipients(connection: apsw.Connection) -> Iterator[str]:
    for (message,) in connection.execute(_EMPTY_MESSAGES):
        yield f"message {message} has no recipients"
    for message, count, expected in connection.execute(_GAPS):
        yield f"message {message} has {count} recipients, but their numbering says {expected}"
    for message, seq in connection.execute(_STRAYS):
        yield f"recipient {message}/{seq} belongs to no message"
    for message, seq in connection.execute(_UNSENT):
        yield f"recipient {message}/{seq} waits, but nothing will ever submit it"
    known = {int(state) for state in MessageState}
    for state, count in connection.execute("SELECT state, count(*) FROM recipient GROUP BY state"):
        if state not in known:
            yield f"{count} recipients have the unknown state {state}"


def _receipts(connection: apsw.Connection) -> Iterator[str]:
    for message, seq, part, state, told in connection.execute(_HIGHER):
        yield (
            f"segment {message}/{seq}/{part} stands at {MessageState(state).name}, "
            f"but its trail leads to {MessageState(told).name}"
        )
    for message, seq, state in connection.execute(_CALLBACKS):
        yield f"recipient {message}/{seq} is {public_word(state)}, but no callback was written for it"
    for row in connection.execute(_TRAIL):
        number, received_at, verdict, smsc_id, state, error, message, seq, part, raw, kept, placed = row
        if not placed:
            yield f"trail row {number} ({verdict}) belongs neither to a recipient nor to the orphans"
        found = checksum(
            received_at=received_at,
            verdict=verdict,
            smsc_id=smsc_id,
            state=state,
            error=error,
            message_id=message,
            seq=seq,
            part=part,
            raw=raw,
        )
        if found != kept:
            yield f"trail row {number} does not match its checksum: it was altered after it was written"


def _callbacks(connection: apsw.Connection) -> Iterator[str]:
    for (number,) in connection.execute(_DONE_UNHEARD):
        yield f"callback {number} counts as done, but no attempt was answered with 2xx"
    for (number,) in connection.execute(_DEAD_UNTOLD):
        yield f"callback {number} was given up without a reason"
    for (number,) in connection.execute(_LINES_STUCK):
        yield f"callback {number} waits for an earlier one of its recipient, but none is open"
