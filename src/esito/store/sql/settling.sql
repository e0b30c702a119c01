-- Receipts: whom they may mean, what they change, and what waits for its segment.

-- name: known_match_keys
SELECT {many: b.match_key}
  FROM {rows: operator int, match_key text} AS b
 WHERE EXISTS (SELECT 1 FROM segment s INDEXED BY segment_by_match_key WHERE s.operator = b.operator AND s.match_key = b.match_key)

-- name: candidates_by_match_key
SELECT {many: b.receipt, s.message_id, s.seq, s.part, s.smsc_id, r.msisdn || '', s.state,
                                   s.submitted_at, r.state, r.segments, s.tries}
  FROM {rows: receipt int, operator int, match_key text} AS b
  CROSS JOIN segment s INDEXED BY segment_by_match_key ON s.operator = b.operator AND s.match_key = b.match_key
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: senders
SELECT {many: m.id, m.sender} FROM {rows: message_id bigint} AS b CROSS JOIN message m ON m.id = b.message_id

-- name: candidates_by_ref
SELECT {many: b.receipt, s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), r.msisdn || '',
                                   s.state, s.submitted_at, r.state, r.segments, s.tries}
  FROM {rows: receipt int, message_id bigint, seq int, part int} AS b
  CROSS JOIN segment s ON s.message_id = b.message_id AND s.seq = b.seq AND s.part = b.part
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: wanting_callbacks
SELECT {many: m.id}
  FROM {rows: message_id bigint} AS b CROSS JOIN message m ON m.id = b.message_id
 WHERE m.url_dlr IS NOT NULL

-- name: segment_states
SELECT {many: s.message_id, s.seq, s.part, s.state, l.name}
  FROM {rows: message_id bigint, seq int} AS b
  CROSS JOIN segment s ON s.message_id = b.message_id AND s.seq = b.seq
  CROSS JOIN link l ON l.id = s.link

-- name: move_segments
UPDATE segment SET state = moved.state, done_at = moved.done_at, error = moved.error
  FROM {rows: message_id bigint, seq int, part int, state smallint, done_at bigint, error text} AS moved
 WHERE segment.message_id = moved.message_id AND segment.seq = moved.seq AND segment.part = moved.part

-- name: move_recipients
UPDATE recipient SET state = moved.state, changed_at = moved.changed_at
  FROM {rows: message_id bigint, seq int, state smallint, changed_at bigint} AS moved
 WHERE recipient.message_id = moved.message_id AND recipient.seq = moved.seq

-- name: insert_callbacks
INSERT INTO callback (message_id, seq, state, at) {values: message_id bigint, seq int, state smallint, at bigint}

-- name: insert_unmatched
INSERT INTO unmatched (trail, operator, source_addr, destination_addr, submitted_at, received_at, waits) {values: trail bigint, operator int, source_addr text, destination_addr text, submitted_at bigint, received_at bigint, waits smallint}

-- name: has_waiting
SELECT CAST(EXISTS (SELECT 1 FROM unmatched WHERE operator = :operator AND waits > 0 AND waits = :waits) AS int)

-- name: released
-- Parked receipts that came before any submit_sm left whose response is still owed.
SELECT {many: u.trail, u.received_at, l.name, t.smsc_id, t.state, t.stat, t.error, t.done_at,
                                   t.flags, u.source_addr, u.destination_addr, u.submitted_at}
  FROM (SELECT * FROM unmatched
         WHERE operator = :operator AND waits > 0 AND waits = {Waits.RESPONSE}
           AND received_at < coalesce((SELECT min(s.submitted_at) FROM link l CROSS JOIN segment s
                                                ON s.link = l.id AND s.phase = {SegmentPhase.SUBMITTED} WHERE l.operator = :operator), 9223372036854775807)
         ORDER BY received_at LIMIT :limit) AS u
  CROSS JOIN trail t ON t.id = u.trail AND {is loose: t.message_id}
  CROSS JOIN link l ON l.id = t.link

-- name: wait_no_more
UPDATE unmatched SET waits = {Waits.NOTHING} FROM {rows: trail bigint} AS b WHERE unmatched.trail = b.trail AND unmatched.waits = {Waits.FORM}

-- name: undecided
-- The receipts that wait for something: the form of the ids is 2.
SELECT {many: u.trail, u.received_at, l.name, t.smsc_id, t.state, t.stat, t.error, t.done_at,
                                   t.flags, u.source_addr, u.destination_addr, u.submitted_at}
  FROM (SELECT * FROM unmatched WHERE operator = :operator AND waits > 0 AND waits = :waits ORDER BY received_at LIMIT :limit) AS u
  CROSS JOIN trail t ON t.id = u.trail AND {is loose: t.message_id}
  CROSS JOIN link l ON l.id = t.link

-- name: keep_waiting
UPDATE unmatched SET waits = w.waits FROM {rows: trail bigint, waits smallint} AS w
 WHERE unmatched.trail = w.trail AND unmatched.waits <> w.waits

-- name: unmatched_addresses
SELECT operator, source_addr, destination_addr FROM unmatched WHERE trail = :trail

-- name: identify_segments
-- One that has an id already (`answer_twice`) keeps it, and is found by its number as before.
UPDATE segment SET smsc_id = coalesce(nullif(smsc_id, ''), told.smsc_id), match_key = coalesce(match_key, told.match_key),
                   answered_at = CASE WHEN match_key IS NULL THEN told.answered_at ELSE answered_at END,
                   phase = {SegmentPhase.ANSWERED}, retry_at = NULL, query_at = coalesce(query_at, submitted_at + told.query_after),
                   number_tail = CASE WHEN match_key IS NULL THEN NULL ELSE number_tail END
  FROM {rows: message_id bigint, seq int, part int, smsc_id text, match_key text, answered_at bigint, query_after bigint} AS told
 WHERE segment.message_id = told.message_id AND segment.seq = told.seq AND segment.part = told.part

-- name: delete_unmatched
DELETE FROM unmatched WHERE trail {in: trails}

-- name: delete_unmatched_keys
DELETE FROM unmatched_key WHERE (operator, match_key, trail) IN ({values: operator int, match_key text, trail bigint})
