-- What becomes of messages, receipts and replies with age; erasing a number.

-- name: old_messages
-- Whole messages (stage 2) of a partition that was filled within a day wait for two days: it will be dropped at once.
SELECT due_at, id FROM message
 WHERE stage = :stage AND due_at <= :until AND (due_at, id) > (:after_at, :after_id)
   AND NOT (:stage = 2 AND due_at > :until - 172800000 AND (id - 1) / 10000000 IN (
       SELECT s.number FROM span s JOIN span n ON n.number = s.number + 1 WHERE n.opened_at - s.opened_at < interval '1 day'))
 ORDER BY due_at, id LIMIT :limit

-- name: loose_of_number
SELECT id FROM trail WHERE message_id = 0 AND position(convert_to(:digits::text, 'UTF8') IN raw) > 0
UNION SELECT trail FROM unmatched WHERE ltrim(source_addr, '+') = :digits::text OR ltrim(destination_addr, '+') = :digits::text

-- name: oldest_span
-- Not the newest, nor one whose ids a process may still hold.
SELECT s.number FROM span s JOIN span n ON n.number = s.number + 1
 WHERE s.number = (SELECT min(number) FROM span) AND n.opened_at < now() - interval '1 day'

-- name: span_is_old
-- All its messages have lost texts and numbers, and nothing outside of its tables belongs to them.
SELECT NOT EXISTS (SELECT 1 FROM message m WHERE m.id BETWEEN :first AND :last AND (m.due_at > :before OR m.stage < 2 OR m.check_at IS NOT NULL))
   AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id BETWEEN :first AND :last AND (r.state BETWEEN 0 AND 2 OR r.msisdn <> 0))

-- name: span_is_done
SELECT NOT EXISTS (SELECT 1 FROM callback c WHERE c.message_id BETWEEN :first AND :last)
   AND NOT EXISTS (SELECT 1 FROM message m JOIN outgoing o ON o.account = m.account AND o.message_id = m.id
                    WHERE m.id BETWEEN :first AND :last)

-- name: span_costs
SELECT sum(r.cost)::bigint, m.account FROM message m JOIN recipient r ON r.message_id = m.id
 WHERE m.id BETWEEN :first AND :last AND r.message_id BETWEEN :first AND :last GROUP BY m.account

-- name: retire_span
UPDATE account SET retired = retired + :cost WHERE id = :account

-- name: remove_origins
-- Receipts that came before their message was known, and are now in its own tables too.
DELETE FROM trail WHERE message_id = 0
   AND id IN (SELECT t.origin FROM trail t WHERE t.message_id BETWEEN :first AND :last AND t.origin IS NOT NULL)
   AND NOT EXISTS (SELECT 1 FROM trail l WHERE l.origin = trail.id AND l.message_id NOT BETWEEN :first AND :last)

-- name: drop_span
SELECT drop_span(:number)
