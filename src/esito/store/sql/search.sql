-- Finding messages of an account, and exporting all of them.

-- name: found_by_time
SELECT m.id, m.created_at, m.due_at, m.sender, m.sandbox, m.tag, m.reference FROM message m INDEXED BY message_by_time
 WHERE m.account = :account AND m.created_at >= :since AND m.created_at < :until AND (m.created_at, m.id) < (:before_at, :before_id)
   AND CAST(:tag AS text) IS NULL AND CAST(:reference AS text) IS NULL
 ORDER BY m.created_at DESC, m.id DESC LIMIT :limit

-- name: found_by_reference
SELECT m.id, m.created_at, m.due_at, m.sender, m.sandbox, m.tag, m.reference
  FROM message m INDEXED BY message_by_reference
 WHERE m.account = :account AND m.created_at >= :since AND m.created_at < :until AND (m.created_at, m.id) < (:before_at, :before_id)
   AND (CAST(:tag AS text) IS NULL OR m.tag = :tag) AND m.reference = :reference
 ORDER BY m.created_at DESC, m.id DESC LIMIT :limit

-- name: found_by_tag
SELECT m.id, m.created_at, m.due_at, m.sender, m.sandbox, m.tag, m.reference FROM message m INDEXED BY message_by_tag
 WHERE m.account = :account AND m.created_at >= :since AND m.created_at < :until AND (m.created_at, m.id) < (:before_at, :before_id)
   AND m.tag = :tag AND CAST(:reference AS text) IS NULL
 ORDER BY m.created_at DESC, m.id DESC LIMIT :limit

-- name: exported
SELECT m.id, m.created_at, m.due_at, m.sender, m.sandbox, m.tag, m.reference, r.seq, r.msisdn, r.state, r.changed_at,
       r.segments, r.cost
  FROM message m INDEXED BY message_by_time CROSS JOIN recipient r ON r.message_id = m.id
 WHERE m.account = :account AND m.created_at < :until AND (m.created_at, m.id) >= (:from_at, :from_id)
   AND (m.created_at > :from_at OR m.id > :from_id OR r.seq > :from_seq)
 ORDER BY m.created_at, m.id, r.seq LIMIT :limit
