-- Receipts: whom they may mean, what they change, and what waits for its segment.

-- name: candidates_by_tail
SELECT b.receipt, s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), r.msisdn || '',
       s.state, s.submitted_at, r.state, r.segments, s.tries
  FROM {rows: receipt int, operator int, number_tail int, since bigint, until bigint} AS b
  CROSS JOIN LATERAL (
        (SELECT u.* FROM segment u
          WHERE u.operator = b.operator AND u.number_tail = b.number_tail AND u.submitted_at BETWEEN b.since AND b.until
          ORDER BY u.submitted_at DESC LIMIT 40)
        UNION ALL
        (SELECT u.* FROM segment u
          WHERE u.operator = b.operator AND u.number_tail = b.number_tail AND u.submitted_at > b.until
            AND u.tries IS NOT NULL
          ORDER BY u.submitted_at DESC LIMIT 40)) AS s
  JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: many_by_tail
-- As above, for pairing: a limit cannot be handed in row by row.
SELECT b.receipt, s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), r.msisdn || '',
       s.state, s.submitted_at, r.state, r.segments, s.tries
  FROM {rows: receipt int, operator int, number_tail int, since bigint, until bigint} AS b
  CROSS JOIN LATERAL (
        (SELECT u.* FROM segment u
          WHERE u.operator = b.operator AND u.number_tail = b.number_tail AND u.submitted_at BETWEEN b.since AND b.until
          ORDER BY u.submitted_at DESC LIMIT 201)
        UNION ALL
        (SELECT u.* FROM segment u
          WHERE u.operator = b.operator AND u.number_tail = b.number_tail AND u.submitted_at > b.until
            AND u.tries IS NOT NULL
          ORDER BY u.submitted_at DESC LIMIT 201)) AS s
  JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: insert_unmatched_keys
INSERT INTO unmatched_key (operator, match_key, trail)
SELECT DISTINCT * FROM {rows: operator int, match_key text, trail bigint} AS given

-- name: unmatched_under
SELECT u.trail, u.received_at, l.name, t.smsc_id, t.state, t.stat, t.error, t.done_at,
       t.flags, u.source_addr, u.destination_addr, u.submitted_at
  FROM (SELECT DISTINCT w.trail
          FROM {rows: operator int, match_key text} AS a
          CROSS JOIN LATERAL (SELECT n.trail FROM unmatched_key n
                               WHERE n.operator = a.operator AND n.match_key = a.match_key
                               ORDER BY n.trail DESC LIMIT 1000) AS w) AS w
  JOIN unmatched u ON u.trail = w.trail
  JOIN trail t ON t.id = w.trail AND t.message_id = 0
  JOIN link l ON l.id = t.link
