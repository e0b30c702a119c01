-- Messages whose 48 hours are over.

-- name: drop_outgoing_of
DELETE FROM outgoing USING message m
 WHERE m.id = ANY(:messages::bigint[]) AND outgoing.account = m.account AND outgoing.message_id = m.id

-- name: drop_unsent_parts_of
-- The segments that a recipient still lacks, as refused ones, so that it can be concluded.
INSERT INTO segment (message_id, seq, part, link, operator, phase, attempts, submitted_at, state)
SELECT r.message_id, r.seq, part.value, l.id, l.operator, 4, 0, m.due_at, 0
  FROM recipient r JOIN message m ON m.id = r.message_id
  JOIN link l ON l.id = CASE WHEN r.link >= 0 THEN r.link
            ELSE coalesce((SELECT s.link FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq
                            ORDER BY s.part LIMIT 1),
                          (SELECT way.link FROM route way WHERE way.id = -r.link)) END
  JOIN generate_series(1, 10) AS part (value) ON part.value <= r.segments
 WHERE r.message_id = ANY(:messages::bigint[]) AND r.state BETWEEN 0 AND 7 AND r.segments > 1
   AND NOT EXISTS (SELECT 1 FROM segment s
                    WHERE s.message_id = r.message_id AND s.seq = r.seq AND s.part = part.value)
