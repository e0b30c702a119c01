-- What the outbox of callbacks is asked for. A line is the callbacks of one kind for one recipient, in order of id.

-- name: new_callbacks
SELECT c.id, m.account, m.sandbox, CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END,
       EXISTS (SELECT 1 FROM callback p
                WHERE p.message_id = c.message_id AND p.seq = c.seq AND p.kind = c.kind AND p.id < c.id
                  AND p.done_at IS NULL)
  FROM callback c LEFT JOIN message m ON m.id = c.message_id
 WHERE c.phase = 0 AND c.id > $1
 ORDER BY c.id
 LIMIT $2

-- name: sort_callbacks
-- Led by the ids: how many are new when the plan is made says nothing of how many there will be.
UPDATE callback SET destination = s.column2, phase = s.column3, next_at = s.column4, done_at = s.column5,
                    reason = s.column6, account = s.column7, sandbox = s.column8
  FROM {rows: bigint, bigint, smallint, bigint, bigint, text, bigint, smallint} AS s WHERE callback.id = s.column1 AND callback.phase + 0 = 0

-- name: destination_of
SELECT id, disabled_at IS NOT NULL, reason FROM destination WHERE account = $1 AND origin = $2

-- name: insert_destination
INSERT INTO destination (account, origin) VALUES ($1, $2) RETURNING id

-- name: due_of_destination
SELECT id FROM callback
 WHERE sandbox = $1 AND account = $2 AND destination = $3 AND phase = 1 ORDER BY next_at, id LIMIT $4

-- name: bury_callbacks
UPDATE callback SET phase = 5, next_at = NULL, done_at = b.column2, reason = b.column3
  FROM {rows: bigint, bigint, text} AS b WHERE callback.id = b.column1 AND callback.phase = 1

-- name: open_accounts
-- Leaps from one account to the next in the index, however many callbacks each has.
WITH RECURSIVE seen (account) AS (
    SELECT * FROM (SELECT account FROM callback
                    WHERE (phase = 1 OR phase = 2 OR phase = 3) AND sandbox = $1 AND account > $2
                    ORDER BY account LIMIT 1) AS lowest
    UNION ALL
    SELECT (SELECT c.account FROM callback c
             WHERE (c.phase = 1 OR c.phase = 2 OR c.phase = 3) AND c.sandbox = $1 AND c.account > seen.account
             ORDER BY c.account LIMIT 1)
      FROM seen WHERE seen.account IS NOT NULL
)
SELECT account FROM seen WHERE account IS NOT NULL LIMIT $3

-- name: open_destinations
-- Leaps likewise over those of one account.
WITH RECURSIVE seen (destination) AS (
    SELECT * FROM (SELECT destination FROM callback
                    WHERE (phase = 1 OR phase = 2 OR phase = 3) AND sandbox = $1 AND account = $2 AND destination > $3
                    ORDER BY destination LIMIT 1) AS lowest
    UNION ALL
    SELECT (SELECT c.destination FROM callback c
             WHERE (c.phase = 1 OR c.phase = 2 OR c.phase = 3) AND c.sandbox = $1 AND c.account = $2
               AND c.destination > seen.destination
             ORDER BY c.destination LIMIT 1)
      FROM seen WHERE seen.destination IS NOT NULL
)
SELECT d.id, d.origin, CASE WHEN d.disabled_at IS NOT NULL THEN coalesce(d.reason, '') END
  FROM (SELECT destination FROM seen WHERE destination IS NOT NULL LIMIT $4) AS found
  JOIN destination d ON d.id = found.destination
 ORDER BY d.id

-- name: claimable
SELECT id, next_at FROM callback
 WHERE sandbox = $1 AND account = $2 AND destination = $3 AND phase = 1 ORDER BY next_at, id LIMIT $4

-- name: ended_leases
SELECT id FROM callback
 WHERE sandbox = $1 AND account = $2 AND destination = $3 AND phase = 2 AND next_at <= $4

-- name: free_all_leases
UPDATE callback SET phase = 1, next_at = $1 WHERE phase = 2 AND next_at <= $1

-- name: lease_callbacks
UPDATE callback SET phase = 2, next_at = $1 WHERE id = ANY($2::bigint[])

-- name: free_callbacks
UPDATE callback SET phase = 1, next_at = $1 WHERE id = ANY($2::bigint[]) AND phase = 2

-- name: callbacks_to_make
SELECT c.id, c.message_id, c.seq, c.kind, c.state, c.at, c.attempts, c.tries, c.first_at,
       CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END, c.body,
       m.tag, coalesce('+' || r.msisdn, ''), coalesce(r.cost, 0),
       coalesce(a.profile::jsonb ->> 'signing_secret', ''),
       (SELECT count(*) FROM callback p
       WHERE p.message_id = c.message_id AND p.seq = c.seq AND p.kind = c.kind
       AND p.id <= c.id)
  FROM unnest($1::bigint[]) AS wanted (value)
  JOIN callback c ON c.id = wanted.value
  JOIN message m ON m.id = c.message_id
  JOIN account a ON a.id = m.account
  LEFT JOIN recipient r ON r.message_id = c.message_id AND r.seq = c.seq

-- name: record_attempts
-- Only of whoever holds the lease, and once.
UPDATE callback SET attempts = o.column2, tries = tries + 1, first_at = coalesce(first_at, o.column3),
                    phase = o.column4, next_at = o.column5, done_at = o.column6, reason = o.column7
  FROM {rows: bigint, int, bigint, smallint, bigint, bigint, text} AS o
 WHERE callback.id = o.column1 AND callback.phase = 2 AND callback.attempts = o.column2 - 1

-- name: insert_attempts
INSERT INTO callback_attempt (callback_id, number, at, milliseconds, status, error, address, answer)
SELECT a.column1, a.column2, a.column3, a.column4, a.column5, a.column6, a.column7, a.column8
  FROM {rows: bigint, int, bigint, bigint, int, text, text, bytea} AS a JOIN callback c ON c.id = a.column1
    ON CONFLICT DO NOTHING

-- name: promote_callbacks
-- The next of each line whose earlier ones are finished. `phase + 0`: found by their recipient, as those that are open may
-- be all there are.
UPDATE callback SET phase = 1, next_at = $1
 WHERE id IN (
    SELECT (SELECT min(n.id) FROM callback n
             WHERE n.message_id = f.message_id AND n.seq = f.seq AND n.kind = f.kind AND n.phase + 0 = 3)
      FROM unnest($2::bigint[]) AS j (value) JOIN callback f ON f.id = j.value
     WHERE NOT EXISTS (SELECT 1 FROM callback h
                        WHERE h.message_id = f.message_id AND h.seq = f.seq AND h.kind = f.kind
                          AND h.phase + 0 IN (1, 2)))

-- name: destination_succeeded
UPDATE destination SET last_success = $2, failing_since = NULL WHERE id = $1

-- name: destination_failed
UPDATE destination SET failing_since = coalesce(failing_since, $2) WHERE id = $1 RETURNING failing_since

-- name: disable_destination
UPDATE destination SET disabled_at = $2, reason = $3 WHERE id = $1 AND disabled_at IS NULL

-- name: path_is_gone
INSERT INTO gone_path (destination, digest, path, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING

-- name: forget_gone_paths
-- All but the newest hundred of a destination: who is called again says it again.
DELETE FROM gone_path
 WHERE destination = $1
   AND at <= (SELECT e.at FROM gone_path e WHERE e.destination = $1 ORDER BY e.at DESC LIMIT 1 OFFSET 100)

-- name: gone_among
SELECT g.destination, g.digest
  FROM {rows: bigint, bigint} AS asked JOIN gone_path g ON g.destination = asked.column1 AND g.digest = asked.column2

-- name: urls_of_gone
-- Of callbacks whose destination has paths that are gone.
SELECT c.destination, CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END
  FROM unnest($1::bigint[]) AS j (value) JOIN callback c ON c.id = j.value JOIN message m ON m.id = c.message_id
 WHERE EXISTS (SELECT 1 FROM gone_path g WHERE g.destination = c.destination)

-- name: path_is_back
DELETE FROM gone_path WHERE destination = $1 AND digest = $2

-- name: enable_destinations
UPDATE destination SET disabled_at = NULL, reason = NULL, failing_since = NULL
 WHERE disabled_at IS NOT NULL
   AND id IN (SELECT c.destination FROM unnest($1::bigint[]) AS j (value) JOIN callback c ON c.id = j.value)

-- name: replayable
SELECT c.id FROM callback c JOIN message m ON m.id = c.message_id
 WHERE c.id = $1 AND m.account = $2 AND c.phase IN (1, 3, 4, 5)

-- name: is_callback_of
SELECT EXISTS (SELECT 1 FROM callback c JOIN message m ON m.id = c.message_id WHERE c.id = $1 AND m.account = $2)

-- name: finished_since
SELECT at, id FROM callback
 WHERE account = $1 AND greatest(phase, 3) = $2 AND (at, id) > ($3, $4) AND id <= $5 ORDER BY at, id LIMIT $6

-- name: put_behind
-- What is replayed, and whoever of its line was about to go: the order is made anew by `promote_callbacks`.
UPDATE callback SET phase = 3, next_at = NULL, done_at = NULL, reason = NULL, tries = 0, first_at = NULL
 WHERE id = ANY($1::bigint[]) AND phase <> 2

-- name: hold_heads
-- Found first, then changed by their ids: else all that are due would be gone through, each time for all that is found.
UPDATE callback SET phase = 3, next_at = NULL
 WHERE phase + 0 = 1 AND id = ANY (ARRAY(
    SELECT h.id FROM unnest($1::bigint[]) AS j (value) JOIN callback c ON c.id = j.value
    JOIN callback h ON h.message_id = c.message_id AND h.seq = c.seq AND h.kind = c.kind AND h.phase + 0 = 1))

-- name: last_callback
SELECT coalesce(max(id), 0) FROM callback

-- name: destinations_of
SELECT id, origin, last_success, failing_since, disabled_at, coalesce(reason, ''),
       (SELECT count(*) FROM callback c
         WHERE c.sandbox IN (0, 1) AND c.account = d.account AND c.destination = d.id
           AND (c.phase = 1 OR c.phase = 2 OR c.phase = 3)),
       (SELECT count(*) FROM callback c WHERE c.destination = d.id AND c.phase = 5)
  FROM destination d WHERE account = $1 AND origin > $2 ORDER BY origin LIMIT $3

-- name: gone_paths_of
-- The newest ten or so of each.
SELECT g.destination, g.path
  FROM unnest($1::bigint[]) AS wanted (value) JOIN gone_path g ON g.destination = wanted.value
   AND g.at >= coalesce((SELECT e.at FROM gone_path e WHERE e.destination = wanted.value
                          ORDER BY e.at DESC LIMIT 1 OFFSET 9), 0)
 ORDER BY g.destination, g.at DESC, g.digest

-- name: callbacks_standing
-- What is open (3), done (4) or dead (5), newest first.
SELECT at, id FROM callback
 WHERE account = $1 AND greatest(phase, 3) = $2 AND (at, id) < ($3, $4) ORDER BY at DESC, id DESC LIMIT $5

-- name: callbacks_of_message
SELECT c.at, c.id, c.phase FROM message m JOIN callback c ON c.message_id = m.id
 WHERE m.id = $1 AND m.account = $2

-- name: callback_lines
SELECT c.id, c.message_id, c.seq, coalesce('+' || r.msisdn, ''), c.kind, c.state, c.at, c.phase, c.attempts, c.next_at,
       c.done_at, coalesce(c.reason, ''), coalesce(CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END, ''),
       coalesce(d.origin, ''), t.status, coalesce(t.error, '')
  FROM unnest($1::bigint[]) AS wanted (value)
  JOIN callback c ON c.id = wanted.value
  JOIN message m ON m.id = c.message_id
  LEFT JOIN recipient r ON r.message_id = c.message_id AND r.seq = c.seq
  LEFT JOIN destination d ON d.id = c.destination
  LEFT JOIN callback_attempt t ON t.callback_id = c.id AND t.number = c.attempts
 WHERE m.account = $2
 ORDER BY c.at DESC, c.id DESC

-- name: attempts_of
SELECT number, at, milliseconds, status, error, address, answer FROM callback_attempt WHERE callback_id = $1 ORDER BY number

-- name: callbacks_waiting_count
SELECT (SELECT count(*) FROM callback WHERE phase = 1)
     + (SELECT count(*) FROM callback WHERE phase = 2)
     + (SELECT count(*) FROM callback WHERE phase = 3)
     + (SELECT count(*) FROM callback
         WHERE phase = 0 AND id > 0),
       (SELECT count(*) FROM callback WHERE phase = 5)
