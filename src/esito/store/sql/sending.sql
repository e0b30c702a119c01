

-- name: cancellable
SELECT m.due_at, m.cancelled_at, m.sandbox,
       m.due_at > m.created_at AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.message_id = m.id)
  FROM message m WHERE m.id = :message_id AND m.account = :account

-- name: set_cancelled
UPDATE message SET cancelled_at = :cancelled_at, check_at = NULL WHERE id = :message_id

-- name: to_take_back
SELECT a.name, m.due_at, m.cancelled_at, m.sandbox, m.recipients,
       EXISTS (SELECT 1 FROM outgoing o WHERE o.account = m.account AND o.message_id = m.id)
       OR EXISTS (SELECT 1 FROM segment s WHERE s.message_id = m.id AND s.phase = {SegmentPhase.LATER})
  FROM message m JOIN account a ON a.id = m.account WHERE m.id = :message_id

-- name: set_taken_back
-- Recipients of which something has left are still looked at in time.
UPDATE message SET cancelled_at = :cancelled_at WHERE id = :message_id

-- name: accounts_below
WITH RECURSIVE below (id) AS (SELECT CAST(:account AS bigint)
                              UNION SELECT a.id FROM below JOIN account a ON a.parent = below.id)
SELECT id FROM below

-- name: queued_messages
SELECT DISTINCT o.message_id, m.recipients FROM outgoing o JOIN message m ON m.id = o.message_id
 WHERE o.account {in: accounts} ORDER BY o.message_id LIMIT :limit

-- name: postponed_messages
SELECT DISTINCT s.message_id, m.recipients
  FROM link l CROSS JOIN segment s ON s.link = l.id AND s.phase = {SegmentPhase.LATER} JOIN message m ON m.id = s.message_id
 WHERE m.account {in: accounts} ORDER BY s.message_id LIMIT :limit

-- name: make_all_ko
UPDATE recipient SET state = -1, changed_at = :changed_at WHERE message_id = :message_id

-- name: answered_once
SELECT request, message_id, answer FROM idempotency WHERE account = :account AND key = :key

-- name: insert_idempotency
INSERT INTO idempotency (account, key, at, request, message_id, answer) {values: account bigint, key text, at bigint, request bytea, message_id bigint, answer text}

-- name: forget_idempotency
DELETE FROM idempotency
 WHERE (account, key) IN (SELECT account, key FROM idempotency WHERE at < :before ORDER BY at LIMIT 100)
