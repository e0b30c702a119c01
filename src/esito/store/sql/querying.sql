-- Asking operators by query_sm.

-- name: queries_due
SELECT CAST(EXISTS (SELECT 1 FROM segment WHERE link = :link AND query_at <= :at) AS int)

-- name: to_query
-- Segments whose time to be asked about has come; 1 where only we have concluded their expiry.
SELECT {many: message_id, seq, part, smsc_id, sender, submitted_at, state, inferred} FROM (
    SELECT s.message_id, s.seq, s.part, coalesce(s.smsc_id, '') AS smsc_id, m.sender, s.submitted_at, s.state,
           CAST(s.state = 4 AND NOT EXISTS (SELECT 1 FROM trail t
                                        WHERE t.message_id = s.message_id AND t.seq = s.seq AND t.part = s.part
                                          AND t.state = 4 AND t.verdict <> 'inferred') AS int) AS inferred
      FROM segment s CROSS JOIN message m ON m.id = s.message_id
     WHERE s.link = :link AND s.query_at <= :at
     ORDER BY s.query_at LIMIT :limit
       {postgres: FOR UPDATE OF s SKIP LOCKED}) AS asked

-- name: set_query
UPDATE segment SET query_at = a.query_at
  FROM {rows: message_id bigint, seq int, part int, query_at bigint} AS a
 WHERE segment.message_id = a.message_id AND segment.seq = a.seq AND segment.part = a.part
