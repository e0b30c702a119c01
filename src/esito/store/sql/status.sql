-- What became of recipients: the questions that clients ask most.

-- name: recipients_of
SELECT '+' || r.msisdn, r.state,
       CASE WHEN (SELECT EXISTS (SELECT 1 FROM stop INDEXED BY stop_by_id WHERE account = :account))
            THEN CAST(EXISTS (SELECT 1 FROM stop s WHERE s.account = :account AND s.msisdn = r.msisdn) AS int) ELSE 0 END,
       (r.changed_at / 1000) || ''
  FROM recipient r
 WHERE r.message_id = :message_id AND r.account = :account
 ORDER BY r.seq

-- name: recipient_of
SELECT r.state, r.changed_at, r.cost,
       CAST(EXISTS (SELECT 1 FROM stop s WHERE s.account = :account AND s.msisdn = r.msisdn) AS int)
  FROM recipient r
 WHERE r.message_id = :message_id AND r.account = :account AND r.msisdn = :msisdn
 ORDER BY r.seq
 LIMIT 1

-- name: tag_total
SELECT sum(recipients) FROM message INDEXED BY message_by_tag WHERE account = :account AND tag = :tag

-- name: recipients_by_tag
-- Beyond a recipient of the message at a spot.
SELECT '+' || r.msisdn, r.state,
       CAST(EXISTS (SELECT 1 FROM stop s WHERE s.account = :account AND s.msisdn = r.msisdn) AS int),
       (r.changed_at / 1000) || '',
       m.created_at, m.id, r.seq
  FROM message m INDEXED BY message_by_tag CROSS JOIN recipient r ON r.message_id = m.id
 WHERE m.account = :account AND m.tag = :tag AND (m.created_at, m.id) >= (:from_at, :from_id)
   AND (m.created_at > :from_at OR m.id > :from_id OR r.seq > :from_seq)
 ORDER BY m.created_at, m.id, r.seq
 LIMIT :limit OFFSET :offset

-- name: stopped_among
SELECT msisdn FROM stop WHERE account = :account AND msisdn {in: msisdns}

-- name: to_send
SELECT count(*)
  FROM outgoing o INDEXED BY outgoing_by_account
 CROSS JOIN recipient r ON r.message_id = o.message_id AND r.link = o.link AND r.seq BETWEEN o.next_seq AND o.last_seq
 WHERE o.account = :account
