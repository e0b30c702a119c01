-- name: events
SELECT t.id, t.message_id, r.msisdn, t.part, t.received_at, t.verdict, t.stat, t.error, t.state, r.state
  FROM trail t
  JOIN message m ON m.id = t.message_id AND m.account = $1
  JOIN recipient r ON r.message_id = t.message_id AND r.seq = t.seq
 WHERE t.id > $2 AND t.id <= $3
 ORDER BY t.id
 LIMIT $4
