-- The STOP list, replies, and whom a number heard from.

-- name: owner_of_number
SELECT a.id FROM account a, jsonb_array_elements_text(coalesce(a.profile::jsonb -> 'numbers', '[]'::jsonb)) AS n (value)
 WHERE ltrim(n.value, '+') = :digits LIMIT 1

-- name: sent_in_runs
-- At the end the link that the first segment left by, before that the one it has for its own; and the STOP mention.
SELECT c.msisdn, c.message_id, c.seq, m.account, m.sender, m.due_at, m.url_response,
       coalesce((SELECT s.link FROM segment s WHERE s.message_id = c.message_id AND s.seq = c.seq ORDER BY s.part LIMIT 1),
                CASE WHEN c.link >= 0 THEN c.link ELSE (SELECT way.link FROM route way WHERE way.id = -c.link) END),
       (SELECT x.stop_number FROM message_text x WHERE x.message_id = c.message_id AND x.number = c.text)
  FROM recipient c JOIN message m ON m.id = c.message_id
 WHERE c.msisdn = ANY(:msisdns::bigint[]) AND c.msisdn > 0 AND c.state >= 0 AND m.due_at >= :since AND m.sandbox = 0
   AND NOT EXISTS (SELECT 1 FROM stop_answer s WHERE s.message_id = m.id)
