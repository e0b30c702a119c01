-- What `esito check` asks: every answer is something that does not add up, or what its sums are made of.

-- name: books_credit
SELECT a.name, a.granted, a.credit,
       CAST(coalesce((SELECT sum(r.cost) FROM message m JOIN recipient r ON r.message_id = m.id WHERE m.account = a.id), 0)
       + a.retired AS bigint)
  FROM account a ORDER BY a.name

-- name: books_empty_messages
SELECT id FROM message m WHERE NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = m.id)

-- name: books_gaps
SELECT message_id, count(*), max(seq) + 1 FROM recipient GROUP BY message_id HAVING count(*) <> max(seq) + 1

-- name: books_strays
SELECT r.message_id, r.seq FROM recipient r
 WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = r.message_id AND m.account = r.account)

-- name: books_unsent
SELECT r.message_id, r.seq FROM recipient r JOIN message m ON m.id = r.message_id
 WHERE r.state = 0 AND m.sandbox = 0
   AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq)
   AND NOT EXISTS (SELECT 1 FROM outgoing o WHERE o.account = r.account AND o.message_id = r.message_id AND o.link = r.link
                                              AND r.seq BETWEEN o.next_seq AND o.last_seq)

-- name: books_higher
SELECT * FROM (
SELECT s.message_id, s.seq, s.part, s.state,
       coalesce((SELECT max(t.state) FROM trail t
                  WHERE t.message_id = s.message_id AND t.seq = s.seq AND t.verdict IN ('moved', 'inferred', 'queried')
                    AND (t.part = s.part
                         -- One id may stand for all segments: receipts found by it move every one that carries it.
                         OR t.flags NOT LIKE '%matched_by_address%' AND EXISTS (
                             SELECT 1 FROM segment o WHERE o.message_id = t.message_id AND o.seq = t.seq
                                AND o.part = t.part AND o.smsc_id = s.smsc_id))), 0) AS told
  FROM segment s) AS stands WHERE state <> told

-- name: books_unlike
SELECT r.message_id, r.seq, r.state, s.state
  FROM recipient r JOIN segment s ON s.message_id = r.message_id AND s.seq = r.seq
 WHERE r.segments = 1 AND r.state <> s.state
   AND NOT (r.state = -1 AND s.state = 0) -- one that never left has no state of its own

-- name: books_callbacks
SELECT r.message_id, r.seq, r.state FROM message m JOIN recipient r ON r.message_id = m.id
 WHERE m.url_dlr IS NOT NULL AND (r.state >= 3 OR r.state = -1)
   AND r.msisdn <> 0 -- whose number was removed is told of no more
   AND NOT EXISTS (SELECT 1 FROM callback c WHERE c.message_id = r.message_id AND c.seq = r.seq
                     AND c.kind = 1 AND (c.state = 8) = (r.state = 8) AND (c.state = -1) = (r.state = -1))

-- name: books_done_unheard
SELECT c.id FROM callback c
 WHERE c.phase = {CallbackPhase.DONE} AND NOT EXISTS (SELECT 1 FROM callback_attempt t
                                    WHERE t.callback_id = c.id AND t.status BETWEEN 200 AND 299)

-- name: books_dead_untold
SELECT c.id FROM callback c WHERE c.phase = {CallbackPhase.DEAD} AND coalesce(c.reason, '') = ''

-- name: books_lines_stuck
SELECT c.id FROM callback c
 WHERE c.phase = {CallbackPhase.BEHIND} AND NOT EXISTS (SELECT 1 FROM callback h
                                    WHERE h.message_id = c.message_id AND h.seq = c.seq AND h.kind = c.kind
                                      AND (h.phase = {CallbackPhase.DUE} OR h.phase = {CallbackPhase.LEASED}))

-- name: books_trail
SELECT t.id, t.received_at, t.verdict, t.smsc_id, t.state, t.error, {or null: t.message_id}, t.seq, t.part, t.raw, t.checksum,
       CASE WHEN NOT ({is loose: t.message_id})
            THEN EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = t.message_id AND r.seq = t.seq)
            ELSE EXISTS (SELECT 1 FROM unmatched u WHERE u.trail = t.id)
                 OR EXISTS (SELECT 1 FROM trail later WHERE later.origin = t.id) OR t.verdict = 'not_a_receipt' END
  FROM trail t
