-- What becomes of messages, receipts and replies with age; erasing a number.

-- name: old_messages
SELECT due_at, id FROM message
 WHERE stage = :stage AND due_at <= :until AND (due_at, id) > (:after_at, :after_id) ORDER BY due_at, id LIMIT :limit

-- name: remove_sent_to
DELETE FROM sent_to
 WHERE run = (SELECT id FROM sent_run WHERE last_message_id >= :message_id ORDER BY id LIMIT 1)
   AND msisdn = :msisdn AND message_id = :message_id AND seq = :seq

-- name: loose_of_number
SELECT id FROM trail WHERE message_id IS NULL AND instr(raw, CAST(:digits AS BLOB)) > 0
UNION SELECT trail FROM unmatched WHERE ltrim(source_addr, '+') = :digits OR ltrim(destination_addr, '+') = :digits
