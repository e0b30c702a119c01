-- The STOP list, replies, and whom a number heard from.

-- name: stops_of
SELECT id, '+' || msisdn, created_at FROM stop WHERE account = :account AND id > :after ORDER BY id LIMIT :limit

-- name: stop_count
SELECT count(*) FROM stop WHERE account = :account

-- name: add_stop
INSERT INTO stop (account, msisdn, created_at) VALUES (:account, :msisdn, :created_at) ON CONFLICT DO NOTHING

-- name: stop_id
SELECT id FROM stop WHERE account = :account AND msisdn = :msisdn

-- name: delete_stop
DELETE FROM stop WHERE account = :account AND id = :stop

-- name: repeated_reply
-- By whichever link of the operator. The octets after the header, whose sequence number differs each time.
SELECT EXISTS (SELECT 1 FROM reply
                WHERE source = :source AND received_at >= :since AND destination = :destination
                  AND link IN (SELECT id FROM link WHERE operator = :operator)
                  AND substr(raw, 17) = substr({sqlite: :raw}{postgres: :raw::bytea}, 17))

-- name: insert_reply
INSERT INTO reply (received_at, link, source, destination, raw, text, phase, reference, total, part)
VALUES (:received_at, :link, :source, :destination, :raw, :text, :phase, :reference, :total, :part)
RETURNING id

-- name: waiting_parts
SELECT id, part, text, received_at FROM reply
 WHERE source = :source AND received_at >= :since AND destination = :destination AND reference = :reference AND total = :total AND phase = {ReplyPhase.WAITS}
   AND link IN (SELECT id FROM link WHERE operator = :operator)
 ORDER BY id

-- name: waiting_since
SELECT l.name, l.operator, w.source, w.destination, w.reference, w.total
  FROM reply w JOIN link l ON l.id = w.link
 WHERE w.phase = {ReplyPhase.WAITS} AND w.received_at <= :before
 ORDER BY w.received_at
 LIMIT :limit

-- name: finish_reply
UPDATE reply SET phase = {ReplyPhase.DONE}, response = :response WHERE id = :reply

-- name: insert_response
INSERT INTO response (received_at, link, source, destination, kind, account, message_id, seq, missing, text)
VALUES (:received_at, :link, :source, :destination, :kind, :account, :message_id, :seq, :missing, :text)
RETURNING id

-- name: insert_reply_callback
INSERT INTO callback (message_id, seq, state, at, kind, body) VALUES (:message_id, :seq, 0, :at, 2, :body)

-- name: account_words
SELECT name, coalesce(profile{postgres: ::json} ->> 'stop_answer', '') FROM account WHERE id = :account

-- name: insert_stop_answer
INSERT INTO stop_answer (response, account, msisdn, sender, text) VALUES (:response, :account, :msisdn, :sender, :text)

-- name: stop_answers_due
SELECT s.response, '+' || s.msisdn, s.sender, s.text, a.id, a.name, a.state, a.credit, a.profile, '[]'
  FROM stop_answer s JOIN account a ON a.id = s.account
 WHERE s.done = 0
 ORDER BY s.response
 LIMIT :limit

-- name: stop_answer_done
UPDATE stop_answer SET done = 1, message_id = :message_id WHERE response = :response

-- name: replies_page
SELECT p.id, p.received_at, p.source, p.destination, p.kind, p.text, p.message_id, p.missing
  FROM response p
 WHERE p.account = :account AND p.id > :after AND (CAST(:source AS text) IS NULL OR p.source = '+' || CAST(:source AS text))
 ORDER BY p.id
 LIMIT :limit
