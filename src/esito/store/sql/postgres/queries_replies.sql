-- The STOP list, replies, and whom a number heard from.

-- name: stops_of
SELECT id, '+' || msisdn, created_at FROM stop WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: stop_count
SELECT count(*) FROM stop WHERE account = $1

-- name: add_stop
INSERT INTO stop (account, msisdn, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: stop_id
SELECT id FROM stop WHERE account = $1 AND msisdn = $2

-- name: delete_stop
DELETE FROM stop WHERE account = $1 AND id = $2

-- name: repeated_reply
-- By whichever link of the operator. The octets after the header, whose sequence number differs each time.
SELECT EXISTS (SELECT 1 FROM reply
                WHERE source = $1 AND received_at >= $2 AND destination = $4
                  AND link IN (SELECT id FROM link WHERE operator = $3)
                  AND substr(raw, 17) = substr($5::bytea, 17))

-- name: insert_reply
INSERT INTO reply (received_at, link, source, destination, raw, text, phase, reference, total, part)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING id

-- name: waiting_parts
SELECT id, part, text, received_at FROM reply
 WHERE source = $1 AND received_at >= $2 AND destination = $4 AND reference = $5 AND total = $6 AND phase = 2
   AND link IN (SELECT id FROM link WHERE operator = $3)
 ORDER BY id

-- name: waiting_since
SELECT l.name, l.operator, w.source, w.destination, w.reference, w.total
  FROM reply w JOIN link l ON l.id = w.link
 WHERE w.phase = 2 AND w.received_at <= $1
 ORDER BY w.received_at
 LIMIT $2

-- name: finish_reply
UPDATE reply SET phase = 1, response = $2 WHERE id = $1

-- name: insert_response
INSERT INTO response (received_at, link, source, destination, kind, account, message_id, seq, missing, text)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING id

-- name: insert_reply_callback
INSERT INTO callback (message_id, seq, state, at, kind, body) VALUES ($1, $2, 0, $3, 2, $4)

-- name: owner_of_number
SELECT a.id FROM account a, jsonb_array_elements_text(coalesce(a.profile::jsonb -> 'numbers', '[]'::jsonb)) AS n (value)
 WHERE ltrim(n.value, '+') = $1 LIMIT 1

-- name: account_words
SELECT name, coalesce(profile::jsonb ->> 'stop_answer', '') FROM account WHERE id = $1

-- name: insert_stop_answer
INSERT INTO stop_answer (response, account, msisdn, sender, text) VALUES ($1, $2, $3, $4, $5)

-- name: stop_answers_due
SELECT s.response, '+' || s.msisdn, s.sender, s.text, a.id, a.name, a.state, a.credit, a.profile, '[]'
  FROM stop_answer s JOIN account a ON a.id = s.account
 WHERE s.done = 0
 ORDER BY s.response
 LIMIT $1

-- name: stop_answer_done
UPDATE stop_answer SET done = 1, message_id = $2 WHERE response = $1

-- name: replies_page
SELECT p.id, p.received_at, p.source, p.destination, p.kind, p.text, p.message_id, p.missing
  FROM response p
 WHERE p.account = $1 AND p.id > $2 AND ($3::text IS NULL OR p.source = '+' || $3::text)
 ORDER BY p.id
 LIMIT $4

-- name: sent_in_runs
-- At the end the link that the first segment left by, before that the one it has for its own; and the STOP mention.
SELECT c.msisdn, c.message_id, c.seq, m.account, m.sender, m.due_at, m.url_response,
       coalesce((SELECT s.link FROM segment s WHERE s.message_id = c.message_id AND s.seq = c.seq ORDER BY s.part LIMIT 1),
                CASE WHEN c.link >= 0 THEN c.link ELSE (SELECT way.link FROM route way WHERE way.id = -c.link) END),
       (SELECT x.stop_number FROM message_text x WHERE x.message_id = c.message_id AND x.number = c.text)
  FROM recipient c JOIN message m ON m.id = c.message_id
 WHERE c.msisdn = ANY($1::bigint[]) AND c.msisdn > 0 AND c.state >= 0 AND m.due_at >= $2 AND m.sandbox = 0
   AND NOT EXISTS (SELECT 1 FROM stop_answer s WHERE s.message_id = m.id)
