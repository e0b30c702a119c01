-- What the outbox of callbacks is asked for. A line is the callbacks of one kind for one recipient, in order of id.

-- name: route_callbacks
UPDATE callback SET destination = s.destination, phase = s.phase, next_at = s.next_at, done_at = s.done_at,
                    reason = s.reason, account = s.account, sandbox = s.sandbox
  FROM {rows: callback bigint, destination bigint, phase smallint, next_at bigint, done_at bigint, reason text, account bigint, sandbox smallint} AS s WHERE callback.id = s.callback AND callback.phase + 0 = {CallbackPhase.NEW}

-- name: destination_of
SELECT id, disabled_at IS NOT NULL, reason FROM destination WHERE account = :account AND origin = :origin

-- name: insert_destination
INSERT INTO destination (account, origin) VALUES (:account, :origin) RETURNING id

-- name: due_of_destination
SELECT id FROM callback INDEXED BY callback_open
 WHERE sandbox = :sandbox AND account = :account AND destination = :destination AND phase = {CallbackPhase.DUE} ORDER BY next_at, id LIMIT :limit

-- name: give_up_callbacks
UPDATE callback SET phase = {CallbackPhase.DEAD}, next_at = NULL, done_at = b.at, reason = b.reason
  FROM {rows: callback bigint, at bigint, reason text} AS b WHERE callback.id = b.callback AND callback.phase = {CallbackPhase.DUE}

-- name: open_accounts
-- Leaps from one account to the next in the index, however many callbacks each has.
WITH RECURSIVE seen (account) AS (
    SELECT * FROM (SELECT account FROM callback INDEXED BY callback_open
                    WHERE (phase = {CallbackPhase.DUE} OR phase = {CallbackPhase.LEASED} OR phase = {CallbackPhase.BEHIND}) AND sandbox = :sandbox AND account > :after
                    ORDER BY account LIMIT 1) AS lowest
    UNION ALL
    SELECT (SELECT c.account FROM callback c INDEXED BY callback_open
             WHERE (c.phase = {CallbackPhase.DUE} OR c.phase = {CallbackPhase.LEASED} OR c.phase = {CallbackPhase.BEHIND}) AND c.sandbox = :sandbox AND c.account > seen.account
             ORDER BY c.account LIMIT 1)
      FROM seen WHERE seen.account IS NOT NULL
)
SELECT account FROM seen WHERE account IS NOT NULL LIMIT :limit

-- name: open_destinations
-- Leaps likewise over those of one account.
WITH RECURSIVE seen (destination) AS (
    SELECT * FROM (SELECT destination FROM callback INDEXED BY callback_open
                    WHERE (phase = {CallbackPhase.DUE} OR phase = {CallbackPhase.LEASED} OR phase = {CallbackPhase.BEHIND}) AND sandbox = :sandbox AND account = :account AND destination > :after
                    ORDER BY destination LIMIT 1) AS lowest
    UNION ALL
    SELECT (SELECT c.destination FROM callback c INDEXED BY callback_open
             WHERE (c.phase = {CallbackPhase.DUE} OR c.phase = {CallbackPhase.LEASED} OR c.phase = {CallbackPhase.BEHIND}) AND c.sandbox = :sandbox AND c.account = :account
               AND c.destination > seen.destination
             ORDER BY c.destination LIMIT 1)
      FROM seen WHERE seen.destination IS NOT NULL
)
SELECT d.id, d.origin, CASE WHEN d.disabled_at IS NOT NULL THEN coalesce(d.reason, '') END
  FROM (SELECT destination FROM seen WHERE destination IS NOT NULL LIMIT :limit) AS found
  CROSS JOIN destination d ON d.id = found.destination
 ORDER BY d.id

-- name: claimable
SELECT id, next_at FROM callback INDEXED BY callback_open
 WHERE sandbox = :sandbox AND account = :account AND destination = :destination AND phase = {CallbackPhase.DUE} ORDER BY next_at, id LIMIT :limit

-- name: ended_leases
SELECT id FROM callback INDEXED BY callback_open
 WHERE sandbox = :sandbox AND account = :account AND destination = :destination AND phase = {CallbackPhase.LEASED} AND next_at <= :at

-- name: lease_callbacks
UPDATE callback SET phase = {CallbackPhase.LEASED}, next_at = :next_at WHERE id {in: callbacks}

-- name: free_callbacks
UPDATE callback SET phase = {CallbackPhase.DUE}, next_at = :next_at WHERE id {in: callbacks} AND phase = {CallbackPhase.LEASED}

-- name: callbacks_to_make
SELECT {many: c.id, c.message_id, c.seq, c.kind, c.state, c.at, c.attempts, c.tries, c.first_at,
                                   CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END, c.body,
                                   m.tag, coalesce('+' || r.msisdn, ''), coalesce(r.cost, 0),
                                   coalesce(a.profile{postgres: ::json} ->> 'signing_secret', ''),
                                   (SELECT count(*) FROM callback p
                                     WHERE p.message_id = c.message_id AND p.seq = c.seq AND p.kind = c.kind
                                       AND p.id <= c.id)}
  FROM {each: callbacks} AS wanted
  CROSS JOIN callback c ON c.id = wanted.value
  CROSS JOIN message m ON m.id = c.message_id
  CROSS JOIN account a ON a.id = m.account
  LEFT JOIN recipient r ON r.message_id = c.message_id AND r.seq = c.seq

-- name: record_attempts
-- Only of whoever holds the lease, and once.
UPDATE callback SET attempts = o.number, tries = tries + 1, first_at = coalesce(first_at, o.at),
                    phase = o.phase, next_at = o.next_at, done_at = o.done_at, reason = o.reason
  FROM {rows: id bigint, number int, at bigint, phase smallint, next_at bigint, done_at bigint, reason text} AS o
 WHERE callback.id = o.id AND callback.phase = {CallbackPhase.LEASED} AND callback.attempts = o.number - 1

-- name: insert_attempts
INSERT INTO callback_attempt (callback_id, number, at, milliseconds, status, error, address, answer)
SELECT a.callback, a.number, a.at, a.milliseconds, a.status, a.error, a.address, a.answer
  FROM {rows: callback bigint, number int, at bigint, milliseconds bigint, status int, error text, address text, answer bytea} AS a CROSS JOIN callback c ON c.id = a.callback
 WHERE true ON CONFLICT DO NOTHING

-- name: destination_succeeded
UPDATE destination SET last_success = :at, failing_since = NULL WHERE id = :destination

-- name: destination_failed
UPDATE destination SET failing_since = coalesce(failing_since, :at) WHERE id = :destination RETURNING failing_since

-- name: disable_destination
UPDATE destination SET disabled_at = :at, reason = :reason WHERE id = :destination AND disabled_at IS NULL

-- name: path_is_gone
INSERT INTO gone_path (destination, digest, path, at) VALUES (:destination, :digest, :path, :at) ON CONFLICT DO NOTHING

-- name: forget_gone_paths
-- All but the newest hundred of a destination: who is called again says it again.
DELETE FROM gone_path
 WHERE destination = :destination
   AND at <= (SELECT e.at FROM gone_path e WHERE e.destination = :destination ORDER BY e.at DESC LIMIT 1 OFFSET 100)

-- name: gone_among
SELECT {many: g.destination, g.digest}
  FROM {rows: destination bigint, digest bigint} AS asked CROSS JOIN gone_path g ON g.destination = asked.destination AND g.digest = asked.digest

-- name: urls_of_gone
-- Of callbacks whose destination has paths that are gone.
SELECT c.destination, CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END
  FROM {each: callbacks} AS j CROSS JOIN callback c ON c.id = j.value CROSS JOIN message m ON m.id = c.message_id
 WHERE EXISTS (SELECT 1 FROM gone_path g WHERE g.destination = c.destination)

-- name: path_is_back
DELETE FROM gone_path WHERE destination = :destination AND digest = :digest

-- name: enable_destinations
UPDATE destination SET disabled_at = NULL, reason = NULL, failing_since = NULL
 WHERE disabled_at IS NOT NULL
   AND id IN (SELECT c.destination FROM {each: callbacks} AS j CROSS JOIN callback c ON c.id = j.value)

-- name: replayable
SELECT c.id FROM callback c CROSS JOIN message m ON m.id = c.message_id
 WHERE c.id = :callback AND m.account = :account AND c.phase IN ({CallbackPhase.DUE}, {CallbackPhase.BEHIND}, {CallbackPhase.DONE}, {CallbackPhase.DEAD})

-- name: is_callback_of
SELECT EXISTS (SELECT 1 FROM callback c CROSS JOIN message m ON m.id = c.message_id WHERE c.id = :callback AND m.account = :account)

-- name: finished_since
SELECT at, id FROM callback INDEXED BY callback_by_account
 WHERE account = :account AND {sqlite: max}{postgres: greatest}(phase, {CallbackPhase.BEHIND}) = :standing AND (at, id) > (:after_at, :after_id) AND id <= :last ORDER BY at, id LIMIT :limit

-- name: put_behind
-- What is replayed, and whoever of its line was about to go: the order is made anew by `promote_callbacks`.
UPDATE callback SET phase = {CallbackPhase.BEHIND}, next_at = NULL, done_at = NULL, reason = NULL, tries = 0, first_at = NULL
 WHERE id {in: callbacks} AND phase <> {CallbackPhase.LEASED}

-- name: last_callback
SELECT coalesce(max(id), 0) FROM callback

-- name: destinations_of
SELECT id, origin, last_success, failing_since, disabled_at, coalesce(reason, ''),
       (SELECT count(*) FROM callback c INDEXED BY callback_open
         WHERE c.sandbox IN (0, 1) AND c.account = d.account AND c.destination = d.id
           AND (c.phase = {CallbackPhase.DUE} OR c.phase = {CallbackPhase.LEASED} OR c.phase = {CallbackPhase.BEHIND})),
       (SELECT count(*) FROM callback c INDEXED BY callback_dead WHERE c.destination = d.id AND c.phase = {CallbackPhase.DEAD})
  FROM destination d WHERE account = :account AND origin > :after ORDER BY origin LIMIT :limit

-- name: gone_paths_of
-- The newest ten or so of each.
SELECT g.destination, g.path
  FROM {each: destinations} AS wanted CROSS JOIN gone_path g ON g.destination = wanted.value
   AND g.at >= coalesce((SELECT e.at FROM gone_path e WHERE e.destination = wanted.value
                          ORDER BY e.at DESC LIMIT 1 OFFSET 9), 0)
 ORDER BY g.destination, g.at DESC, g.digest

-- name: callbacks_standing
-- What is open (3), done (4) or dead (5), newest first.
SELECT at, id FROM callback INDEXED BY callback_by_account
 WHERE account = :account AND {sqlite: max}{postgres: greatest}(phase, {CallbackPhase.BEHIND}) = :standing AND (at, id) < (:before_at, :before_id) ORDER BY at DESC, id DESC LIMIT :limit

-- name: callbacks_of_message
SELECT c.at, c.id, c.phase FROM message m CROSS JOIN callback c ON c.message_id = m.id
 WHERE m.id = :message_id AND m.account = :account

-- name: callback_lines
SELECT c.id, c.message_id, c.seq, coalesce('+' || r.msisdn, ''), c.kind, c.state, c.at, c.phase, c.attempts, c.next_at,
       c.done_at, coalesce(c.reason, ''), coalesce(CASE c.kind WHEN 2 THEN m.url_response ELSE m.url_dlr END, ''),
       coalesce(d.origin, ''), t.status, coalesce(t.error, '')
  FROM {each: callbacks} AS wanted
  CROSS JOIN callback c ON c.id = wanted.value
  CROSS JOIN message m ON m.id = c.message_id
  LEFT JOIN recipient r ON r.message_id = c.message_id AND r.seq = c.seq
  LEFT JOIN destination d ON d.id = c.destination
  LEFT JOIN callback_attempt t ON t.callback_id = c.id AND t.number = c.attempts
 WHERE m.account = :account
 ORDER BY c.at DESC, c.id DESC

-- name: attempts_of
SELECT number, at, milliseconds, status, error, address, answer FROM callback_attempt WHERE callback_id = :callback ORDER BY number

-- name: callbacks_waiting_count
SELECT (SELECT count(*) FROM callback INDEXED BY callback_open WHERE phase = {CallbackPhase.DUE})
     + (SELECT count(*) FROM callback INDEXED BY callback_open WHERE phase = {CallbackPhase.LEASED})
     + (SELECT count(*) FROM callback INDEXED BY callback_open WHERE phase = {CallbackPhase.BEHIND})
     + (SELECT count(*) FROM callback
         WHERE phase = {CallbackPhase.NEW} AND id > {sqlite: coalesce((SELECT value + 0 FROM setting WHERE name = 'callbacks_routed'), 0)}{postgres: 0}),
       (SELECT count(*) FROM callback INDEXED BY callback_dead WHERE phase = {CallbackPhase.DEAD})
