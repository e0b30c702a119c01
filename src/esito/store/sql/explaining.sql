-- What happened to a message and to a recipient, for people to read.

-- name: message_overview
SELECT created_at, due_at, sender, sandbox, tag, reference FROM message WHERE id = :message_id AND account = :account

-- name: message_counts
SELECT state, count(*), CAST(sum(segments) AS bigint), CAST(sum(cost) AS bigint) FROM recipient WHERE message_id = :message_id GROUP BY state ORDER BY state

-- name: message_texts
SELECT text FROM message_text WHERE message_id = :message_id ORDER BY number LIMIT :limit

-- name: recipients_page
-- A route of several links is shown as the link that the first segment left by, before that as its own link.
SELECT r.seq, '+' || r.msisdn, r.state, r.changed_at, r.segments, r.cost, o.name
  FROM recipient r
  LEFT JOIN link l ON l.id = CASE WHEN r.link >= 0 THEN r.link
            ELSE coalesce((SELECT s.link FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq
                            ORDER BY s.part LIMIT 1),
                          (SELECT way.link FROM route way WHERE way.id = -r.link)) END
  LEFT JOIN operator o ON o.id = l.operator
 WHERE r.message_id = :message_id AND r.seq > :after AND r.state {in: states}
 ORDER BY r.seq
 LIMIT :limit

-- name: explained_recipient
SELECT m.created_at, m.due_at, m.cancelled_at, m.sandbox, r.seq, l.name, o.name, r.segments, r.state, r.changed_at
  FROM message m JOIN recipient r ON r.message_id = m.id
  LEFT JOIN link l ON l.id = CASE WHEN r.link >= 0 THEN r.link
            ELSE coalesce((SELECT s.link FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq
                            ORDER BY s.part LIMIT 1),
                          (SELECT way.link FROM route way WHERE way.id = -r.link)) END
  LEFT JOIN operator o ON o.id = l.operator
 WHERE m.id = :message_id AND m.account = :account AND r.msisdn = :msisdn
 ORDER BY r.seq
 LIMIT 1

-- name: explained_segments
SELECT s.part, l.name, o.name, s.phase, s.attempts, s.submitted_at, s.answered_at, s.status, s.smsc_id,
       s.state, s.done_at, s.error, s.retry_at, s.query_at
  FROM segment s JOIN link l ON l.id = s.link JOIN operator o ON o.id = s.operator
 WHERE s.message_id = :message_id AND s.seq = :seq
 ORDER BY s.part

-- name: explained_trail
-- A receipt that was matched later has its octets and its time of arrival in the row it was first kept in.
SELECT coalesce(first.received_at, t.received_at), l.name, t.part, t.verdict, t.origin IS NOT NULL, t.smsc_id,
       t.state, t.stat, t.error, t.done_at, t.flags, coalesce(first.raw, t.raw)
  FROM trail t JOIN link l ON l.id = t.link LEFT JOIN trail first ON first.id = t.origin AND {is loose: first.message_id}
 WHERE t.message_id = :message_id AND t.seq = :seq
 ORDER BY t.id

-- name: orphans
SELECT u.trail, t.received_at, l.name, o.name, CASE WHEN u.waits = {Waits.RESPONSE} THEN 'parked' ELSE 'orphan' END, t.smsc_id, u.source_addr, u.destination_addr,
       t.stat, t.error, t.flags, t.raw
  FROM unmatched u JOIN trail t ON t.id = u.trail AND {is loose: t.message_id} JOIN link l ON l.id = t.link JOIN operator o ON o.id = u.operator
 WHERE u.trail > :after
 ORDER BY u.trail
 LIMIT :limit
