-- What the outbox of callbacks is asked for. A line is the callbacks of one kind for one recipient, in order of id.

-- name: new_callbacks
SELECT c.id, m.account, m.sandbox, CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END,
       EXISTS (SELECT 1 FROM callback p
                WHERE p.message_id = c.message_id AND p.seq = c.seq AND p.kind = c.kind AND p.id < c.id
                  AND p.done_at IS NULL)
  FROM callback c LEFT JOIN message m ON m.id = c.message_id
 WHERE c.id > :after
 ORDER BY c.id
 LIMIT :limit

-- name: free_all_leases
UPDATE callback INDEXED BY callback_open SET phase = {CallbackPhase.DUE}, next_at = :next_at WHERE phase = {CallbackPhase.LEASED}

-- name: promote_callbacks
-- The next of each line whose earlier ones are finished.
UPDATE callback SET phase = {CallbackPhase.DUE}, next_at = :next_at
 WHERE id IN (
    SELECT (SELECT min(n.id) FROM callback n
             WHERE n.message_id = f.message_id AND n.seq = f.seq AND n.kind = f.kind AND n.phase = {CallbackPhase.BEHIND})
      FROM {each: callbacks} AS j CROSS JOIN callback f ON f.id = j.value
     WHERE NOT EXISTS (SELECT 1 FROM callback h
                        WHERE h.message_id = f.message_id AND h.seq = f.seq AND h.kind = f.kind
                          AND (h.phase = {CallbackPhase.DUE} OR h.phase = {CallbackPhase.LEASED})))

-- name: hold_heads
UPDATE callback SET phase = {CallbackPhase.BEHIND}, next_at = NULL
 WHERE phase = {CallbackPhase.DUE} AND id IN (
    SELECT h.id FROM {each: callbacks} AS j CROSS JOIN callback c ON c.id = j.value
    CROSS JOIN callback h ON h.message_id = c.message_id AND h.seq = c.seq AND h.kind = c.kind AND h.phase = {CallbackPhase.DUE})
