-- What becomes of messages, receipts and replies with age; erasing a number.

-- name: old_sandbox_messages
SELECT due_at, id FROM message
 WHERE sandbox = 1 AND due_at <= :until AND (due_at, id) > (:after_at, :after_id) AND CAST(:stage AS int) = CAST(:stage AS int) ORDER BY due_at, id LIMIT :limit

-- name: is_unfinished
SELECT EXISTS (SELECT 1 FROM message m WHERE m.id = :message_id AND m.check_at IS NOT NULL AND m.sandbox = 0)
    OR EXISTS (SELECT 1 FROM message m JOIN recipient r ON r.message_id = m.id
                WHERE m.id = :message_id AND m.sandbox = 0 AND r.state BETWEEN 0 AND 2)
    OR EXISTS (SELECT 1 FROM callback c WHERE c.message_id = :message_id AND c.done_at IS NULL)

-- name: remove_texts
DELETE FROM message_text WHERE message_id = :message_id

-- name: remove_told_replies
-- The body of a callback for a reply is the reply.
DELETE FROM callback WHERE message_id = :message_id AND kind = 2 AND done_at IS NOT NULL

-- name: set_stage
UPDATE message SET stage = :stage WHERE id = :message_id AND stage < :stage

-- name: numbered
SELECT seq, msisdn FROM recipient WHERE message_id = :message_id AND msisdn <> 0 ORDER BY seq DESC LIMIT :limit

-- name: remove_number
UPDATE recipient SET msisdn = 0 WHERE message_id = :message_id AND seq = :seq

-- name: remove_callbacks
DELETE FROM callback WHERE message_id = :message_id AND seq = :seq

-- name: last_recipients
SELECT seq, msisdn, cost FROM recipient WHERE message_id = :message_id ORDER BY seq DESC LIMIT :limit

-- name: retire
UPDATE account SET retired = retired + :cost WHERE id = (SELECT account FROM message WHERE id = :message_id)

-- name: remove_recipient
DELETE FROM recipient WHERE message_id = :message_id AND seq = :seq

-- name: remove_segments
DELETE FROM segment WHERE message_id = :message_id AND seq = :seq

-- name: origins_of
SELECT DISTINCT origin FROM trail WHERE message_id = :message_id AND seq = :seq AND origin IS NOT NULL

-- name: remove_trail
DELETE FROM trail WHERE message_id = :message_id AND seq = :seq

-- name: remove_origin
DELETE FROM trail WHERE id = :trail AND {is loose: message_id} AND NOT EXISTS (SELECT 1 FROM trail t WHERE t.origin = :trail)

-- name: remove_message
DELETE FROM message WHERE id = :message_id AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = :message_id)

-- name: trail_beyond
SELECT id, received_at, verdict, smsc_id, state, error, {or null: message_id}, seq, part, raw, checksum, flags
  FROM trail WHERE id > :after ORDER BY id LIMIT :limit

-- name: trail_rows
SELECT id, received_at, verdict, smsc_id, state, error, {or null: message_id}, seq, part, raw, checksum, flags
  FROM trail WHERE id {in: rows} ORDER BY id

-- name: erase_raw
UPDATE trail SET raw = {sqlite: x''}{postgres: ''::bytea}, checksum = erased.checksum, flags = trim(flags || ' erased')
  FROM {rows: trail bigint, checksum bigint} AS erased WHERE trail.id = erased.trail

-- name: replies_beyond
SELECT id, received_at, phase FROM reply WHERE id > :after ORDER BY id LIMIT :limit

-- name: responses_beyond
SELECT p.id, p.received_at, coalesce(s.done, 1)
  FROM response p LEFT JOIN stop_answer s ON s.response = p.id WHERE p.id > :after ORDER BY p.id LIMIT :limit

-- name: blank_reply
UPDATE reply SET raw = {sqlite: x''}{postgres: ''::bytea}, text = {sqlite: x''}{postgres: ''::bytea} WHERE id = :reply

-- name: blank_response
UPDATE response SET text = '' WHERE id = :response

-- name: blank_stop_answer
UPDATE stop_answer SET text = '' WHERE response = :response

-- name: unname_reply
UPDATE reply SET source = '', destination = '', raw = {sqlite: x''}{postgres: ''::bytea}, text = {sqlite: x''}{postgres: ''::bytea} WHERE id = :reply

-- name: unname_response
UPDATE response SET source = '', destination = '', text = '' WHERE id = :response

-- name: unname_stop_answer
UPDATE stop_answer SET msisdn = 0, text = '' WHERE response = :response

-- name: remove_reply
DELETE FROM reply WHERE id = :reply

-- name: remove_response
DELETE FROM response WHERE id = :response

-- name: remove_stop_answer
DELETE FROM stop_answer WHERE response = :response

-- name: loose_beyond
-- Trail rows that no message will take along.
SELECT t.id, t.received_at, {is loose: t.message_id} AND NOT EXISTS (SELECT 1 FROM trail l WHERE l.origin = t.id)
  FROM trail t WHERE t.id > :after ORDER BY t.id LIMIT :limit

-- name: remove_tails
UPDATE segment SET number_tail = NULL WHERE message_id = :message_id AND seq = :seq AND number_tail IS NOT NULL

-- name: unname_unmatched
UPDATE unmatched SET source_addr = '', destination_addr = '' WHERE trail = :trail

-- name: remove_unmatched_keys
DELETE FROM unmatched_key WHERE (operator, match_key, trail) IN (
    SELECT s.operator, s.match_key, s.trail FROM unmatched u CROSS JOIN unmatched_key s ON s.operator = u.operator
     WHERE u.trail = :trail AND s.trail = :trail)

-- name: remove_unmatched
DELETE FROM unmatched WHERE trail = :trail

-- name: remove_loose
DELETE FROM trail WHERE id = :trail AND {is loose: message_id}

-- name: messages_beyond
SELECT max(id) FROM (SELECT id FROM message WHERE id > :after ORDER BY id LIMIT :limit) AS next

-- name: places_of_number
SELECT r.message_id, r.seq
  FROM message m CROSS JOIN recipient r ON r.message_id = m.id
 WHERE m.id > :after AND m.id <= :last AND r.msisdn = :msisdn AND (CAST(:account AS bigint) IS NULL OR m.account = :account)

-- name: unfinished_until
-- 0 and 0 when all is done. A text may still be submitted after its recipient is decided: other segments of it.
-- 172,800,000 ms are the 48 hours of validity; 259,200,000 the three days for which a callback is repeated.
SELECT CASE WHEN m.sandbox = 0 AND m.check_at IS NOT NULL
             AND (r.state BETWEEN 0 AND 2
                  OR (r.state > 0 AND r.segments > (SELECT count(*) FROM segment s
                                                     WHERE s.message_id = r.message_id AND s.seq = r.seq
                                                       AND (s.state >= 3 OR s.phase IN ({SegmentPhase.ANSWERED}, {SegmentPhase.REFUSED})))))
            THEN {sqlite: max}{postgres: greatest}(m.due_at + 172800000, m.check_at) ELSE 0 END,
       coalesce((SELECT max(coalesce(c.first_at, c.at)) + 259200000 FROM callback c
                  WHERE c.message_id = m.id AND c.seq = r.seq AND c.done_at IS NULL), 0)
  FROM message m CROSS JOIN recipient r ON r.message_id = m.id
 WHERE m.id = :message_id AND r.seq = :seq

-- name: text_of_recipient
SELECT text FROM recipient WHERE message_id = :message_id AND seq = :seq

-- name: remove_own_text
-- Only where nobody else, whose number is still there, got it.
DELETE FROM message_text
 WHERE message_id = :message_id AND number = :number
   AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = :message_id AND r.text = :number AND r.msisdn <> 0)

-- name: trail_of_recipient
SELECT {many: id} FROM (
    SELECT id FROM trail WHERE message_id = :message_id AND seq = :seq
    UNION SELECT origin FROM trail WHERE message_id = :message_id AND seq = :seq AND origin IS NOT NULL) AS rows

-- name: responses_of_number
SELECT id FROM response WHERE source IN (CAST(:digits AS text), '+' || CAST(:digits AS text)) AND (CAST(:account AS bigint) IS NULL OR account = :account)

-- name: pieces_of_response
SELECT id FROM reply WHERE response = :response

-- name: repeats_of_number
-- Pieces beside those of a whole reply: parts that wait, and what came twice.
SELECT id FROM reply WHERE source IN (CAST(:digits AS text), '+' || CAST(:digits AS text)) AND (response IS NULL OR phase = {ReplyPhase.REPEATED})

-- name: waiting_for_number
SELECT coalesce((SELECT max(received_at) FROM reply
                  WHERE source IN (CAST(:digits AS text), '+' || CAST(:digits AS text)) AND phase = {ReplyPhase.WAITS} AND CAST(:account AS bigint) IS NULL), 0),
       EXISTS (SELECT 1 FROM stop_answer s WHERE s.done = 0 AND s.msisdn = CAST(CAST(:digits AS text) AS bigint)
                  AND (CAST(:account AS bigint) IS NULL OR s.account = :account))

-- name: forget_stops
DELETE FROM stop WHERE msisdn = CAST(CAST(:digits AS text) AS bigint) AND (CAST(:account AS bigint) IS NULL OR account = :account)
