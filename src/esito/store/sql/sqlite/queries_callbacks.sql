-- What the outbox of callbacks is asked for. A line is the callbacks of one kind for one recipient, in order of id.

-- name: new_callbacks
SELECT c.id, m.account, CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END,
       EXISTS (SELECT 1 FROM callback p
                WHERE p.message_id = c.message_id AND p.seq = c.seq AND p.kind = c.kind AND p.id < c.id
                  AND p.done_at IS NULL)
  FROM callback c LEFT JOIN message m ON m.id = c.message_id
 WHERE c.id > ?1
 ORDER BY c.id
 LIMIT ?2

-- name: sort_callbacks
UPDATE callback SET destination = s.column2, phase = s.column3, next_at = s.column4, done_at = s.column5,
                    reason = s.column6
  FROM (VALUES {rows}) AS s WHERE callback.id = s.column1 AND callback.phase = 0

-- name: destination_of
SELECT id, disabled_at IS NOT NULL, reason FROM destination WHERE account = ?1 AND origin = ?2

-- name: insert_destination
INSERT INTO destination (account, origin) VALUES (?1, ?2) RETURNING id

-- name: disabled_destinations
SELECT id, reason FROM destination WHERE disabled_at IS NOT NULL

-- name: disabled_with_callbacks
SELECT d.id, d.reason FROM destination d
 WHERE d.disabled_at IS NOT NULL
   AND EXISTS (SELECT 1 FROM callback c INDEXED BY callback_open WHERE c.destination = d.id AND c.phase = 1)

-- name: due_of_destination
SELECT id FROM callback INDEXED BY callback_open WHERE destination = ?1 AND phase = 1 ORDER BY next_at, id LIMIT ?2

-- name: bury_callbacks
UPDATE callback SET phase = 5, next_at = NULL, done_at = b.column2, reason = b.column3
  FROM (VALUES {rows}) AS b WHERE callback.id = b.column1 AND callback.phase = 1

-- name: open_destinations
-- Leaps from one destination to the next in the index, however many callbacks each has.
WITH RECURSIVE seen (destination) AS (
    SELECT * FROM (SELECT destination FROM callback INDEXED BY callback_open
                    WHERE (phase = 1 OR phase = 2 OR phase = 3) AND destination > ?1
                    ORDER BY destination LIMIT 1)
    UNION ALL
    SELECT (SELECT c.destination FROM callback c INDEXED BY callback_open
             WHERE (c.phase = 1 OR c.phase = 2 OR c.phase = 3) AND c.destination > seen.destination
             ORDER BY c.destination LIMIT 1)
      FROM seen WHERE seen.destination IS NOT NULL
)
SELECT destination FROM seen WHERE destination IS NOT NULL LIMIT ?2

-- name: claimable
SELECT id, next_at FROM callback INDEXED BY callback_open
 WHERE destination = ?1 AND phase = 1 ORDER BY next_at, id LIMIT ?2

-- name: ended_leases
SELECT id FROM callback INDEXED BY callback_open WHERE destination = ?1 AND phase = 2 AND next_at <= ?2

-- name: free_all_leases
UPDATE callback INDEXED BY callback_open SET phase = 1, next_at = ?1 WHERE phase = 2

-- name: lease_callbacks
UPDATE callback SET phase = 2, next_at = ?1 WHERE id IN (SELECT value FROM json_each(?2))

-- name: free_callbacks
UPDATE callback SET phase = 1, next_at = ?1 WHERE id IN (SELECT value FROM json_each(?2)) AND phase = 2

-- name: callbacks_to_make
SELECT json_group_array(json_array(c.id, c.message_id, c.seq, c.kind, c.state, c.at, c.attempts, c.tries, c.first_at,
                                   c.destination, CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END, c.body,
                                   m.tag, coalesce('+' || r.msisdn, ''), coalesce(r.cost, 0),
                                   coalesce(a.profile ->> '$.signing_secret', ''),
                                   (SELECT count(*) FROM callback p
                                     WHERE p.message_id = c.message_id AND p.seq = c.seq AND p.kind = c.kind
                                       AND p.id <= c.id)))
  FROM json_each(?1) AS wanted
  CROSS JOIN callback c ON c.id = wanted.value
  CROSS JOIN message m ON m.id = c.message_id
  CROSS JOIN account a ON a.id = m.account
  LEFT JOIN recipient r ON r.message_id = c.message_id AND r.seq = c.seq

-- name: record_attempts
-- Only of whoever holds the lease, and once.
UPDATE callback SET attempts = o.column2, tries = tries + 1, first_at = coalesce(first_at, o.column3),
                    phase = o.column4, next_at = o.column5, done_at = o.column6, reason = o.column7
  FROM (VALUES {rows}) AS o
 WHERE callback.id = o.column1 AND callback.phase = 2 AND callback.attempts = o.column2 - 1

-- name: insert_attempts
INSERT OR IGNORE INTO callback_attempt (callback_id, number, at, milliseconds, status, error, address, answer)
SELECT a.column1, a.column2, a.column3, a.column4, a.column5, a.column6, a.column7, a.column8
  FROM (VALUES {rows}) AS a CROSS JOIN callback c ON c.id = a.column1

-- name: promote_callbacks
-- The next of each line whose earlier ones are finished.
UPDATE callback SET phase = 1, next_at = ?1
 WHERE id IN (
    SELECT (SELECT min(n.id) FROM callback n
             WHERE n.message_id = f.message_id AND n.seq = f.seq AND n.kind = f.kind AND n.phase = 3)
      FROM json_each(?2) AS j CROSS JOIN callback f ON f.id = j.value
     WHERE NOT EXISTS (SELECT 1 FROM callback h
                        WHERE h.message_id = f.message_id AND h.seq = f.seq AND h.kind = f.kind
                          AND (h.phase = 1 OR h.phase = 2)))

-- name: destination_succeeded
UPDATE destination SET last_success = ?2, failing_since = NULL WHERE id = ?1

-- name: destination_failed
UPDATE destination SET failing_since = coalesce(failing_since, ?2) WHERE id = ?1 RETURNING failing_since

-- name: disable_destination
UPDATE destination SET disabled_at = ?2, reason = ?3 WHERE id = ?1 AND disabled_at IS NULL

-- name: enable_destinations
UPDATE destination SET disabled_at = NULL, reason = NULL, failing_since = NULL
 WHERE disabled_at IS NOT NULL
   AND id IN (SELECT c.destination FROM json_each(?1) AS j CROSS JOIN callback c ON c.id = j.value)

-- name: replayable
SELECT c.id FROM callback c CROSS JOIN message m ON m.id = c.message_id
 WHERE c.id = ?1 AND m.account = ?2 AND c.phase IN (1, 3, 4, 5)

-- name: is_callback_of
SELECT EXISTS (SELECT 1 FROM callback c CROSS JOIN message m ON m.id = c.message_id WHERE c.id = ?1 AND m.account = ?2)

-- name: finished_since
SELECT at, id FROM callback INDEXED BY callback_by_destination
 WHERE destination = ?1 AND (at, id) > (?2, ?3) AND phase IN (4, 5) AND id <= ?4 ORDER BY at, id LIMIT ?5

-- name: dead_since
SELECT at, id FROM callback INDEXED BY callback_dead
 WHERE destination = ?1 AND (at, id) > (?2, ?3) AND phase = 5 AND id <= ?4 ORDER BY at, id LIMIT ?5

-- name: put_behind
-- What is replayed, and whoever of its line was about to go: the order is made anew by `promote_callbacks`.
UPDATE callback SET phase = 3, next_at = NULL, done_at = NULL, reason = NULL, tries = 0, first_at = NULL
 WHERE id IN (SELECT value FROM json_each(?1)) AND phase <> 2

-- name: hold_heads
UPDATE callback SET phase = 3, next_at = NULL
 WHERE phase = 1 AND id IN (
    SELECT h.id FROM json_each(?1) AS j CROSS JOIN callback c ON c.id = j.value
    CROSS JOIN callback h ON h.message_id = c.message_id AND h.seq = c.seq AND h.kind = c.kind AND h.phase = 1)

-- name: last_callback
SELECT coalesce(max(id), 0) FROM callback

-- name: destinations_of
SELECT id, origin, last_success, failing_since, disabled_at, coalesce(reason, ''),
       (SELECT count(*) FROM callback c INDEXED BY callback_open WHERE c.destination = d.id AND c.phase = 1)
       + (SELECT count(*) FROM callback c INDEXED BY callback_open WHERE c.destination = d.id AND c.phase = 2)
       + (SELECT count(*) FROM callback c INDEXED BY callback_open WHERE c.destination = d.id AND c.phase = 3),
       (SELECT count(*) FROM callback c INDEXED BY callback_dead WHERE c.destination = d.id AND c.phase = 5)
  FROM destination d WHERE account = ?1 AND origin > ?2 ORDER BY origin LIMIT ?3

-- name: destination_ids
SELECT id FROM destination WHERE account = ?1

-- name: callbacks_all
SELECT at, id FROM callback INDEXED BY callback_by_destination
 WHERE destination = ?1 AND (at, id) < (?2, ?3) ORDER BY at DESC, id DESC LIMIT ?4

-- name: callbacks_done
SELECT at, id FROM callback INDEXED BY callback_by_destination
 WHERE destination = ?1 AND (at, id) < (?2, ?3) AND phase = 4 ORDER BY at DESC, id DESC LIMIT ?4

-- name: callbacks_dead
SELECT at, id FROM callback INDEXED BY callback_dead
 WHERE destination = ?1 AND (at, id) < (?2, ?3) AND phase = 5 ORDER BY at DESC, id DESC LIMIT ?4

-- name: callbacks_waiting
SELECT at, id FROM callback INDEXED BY callback_open
 WHERE destination = ?1 AND (phase = 1 OR phase = 2 OR phase = 3) AND (at, id) < (?2, ?3)
 ORDER BY at DESC, id DESC LIMIT ?4

-- name: callbacks_of_message
SELECT c.at, c.id, c.phase FROM message m CROSS JOIN callback c ON c.message_id = m.id
 WHERE m.id = ?1 AND m.account = ?2

-- name: callback_lines
SELECT c.id, c.message_id, c.seq, coalesce('+' || r.msisdn, ''), c.kind, c.state, c.at, c.phase, c.attempts, c.next_at,
       c.done_at, coalesce(c.reason, ''), coalesce(CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END, ''),
       coalesce(d.origin, ''), t.status, coalesce(t.error, '')
  FROM json_each(?1) AS wanted
  CROSS JOIN callback c ON c.id = wanted.value
  CROSS JOIN message m ON m.id = c.message_id
  LEFT JOIN recipient r ON r.message_id = c.message_id AND r.seq = c.seq
  LEFT JOIN destination d ON d.id = c.destination
  LEFT JOIN callback_attempt t ON t.callback_id = c.id AND t.number = c.attempts
 WHERE m.account = ?2
 ORDER BY c.at DESC, c.id DESC

-- name: attempts_of
SELECT number, at, milliseconds, status, error, address, answer FROM callback_attempt WHERE callback_id = ? ORDER BY number

-- name: callbacks_waiting_count
SELECT (SELECT count(*) FROM callback INDEXED BY callback_open WHERE phase = 1)
     + (SELECT count(*) FROM callback INDEXED BY callback_open WHERE phase = 2)
     + (SELECT count(*) FROM callback INDEXED BY callback_open WHERE phase = 3)
     + (SELECT count(*) FROM callback
         WHERE phase = 0 AND id > coalesce((SELECT value + 0 FROM setting WHERE name = 'callbacks_sorted'), 0)),
       (SELECT count(*) FROM callback INDEXED BY callback_dead WHERE phase = 5)
