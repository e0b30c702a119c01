-- What the outbox of callbacks is asked for. A line is the callbacks of one kind for one recipient, in order of id.

-- name: new_callbacks
SELECT c.id, m.account, m.sandbox, CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END,
       EXISTS (SELECT 1 FROM callback p
                WHERE p.message_id = c.message_id AND p.seq = c.seq AND p.kind = c.kind AND p.id < c.id
                  AND p.done_at IS NULL)
  FROM callback c LEFT JOIN message m ON m.id = c.message_id
 WHERE c.phase = {CallbackPhase.NEW} AND c.id > :after
 ORDER BY c.id
 LIMIT :limit

-- name: free_all_leases
UPDATE callback SET phase = {CallbackPhase.DUE}, next_at = :next_at WHERE phase = {CallbackPhase.LEASED} AND next_at <= :next_at

-- name: promote_callbacks
-- The next of each line whose earlier ones are finished. `phase + 0`: found by their recipient, as those that are open may
-- be all there are.
UPDATE callback SET phase = {CallbackPhase.DUE}, next_at = :next_at
 WHERE id IN (
    SELECT (SELECT min(n.id) FROM callback n
             WHERE n.message_id = f.message_id AND n.seq = f.seq AND n.kind = f.kind AND n.phase + 0 = {CallbackPhase.BEHIND})
      FROM unnest(:callbacks::bigint[]) AS j (value) JOIN callback f ON f.id = j.value
     WHERE NOT EXISTS (SELECT 1 FROM callback h
                        WHERE h.message_id = f.message_id AND h.seq = f.seq AND h.kind = f.kind
                          AND h.phase + 0 IN ({CallbackPhase.DUE}, {CallbackPhase.LEASED})))

-- name: hold_heads
-- Found first, then changed by their ids: else all that are due would be gone through, each time for all that is found.
UPDATE callback SET phase = {CallbackPhase.BEHIND}, next_at = NULL
 WHERE phase + 0 = {CallbackPhase.DUE} AND id = ANY (ARRAY(
    SELECT h.id FROM unnest(:callbacks::bigint[]) AS j (value) JOIN callback c ON c.id = j.value
    JOIN callback h ON h.message_id = c.message_id AND h.seq = c.seq AND h.kind = c.kind AND h.phase + 0 = {CallbackPhase.DUE}))
