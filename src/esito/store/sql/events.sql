

-- name: events
SELECT t.id, t.message_id, r.msisdn, t.part, t.received_at, t.verdict, t.stat, t.error, t.state, r.state
  FROM trail t
  CROSS JOIN message m ON m.id = t.message_id AND m.account = :account
  CROSS JOIN recipient r ON r.message_id = t.message_id AND r.seq = t.seq
 WHERE t.id > :after AND t.id <= :last
 ORDER BY t.id
 LIMIT :limit
