-- name: cancellable
SELECT m.due_at, m.cancelled_at, m.sandbox,
       m.due_at > m.created_at AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.message_id = m.id)
  FROM message m WHERE m.id = ?1 AND m.account = ?2

-- name: set_cancelled
UPDATE message SET cancelled_at = ?2, check_at = NULL WHERE id = ?1

-- name: to_take_back
SELECT a.name, m.due_at, m.cancelled_at, m.sandbox, m.recipients,
       EXISTS (SELECT 1 FROM outgoing o WHERE o.account = m.account AND o.message_id = m.id)
       OR EXISTS (SELECT 1 FROM segment s WHERE s.message_id = m.id AND s.phase = 2)
  FROM message m JOIN account a ON a.id = m.account WHERE m.id = ?1

-- name: set_taken_back
-- Recipients of which something has left are still looked at in time.
UPDATE message SET cancelled_at = ?2 WHERE id = ?1

-- name: accounts_below
WITH RECURSIVE below (id) AS (SELECT ?1
                              UNION SELECT a.id FROM below JOIN account a ON a.parent = below.id)
SELECT id FROM below

-- name: queued_messages
SELECT DISTINCT o.message_id, m.recipients FROM outgoing o JOIN message m ON m.id = o.message_id
 WHERE o.account IN (SELECT value FROM json_each(?1)) ORDER BY o.message_id LIMIT ?2

-- name: postponed_messages
SELECT DISTINCT s.message_id, m.recipients
  FROM link l CROSS JOIN segment s ON s.link = l.id AND s.phase = 2 JOIN message m ON m.id = s.message_id
 WHERE m.account IN (SELECT value FROM json_each(?1)) ORDER BY s.message_id LIMIT ?2

-- name: make_all_ko
UPDATE recipient SET state = -1, changed_at = ?2 WHERE message_id = ?1

-- name: answered_once
SELECT request, message_id, answer FROM idempotency WHERE account = ? AND key = ?

-- name: insert_idempotency
INSERT INTO idempotency (account, key, at, request, message_id, answer) VALUES {rows}

-- name: forget_idempotency
DELETE FROM idempotency
 WHERE (account, key) IN (SELECT account, key FROM idempotency WHERE at < ? ORDER BY at LIMIT 100)
