-- The STOP list, replies, and whom a number heard from.

-- name: owner_of_number
SELECT a.id FROM account a CROSS JOIN json_each(a.profile, '$.numbers') n WHERE ltrim(n.value, '+') = :digits LIMIT 1

-- name: sent_in_runs
-- At the end the link that the first segment left by, before that the one it has for its own; and the STOP mention.
SELECT t.msisdn, t.message_id, t.seq, m.account, m.sender, m.due_at, m.url_response,
       coalesce((SELECT s.link FROM segment s WHERE s.message_id = c.message_id AND s.seq = c.seq ORDER BY s.part LIMIT 1),
                CASE WHEN c.link >= 0 THEN c.link ELSE (SELECT way.link FROM route way WHERE way.id = -c.link) END),
       (SELECT x.stop_number FROM message_text x WHERE x.message_id = c.message_id AND x.number = c.text)
  FROM {each: msisdns} AS number
  CROSS JOIN sent_run r ON r.newest_due_at >= :since
  CROSS JOIN sent_to t ON t.run = r.id AND t.msisdn = number.value
  CROSS JOIN message m ON m.id = t.message_id
  CROSS JOIN recipient c ON c.message_id = t.message_id AND c.seq = t.seq
 WHERE m.due_at >= :since AND m.sandbox = 0 AND c.state >= 0 AND c.msisdn = t.msisdn
   AND NOT EXISTS (SELECT 1 FROM stop_answer s WHERE s.message_id = m.id)

-- name: sent_since_runs
SELECT c.msisdn, c.message_id, c.seq, m.account, m.sender, m.due_at, m.url_response,
       coalesce((SELECT s.link FROM segment s WHERE s.message_id = c.message_id AND s.seq = c.seq ORDER BY s.part LIMIT 1),
                CASE WHEN c.link >= 0 THEN c.link ELSE (SELECT way.link FROM route way WHERE way.id = -c.link) END),
       (SELECT x.stop_number FROM message_text x WHERE x.message_id = c.message_id AND x.number = c.text)
  FROM (SELECT message_id, seq, msisdn, state, link, text FROM recipient WHERE message_id > :after
         ORDER BY message_id DESC, seq DESC LIMIT :limit) AS c
  CROSS JOIN message m ON m.id = c.message_id
 WHERE c.msisdn {in: msisdns} AND c.state >= 0 AND m.due_at >= :since AND m.sandbox = 0
   AND NOT EXISTS (SELECT 1 FROM stop_answer s WHERE s.message_id = m.id)

-- name: runs_end
SELECT coalesce((SELECT last_message_id FROM sent_run ORDER BY id DESC LIMIT 1), 0)

-- name: run_boundary
-- The last whole message among so many recipients beyond the runs.
SELECT max(message_id) FROM (SELECT message_id FROM recipient WHERE message_id > :after ORDER BY message_id LIMIT :limit)

-- name: beyond_runs
SELECT count(*) FROM (SELECT 1 FROM recipient WHERE message_id > :after LIMIT :limit)

-- name: insert_run
INSERT INTO sent_run (last_message_id, newest_due_at)
SELECT :last, max(due_at) FROM message WHERE id > :after AND id <= :last
RETURNING id

-- name: fill_run
INSERT INTO sent_to (run, msisdn, message_id, seq)
SELECT :run, msisdn, message_id, seq FROM recipient WHERE message_id > :after AND message_id <= :last
 ORDER BY msisdn, message_id, seq

-- name: stale_run
SELECT id FROM sent_run WHERE newest_due_at < :before AND id < (SELECT max(id) FROM sent_run) ORDER BY id LIMIT 1

-- name: empty_run
DELETE FROM sent_to WHERE (run, msisdn, message_id, seq) IN
    (SELECT run, msisdn, message_id, seq FROM sent_to WHERE run = :run LIMIT :limit)

-- name: delete_run
DELETE FROM sent_run WHERE id = :run AND NOT EXISTS (SELECT 1 FROM sent_to WHERE run = :run)
