-- What becomes of messages, receipts and replies with age; erasing a number; finding messages.

-- name: old_messages
SELECT due_at, id FROM message
 WHERE stage = ?1 AND due_at <= ?2 AND (due_at, id) > (?3, ?4) ORDER BY due_at, id LIMIT ?5

-- name: old_sandbox_messages
SELECT due_at, id FROM message
 WHERE sandbox = 1 AND due_at <= ?2 AND (due_at, id) > (?3, ?4) AND ?1 = ?1 ORDER BY due_at, id LIMIT ?5

-- name: is_unfinished
SELECT EXISTS (SELECT 1 FROM message m WHERE m.id = ?1 AND m.check_at IS NOT NULL AND m.sandbox = 0)
    OR EXISTS (SELECT 1 FROM message m JOIN recipient r ON r.message_id = m.id
                WHERE m.id = ?1 AND m.sandbox = 0 AND r.state BETWEEN 0 AND 2)
    OR EXISTS (SELECT 1 FROM callback c WHERE c.message_id = ?1 AND c.done_at IS NULL)

-- name: remove_texts
DELETE FROM message_text WHERE message_id = ?

-- name: remove_told_replies
-- The body of a callback for a reply is the reply.
DELETE FROM callback WHERE message_id = ? AND kind = 2 AND done_at IS NOT NULL

-- name: set_stage
UPDATE message SET stage = ?2 WHERE id = ?1 AND stage < ?2

-- name: numbered
SELECT seq, msisdn FROM recipient WHERE message_id = ?1 AND msisdn <> 0 ORDER BY seq DESC LIMIT ?2

-- name: remove_number
UPDATE recipient SET msisdn = 0 WHERE message_id = ?1 AND seq = ?2

-- name: remove_sent_to
DELETE FROM sent_to
 WHERE run = (SELECT id FROM sent_run WHERE last_message_id >= ?1 ORDER BY id LIMIT 1)
   AND msisdn = ?3 AND message_id = ?1 AND seq = ?2

-- name: remove_callbacks
DELETE FROM callback WHERE message_id = ?1 AND seq = ?2

-- name: last_recipients
SELECT seq, msisdn, cost FROM recipient WHERE message_id = ?1 ORDER BY seq DESC LIMIT ?2

-- name: retire
UPDATE account SET retired = retired + ?2 WHERE id = (SELECT account FROM message WHERE id = ?1)

-- name: remove_recipient
DELETE FROM recipient WHERE message_id = ?1 AND seq = ?2

-- name: remove_segments
DELETE FROM segment WHERE message_id = ?1 AND seq = ?2

-- name: origins_of
SELECT DISTINCT origin FROM trail WHERE message_id = ?1 AND seq = ?2 AND origin IS NOT NULL

-- name: remove_trail
DELETE FROM trail WHERE message_id = ?1 AND seq = ?2

-- name: remove_origin
DELETE FROM trail WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM trail t WHERE t.origin = ?1)

-- name: remove_message
DELETE FROM message WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = ?1)

-- name: trail_beyond
SELECT id, received_at, verdict, smsc_id, state, error, message_id, seq, part, raw, checksum, flags
  FROM trail WHERE id > ?1 ORDER BY id LIMIT ?2

-- name: trail_rows
SELECT id, received_at, verdict, smsc_id, state, error, message_id, seq, part, raw, checksum, flags
  FROM trail WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id

-- name: erase_raw
UPDATE trail SET raw = x'', checksum = erased.column2, flags = trim(flags || ' erased')
  FROM (VALUES {rows}) AS erased WHERE trail.id = erased.column1

-- name: replies_beyond
SELECT id, received_at, phase FROM reply WHERE id > ?1 ORDER BY id LIMIT ?2

-- name: responses_beyond
SELECT p.id, p.received_at, coalesce(s.done, 1)
  FROM response p LEFT JOIN stop_answer s ON s.response = p.id WHERE p.id > ?1 ORDER BY p.id LIMIT ?2

-- name: blank_reply
UPDATE reply SET raw = x'', text = x'' WHERE id = ?

-- name: blank_response
UPDATE response SET text = '' WHERE id = ?

-- name: blank_stop_answer
UPDATE stop_answer SET text = '' WHERE response = ?

-- name: unname_reply
UPDATE reply SET source = '', destination = '', raw = x'', text = x'' WHERE id = ?

-- name: unname_response
UPDATE response SET source = '', destination = '', text = '' WHERE id = ?

-- name: unname_stop_answer
UPDATE stop_answer SET msisdn = 0, text = '' WHERE response = ?

-- name: remove_reply
DELETE FROM reply WHERE id = ?

-- name: remove_response
DELETE FROM response WHERE id = ?

-- name: remove_stop_answer
DELETE FROM stop_answer WHERE response = ?

-- name: loose_beyond
-- Trail rows that no message will take along.
SELECT t.id, t.received_at, t.message_id IS NULL AND NOT EXISTS (SELECT 1 FROM trail l WHERE l.origin = t.id)
  FROM trail t WHERE t.id > ?1 ORDER BY t.id LIMIT ?2

-- name: remove_tails
UPDATE segment SET number_tail = NULL WHERE message_id = ?1 AND seq = ?2 AND number_tail IS NOT NULL

-- name: unname_unmatched
UPDATE unmatched SET source_addr = '', destination_addr = '' WHERE trail = ?

-- name: remove_unmatched_shelves
DELETE FROM unmatched_shelf WHERE (operator, shelf, trail) IN (
    SELECT s.operator, s.shelf, s.trail FROM unmatched u CROSS JOIN unmatched_shelf s ON s.operator = u.operator
     WHERE u.trail = ?1 AND s.trail = ?1)

-- name: remove_unmatched
DELETE FROM unmatched WHERE trail = ?

-- name: remove_loose
DELETE FROM trail WHERE id = ? AND message_id IS NULL

-- name: messages_beyond
SELECT max(id) FROM (SELECT id FROM message WHERE id > ?1 ORDER BY id LIMIT ?2)

-- name: places_of_number
SELECT r.message_id, r.seq
  FROM message m CROSS JOIN recipient r ON r.message_id = m.id
 WHERE m.id > ?1 AND m.id <= ?2 AND r.msisdn = ?3 AND (?4 IS NULL OR m.account = ?4)

-- name: unfinished_until
-- 0 and 0 when all is done. A text may still be submitted after its recipient is decided: other segments of it.
-- 172,800,000 ms are the 48 hours of validity; 259,200,000 the three days for which a callback is repeated.
SELECT CASE WHEN m.sandbox = 0 AND m.check_at IS NOT NULL
             AND (r.state BETWEEN 0 AND 2
                  OR (r.state > 0 AND r.segments > (SELECT count(*) FROM segment s
                                                     WHERE s.message_id = r.message_id AND s.seq = r.seq
                                                       AND (s.state >= 3 OR s.phase IN (3, 4)))))
            THEN max(m.due_at + 172800000, m.check_at) ELSE 0 END,
       coalesce((SELECT max(coalesce(c.first_at, c.at)) + 259200000 FROM callback c
                  WHERE c.message_id = m.id AND c.seq = r.seq AND c.done_at IS NULL), 0)
  FROM message m CROSS JOIN recipient r ON r.message_id = m.id
 WHERE m.id = ?1 AND r.seq = ?2

-- name: text_of_recipient
SELECT text FROM recipient WHERE message_id = ?1 AND seq = ?2

-- name: remove_own_text
-- Only where nobody else, whose number is still there, got it.
DELETE FROM message_text
 WHERE message_id = ?1 AND number = ?2
   AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = ?1 AND r.text = ?2 AND r.msisdn <> 0)

-- name: trail_of_recipient
SELECT json_group_array(json_array(id)) FROM (
    SELECT id FROM trail WHERE message_id = ?1 AND seq = ?2
    UNION SELECT origin FROM trail WHERE message_id = ?1 AND seq = ?2 AND origin IS NOT NULL)

-- name: responses_of_number
SELECT id FROM response WHERE source IN (?1, '+' || ?1) AND (?2 IS NULL OR account = ?2)

-- name: pieces_of_response
SELECT id FROM reply WHERE response = ?

-- name: repeats_of_number
-- Pieces beside those of a whole reply: parts that wait, and what came twice.
SELECT id FROM reply WHERE source IN (?1, '+' || ?1) AND (response IS NULL OR phase = 3)

-- name: loose_of_number
SELECT id FROM trail WHERE message_id IS NULL AND instr(raw, CAST(?1 AS BLOB)) > 0
UNION SELECT trail FROM unmatched WHERE ltrim(source_addr, '+') = ?1 OR ltrim(destination_addr, '+') = ?1

-- name: waiting_for_number
SELECT coalesce((SELECT max(received_at) FROM reply
                  WHERE source IN (?1, '+' || ?1) AND phase = 2 AND ?2 IS NULL), 0),
       EXISTS (SELECT 1 FROM stop_answer s WHERE s.done = 0 AND s.msisdn = CAST(?1 AS INTEGER)
                  AND (?2 IS NULL OR s.account = ?2))

-- name: forget_stops
DELETE FROM stop WHERE msisdn = CAST(?1 AS INTEGER) AND (?2 IS NULL OR account = ?2)

-- name: found_by_time
SELECT m.id, m.created_at, m.due_at, m.sender, m.sandbox, m.tag, m.reference FROM message m INDEXED BY message_by_time
 WHERE m.account = ?1 AND m.created_at >= ?2 AND m.created_at < ?3 AND (m.created_at, m.id) < (?4, ?5)
   AND ?6 IS NULL AND ?7 IS NULL
 ORDER BY m.created_at DESC, m.id DESC LIMIT ?8

-- name: found_by_reference
SELECT m.id, m.created_at, m.due_at, m.sender, m.sandbox, m.tag, m.reference
  FROM message m INDEXED BY message_by_reference
 WHERE m.account = ?1 AND m.created_at >= ?2 AND m.created_at < ?3 AND (m.created_at, m.id) < (?4, ?5)
   AND (?6 IS NULL OR m.tag = ?6) AND m.reference = ?7
 ORDER BY m.created_at DESC, m.id DESC LIMIT ?8

-- name: found_by_tag
SELECT m.id, m.created_at, m.due_at, m.sender, m.sandbox, m.tag, m.reference FROM message m INDEXED BY message_by_tag
 WHERE m.account = ?1 AND m.created_at >= ?2 AND m.created_at < ?3 AND (m.created_at, m.id) < (?4, ?5)
   AND m.tag = ?6 AND ?7 IS NULL
 ORDER BY m.created_at DESC, m.id DESC LIMIT ?8

-- name: exported
SELECT m.id, m.created_at, m.due_at, m.sender, m.sandbox, m.tag, m.reference, r.seq, r.msisdn, r.state, r.changed_at,
       r.segments, r.cost
  FROM message m INDEXED BY message_by_time CROSS JOIN recipient r ON r.message_id = m.id
 WHERE m.account = ?1 AND m.created_at < ?2 AND (m.created_at, m.id) >= (?3, ?4)
   AND (m.created_at > ?3 OR m.id > ?4 OR r.seq > ?5)
 ORDER BY m.created_at, m.id, r.seq LIMIT ?6
