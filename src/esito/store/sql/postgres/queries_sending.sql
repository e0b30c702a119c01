-- name: cancellable
SELECT m.due_at, m.cancelled_at, m.sandbox,
       m.due_at > m.created_at AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.message_id = m.id)
  FROM message m WHERE m.id = $1 AND m.account = $2

-- name: set_cancelled
UPDATE message SET cancelled_at = $2, check_at = NULL WHERE id = $1

-- name: make_all_ko
UPDATE recipient SET state = -1, changed_at = $2 WHERE message_id = $1

-- name: answered_once
SELECT request, message_id, answer FROM idempotency WHERE account = $1 AND key = $2

-- name: insert_idempotency
INSERT INTO idempotency (account, key, at, request, message_id, answer) SELECT * FROM {rows: bigint, text, bigint, bytea, bigint, text} AS given

-- name: forget_idempotency
DELETE FROM idempotency
 WHERE (account, key) IN (SELECT account, key FROM idempotency WHERE at < $1 ORDER BY at LIMIT 100)
