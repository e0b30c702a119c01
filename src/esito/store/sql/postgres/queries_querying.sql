-- Asking operators by query_sm.

-- name: queries_due
SELECT EXISTS (SELECT 1 FROM segment WHERE link = $1 AND query_at <= $2)::int

-- name: to_query
-- Segments whose time to be asked about has come; 1 where only we have concluded their expiry.
SELECT * FROM (
    SELECT s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), m.sender, s.submitted_at, s.state,
           (s.state = 4 AND NOT EXISTS (SELECT 1 FROM trail t
                                         WHERE t.message_id = s.message_id AND t.seq = s.seq AND t.part = s.part
                                           AND t.state = 4 AND t.verdict <> 'inferred'))::int
      FROM segment s JOIN message m ON m.id = s.message_id
     WHERE s.link = $1 AND s.query_at <= $2
     ORDER BY s.query_at LIMIT $3
       FOR UPDATE OF s SKIP LOCKED) AS asked

-- name: set_query
UPDATE segment SET query_at = a.column4
  FROM {rows: bigint, int, int, bigint} AS a
 WHERE segment.message_id = a.column1 AND segment.seq = a.column2 AND segment.part = a.column3

-- name: queried_only
-- Those of segments whose state only answers to query_sm tell; one id may stand for all segments of a recipient.
SELECT s.message_id, s.seq, s.part
  FROM {rows: bigint, int, int} AS a
  JOIN segment s ON s.message_id = a.column1 AND s.seq = a.column2 AND s.part = a.column3
 WHERE (SELECT bool_and(t.verdict = 'queried')
          FROM trail t
         WHERE t.message_id = s.message_id AND t.seq = s.seq AND t.state = s.state
           AND t.verdict IN ('moved', 'inferred', 'queried')
           AND (t.part = s.part OR EXISTS (SELECT 1 FROM segment o
                                            WHERE o.message_id = t.message_id AND o.seq = t.seq AND o.part = t.part
                                              AND o.smsc_id = s.smsc_id)))
