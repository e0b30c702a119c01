-- Asking operators by query_sm.

-- name: queried_only
-- Those of segments whose state only answers to query_sm tell; one id may stand for all segments of a recipient.
SELECT {many: s.message_id, s.seq, s.part}
  FROM {rows: message_id bigint, seq int, part int} AS a
  CROSS JOIN segment s ON s.message_id = a.message_id AND s.seq = a.seq AND s.part = a.part
 WHERE (SELECT min(t.verdict = 'queried')
          FROM trail t
         WHERE t.message_id = s.message_id AND t.seq = s.seq AND t.state = s.state
           AND t.verdict IN ('moved', 'inferred', 'queried')
           AND (t.part = s.part OR EXISTS (SELECT 1 FROM segment o
                                            WHERE o.message_id = t.message_id AND o.seq = t.seq AND o.part = t.part
                                              AND o.smsc_id = s.smsc_id))) = 1
