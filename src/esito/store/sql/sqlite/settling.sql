-- Receipts: whom they may mean, what they change, and what waits for its segment.

-- name: candidates_by_tail
-- Asked as `IN (SELECT ...)` the planner reads every segment there is.
SELECT {many: b.receipt, s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), r.msisdn || '',
                                   s.state, s.submitted_at, r.state, r.segments, s.tries}
  FROM {rows: receipt int, operator int, number_tail int, since bigint, until bigint} AS b
  CROSS JOIN json_each((SELECT json_group_array(json_array(f.message_id, f.seq, f.part)
                                                ORDER BY f.message_id, f.seq, f.part) FROM (
        SELECT * FROM (
            SELECT u.message_id, u.seq, u.part FROM segment u
             WHERE u.operator = b.operator AND u.number_tail = b.number_tail
               AND u.submitted_at BETWEEN b.since AND b.until
             ORDER BY u.submitted_at DESC LIMIT 40)
        UNION ALL
        SELECT * FROM (
            SELECT u.message_id, u.seq, u.part FROM segment u
             WHERE u.operator = b.operator AND u.number_tail = b.number_tail AND u.submitted_at > b.until
               AND u.tries IS NOT NULL
             ORDER BY u.submitted_at DESC LIMIT 40)) AS f)) AS j
  CROSS JOIN segment s ON s.message_id = j.value ->> 0 AND s.seq = j.value ->> 1 AND s.part = j.value ->> 2
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: many_by_tail
-- As above, for pairing: a limit cannot be handed in row by row.
SELECT {many: b.receipt, s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), r.msisdn || '',
                                   s.state, s.submitted_at, r.state, r.segments, s.tries}
  FROM {rows: receipt int, operator int, number_tail int, since bigint, until bigint} AS b
  CROSS JOIN json_each((SELECT json_group_array(json_array(f.message_id, f.seq, f.part)
                                                ORDER BY f.message_id, f.seq, f.part) FROM (
        SELECT * FROM (
            SELECT u.message_id, u.seq, u.part FROM segment u
             WHERE u.operator = b.operator AND u.number_tail = b.number_tail
               AND u.submitted_at BETWEEN b.since AND b.until
             ORDER BY u.submitted_at DESC LIMIT 201)
        UNION ALL
        SELECT * FROM (
            SELECT u.message_id, u.seq, u.part FROM segment u
             WHERE u.operator = b.operator AND u.number_tail = b.number_tail AND u.submitted_at > b.until
               AND u.tries IS NOT NULL
             ORDER BY u.submitted_at DESC LIMIT 201)) AS f)) AS j
  CROSS JOIN segment s ON s.message_id = j.value ->> 0 AND s.seq = j.value ->> 1 AND s.part = j.value ->> 2
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: insert_trail
INSERT INTO trail (id, received_at, link, message_id, seq, part, verdict, smsc_id, state, stat, error, done_at,
                   flags, origin, raw, checksum)
{values: id bigint, received_at bigint, link int, message_id bigint, seq int, part int, verdict text, smsc_id text, state smallint, stat text, error text, done_at bigint, flags text, origin bigint, raw bytea, checksum bigint}

-- name: insert_unmatched_keys
INSERT OR IGNORE INTO unmatched_key (operator, match_key, trail) {values: operator int, match_key text, trail bigint}

-- name: unmatched_under
SELECT {many: u.trail, u.received_at, l.name, t.smsc_id, t.state, t.stat, t.error, t.done_at,
                                   t.flags, u.source_addr, u.destination_addr, u.submitted_at}
  FROM (SELECT DISTINCT w.trail
          FROM {rows: operator int, match_key text} AS a
          CROSS JOIN unmatched_key w ON w.operator = a.operator AND w.match_key = a.match_key
                AND w.trail IN (SELECT n.trail FROM unmatched_key n
                                 WHERE n.operator = a.operator AND n.match_key = a.match_key
                                 ORDER BY n.trail DESC LIMIT 1000)) AS w
  CROSS JOIN unmatched u ON u.trail = w.trail
  CROSS JOIN trail t ON t.id = w.trail
  CROSS JOIN link l ON l.id = t.link
