-- Every question and every change that SQLite is asked for, by name.
-- {rows} stands for as many bracketed rows of parameters as one call brings.

-- name: account_by_key
SELECT a.id, a.name, a.state, a.credit, a.profile, k.networks,
       EXISTS (SELECT 1 FROM stop INDEXED BY stop_by_id WHERE account = a.id), a.parent
  FROM api_key k JOIN account a ON a.id = k.account
 WHERE k.digest = ? AND k.disabled = 0

-- name: account_above
-- From where it is used, by any of its keys: as many JSON arrays as it has keys.
SELECT a.id, a.name, a.state, a.credit, a.profile,
       (SELECT coalesce(json_group_array(json(k.networks)), '[]') FROM api_key k WHERE k.account = a.id AND k.disabled = 0), a.parent
  FROM account a WHERE a.id = ?

-- name: recipients_of
SELECT '+' || r.msisdn, r.state,
       CASE WHEN (SELECT EXISTS (SELECT 1 FROM stop INDEXED BY stop_by_id WHERE account = ?2))
            THEN EXISTS (SELECT 1 FROM stop s WHERE s.account = ?2 AND s.msisdn = r.msisdn) ELSE 0 END,
       (r.changed_at / 1000) || ''
  FROM recipient r
 WHERE r.message_id = ?1 AND r.account = ?2
 ORDER BY r.seq

-- name: recipient_of
SELECT r.state, r.changed_at, r.cost,
       EXISTS (SELECT 1 FROM stop s WHERE s.account = ?2 AND s.msisdn = r.msisdn)
  FROM recipient r
 WHERE r.message_id = ?1 AND r.account = ?2 AND r.msisdn = ?3
 ORDER BY r.seq
 LIMIT 1

-- name: tag_total
SELECT sum(recipients) FROM message INDEXED BY message_by_tag WHERE account = ? AND tag = ?

-- name: recipients_by_tag
-- Beyond a recipient of the message at a spot.
SELECT '+' || r.msisdn, r.state,
       EXISTS (SELECT 1 FROM stop s WHERE s.account = ?1 AND s.msisdn = r.msisdn),
       (r.changed_at / 1000) || '',
       m.created_at, m.id, r.seq
  FROM message m INDEXED BY message_by_tag CROSS JOIN recipient r ON r.message_id = m.id
 WHERE m.account = ?1 AND m.tag = ?2 AND (m.created_at, m.id) >= (?5, ?6)
   AND (m.created_at > ?5 OR m.id > ?6 OR r.seq > ?7)
 ORDER BY m.created_at, m.id, r.seq
 LIMIT ?3 OFFSET ?4

-- name: stopped_among
SELECT msisdn FROM stop WHERE account = ?1 AND msisdn IN (SELECT value FROM json_each(?2))

-- name: to_send
SELECT count(*)
  FROM outgoing o INDEXED BY outgoing_by_account
 CROSS JOIN recipient r ON r.message_id = o.message_id AND r.link = o.link AND r.seq BETWEEN o.next_seq AND o.last_seq
 WHERE o.account = ?

-- name: due
SELECT EXISTS (SELECT 1 FROM outgoing WHERE link IN (SELECT value FROM json_each(?1)) AND lane > 0)
    OR EXISTS (SELECT 1 FROM outgoing WHERE link IN (SELECT value FROM json_each(?1)) AND lane = 0 AND due_at <= ?2)
    OR EXISTS (SELECT 1 FROM segment WHERE link IN (SELECT value FROM json_each(?3)) AND phase = 2 AND retry_at <= ?2)
    OR EXISTS (SELECT 1 FROM segment WHERE link IN (SELECT value FROM json_each(?3)) AND phase = 2 AND retry_at > ?4)

-- name: standing
-- Accounts and all above them.
WITH RECURSIVE line (id) AS (SELECT value FROM json_each(?1)
                              UNION SELECT a.parent FROM line JOIN account a ON a.id = line.id WHERE a.parent IS NOT NULL)
SELECT a.id, a.credit, a.state, a.parent, a.profile FROM line JOIN account a ON a.id = line.id

-- name: take_credit
UPDATE account SET credit = credit - taken.column2
  FROM (VALUES {rows}) AS taken WHERE account.id = taken.column1

-- name: give_back
UPDATE account SET credit = credit + refund.amount
  FROM (SELECT m.account, sum(given.column2) AS amount
          FROM (VALUES {rows}) AS given JOIN message m ON m.id = given.column1 GROUP BY m.account) AS refund
 WHERE account.id = refund.account

-- name: insert_messages
INSERT INTO message (id, account, created_at, due_at, check_at, sender, gamme, unicode, sandbox,
                     tag, reference, url_dlr, url_response, priority, recipients)
VALUES {rows}

-- name: insert_texts
INSERT INTO message_text (message_id, number, text, stop_number) VALUES {rows}

-- name: insert_recipients
-- One JSON array per group of alike recipients; a number is msisdn * 512 + seq.
WITH alike AS MATERIALIZED (
    SELECT value ->> 0 AS message_id, value ->> 1 AS account, value ->> 2 AS link, value ->> 3 AS text,
           value ->> 4 AS segments, value ->> 5 AS cost, value ->> 6 AS state, value ->> 7 AS changed_at,
           value -> 8 AS numbers
      FROM json_each(?)
)
INSERT INTO recipient (message_id, account, seq, msisdn, link, text, segments, cost, state, changed_at)
SELECT alike.message_id, alike.account, number.value & 511, number.value >> 9, alike.link, alike.text, alike.segments,
       alike.cost, alike.state, alike.changed_at
  FROM alike, json_each(alike.numbers) AS number

-- name: insert_outgoing
INSERT INTO outgoing (link, lane, due_at, message_id, next_seq, next_part, last_seq, account) VALUES {rows}

-- name: postponed
SELECT json_group_array(json_array(message_id, seq, part)) FROM (
    SELECT message_id, seq, part FROM segment
     WHERE link = ?1 AND phase = 2 AND retry_at <= ?2
     ORDER BY retry_at, message_id, seq, part LIMIT ?3)

-- name: put_off_too_far
SELECT json_group_array(json_array(message_id, seq, part)) FROM (
    SELECT message_id, seq, part FROM segment
     WHERE link = ?1 AND phase = 2 AND retry_at > ?2 ORDER BY retry_at LIMIT ?3)

-- name: bring_forward
UPDATE segment SET retry_at = ahead.column4
  FROM (VALUES {rows}) AS ahead
 WHERE segment.message_id = ahead.column1 AND segment.seq = ahead.column2 AND segment.part = ahead.column3

-- name: postponed_elsewhere
-- Segments that another link was to submit again, of recipients with one of these routes. One that may have been taken
-- stays with its operator.
SELECT json_group_array(json_array(message_id, seq, part)) FROM (
    SELECT s.message_id, s.seq, s.part
      FROM segment s CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq
     WHERE s.link = ?1 AND s.phase = 2 AND s.retry_at <= ?2 AND r.link IN (SELECT value FROM json_each(?4))
       AND (s.number_tail IS NULL OR s.operator = ?5)
     ORDER BY s.retry_at, s.message_id, s.seq, s.part LIMIT ?3)

-- name: waiting
-- The lanes of a route that have work, beyond a lane, at most so many, each with the weight of its account;
-- and lane 0 when something that was scheduled is due. The index leads from each lane to the next.
WITH RECURSIVE turn (lane, number) AS (
    SELECT min(lane), 1 FROM outgoing WHERE link = ?1 AND lane > ?2
    UNION ALL
    SELECT (SELECT min(o.lane) FROM outgoing o WHERE o.link = ?1 AND o.lane > turn.lane), number + 1
      FROM turn WHERE turn.lane IS NOT NULL AND number < ?3
)
SELECT turn.lane, coalesce(a.profile ->> 'weight', 1)
  FROM turn LEFT JOIN account a ON a.id = turn.lane & 1099511627775 WHERE turn.lane IS NOT NULL
UNION ALL
SELECT 0, 0 WHERE EXISTS (SELECT 1 FROM outgoing WHERE link = ?1 AND lane = 0 AND due_at <= ?4)

-- name: come_due
SELECT json_group_array(json_array(due_at, message_id, recipients, account, priority, gamme)) FROM (
    SELECT o.due_at, o.message_id, o.last_seq - o.next_seq + 1 AS recipients, m.account, m.priority, m.gamme
      FROM outgoing o CROSS JOIN message m ON m.id = o.message_id
     WHERE o.link = ?1 AND o.lane = 0 AND o.due_at <= ?2
     ORDER BY o.due_at, o.message_id LIMIT ?3)

-- name: set_lane
UPDATE outgoing SET lane = due.column4
  FROM (VALUES {rows}) AS due
 WHERE outgoing.link = due.column1 AND outgoing.lane = 0 AND outgoing.due_at = due.column2
   AND outgoing.message_id = due.column3

-- name: outgoing
SELECT json_group_array(json_array(due_at, message_id, next_seq, next_part, last_seq, seq, segments)) FROM (
    SELECT o.due_at, o.message_id, o.next_seq, o.next_part, o.last_seq, r.seq, r.segments
      FROM outgoing o
      CROSS JOIN recipient r ON r.message_id = o.message_id AND r.seq BETWEEN o.next_seq AND o.last_seq
                            AND r.link = o.link
     WHERE o.link = ?1 AND o.lane = ?2
     ORDER BY o.due_at, o.message_id, r.seq
     LIMIT ?3)

-- name: resubmit
-- Of a try that the operator may have taken, it is kept when it left.
UPDATE segment SET tries = CASE WHEN number_tail IS NULL OR status <> 0 OR length(tries) > 300 THEN tries
                                ELSE coalesce(tries || ' ', '') || attempts || ':' || submitted_at END,
                   phase = 1, attempts = attempts + 1, submitted_at = again.column4, retry_at = NULL,
                   link = again.column5, operator = again.column6
  FROM (VALUES {rows}) AS again
 WHERE segment.message_id = again.column1 AND segment.seq = again.column2 AND segment.part = again.column3

-- name: insert_segments
INSERT INTO segment (message_id, seq, part, link, operator, phase, attempts, submitted_at, state)
VALUES {rows}

-- name: delete_outgoing
DELETE FROM outgoing WHERE (link, lane, due_at, message_id) IN (VALUES {rows})

-- name: move_outgoing
UPDATE outgoing SET next_seq = ?5, next_part = ?6 WHERE link = ?1 AND lane = ?2 AND due_at = ?3 AND message_id = ?4

-- name: submissions
SELECT json_group_array(json_array(s.message_id, s.seq, s.part, '+' || r.msisdn, m.sender, t.text, m.unicode,
                                   r.segments, s.attempts, m.priority, t.stop_number))
  FROM (VALUES {rows}) AS claimed
  CROSS JOIN segment s ON s.message_id = claimed.column1 AND s.seq = claimed.column2 AND s.part = claimed.column3
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq
  CROSS JOIN message m ON m.id = s.message_id
  CROSS JOIN message_text t ON t.message_id = r.message_id AND t.number = r.text

-- name: answer_accepted
-- A segment that stands refused was taken after all, by an earlier attempt.
UPDATE segment SET phase = 3, answered_at = a.column4, smsc_id = a.column5, shelf = a.column6, status = 0,
                   retry_at = NULL, tries = tries || coalesce(' ' || a.column7, '')
  FROM (VALUES {rows}) AS a
 WHERE segment.message_id = a.column1 AND segment.seq = a.column2 AND segment.part = a.column3
   AND segment.phase IN (1, 2, 4, 5)

-- name: forget_tails
-- Of segments whose id is about to be known, but where an earlier attempt may have been taken under another one.
UPDATE segment SET number_tail = NULL
  FROM (VALUES {rows}) AS a
 WHERE segment.message_id = a.column1 AND segment.seq = a.column2 AND segment.part = a.column3
   AND segment.phase IN (1, 2, 4, 5) AND segment.attempts = 1

-- name: ask_later
UPDATE segment SET query_at = submitted_at + a.column4
  FROM (VALUES {rows}) AS a
 WHERE segment.message_id = a.column1 AND segment.seq = a.column2 AND segment.part = a.column3
   AND segment.phase IN (1, 2, 4, 5)

-- name: answers_bear_on
-- What answers of an operator may decide beside their segments: 1 for segments whose id is not known, 2 and 4 for
-- receipts that several segments fit, and that wait for a response. The planner takes the index on what waits
-- for `waits > 0` alone.
SELECT EXISTS (SELECT 1 FROM segment WHERE operator = ?1 AND number_tail IS NOT NULL)
     + EXISTS (SELECT 1 FROM unmatched WHERE operator = ?1 AND waits > 0 AND waits IN (2, 3)) * 2
     + EXISTS (SELECT 1 FROM unmatched WHERE operator = ?1 AND waits > 0 AND waits = 1) * 4

-- name: accepted_before
-- Segments that stand accepted under another id than the response brings: their attempts, their id, and that one.
SELECT json_group_array(json_array(s.message_id, s.seq, s.part, s.attempts, s.smsc_id, a.column4))
  FROM (VALUES {rows}) AS a
  CROSS JOIN segment s ON s.message_id = a.column1 AND s.seq = a.column2 AND s.part = a.column3
 WHERE s.phase = 3 AND s.smsc_id <> a.column4

-- name: respell
UPDATE segment SET smsc_id = a.column4, shelf = a.column5
  FROM (VALUES {rows}) AS a
 WHERE segment.message_id = a.column1 AND segment.seq = a.column2 AND segment.part = a.column3

-- name: answer_twice
-- Two attempts were taken: the segment keeps its id, and receipts with the other one find it by its number.
UPDATE segment SET number_tail = (SELECT r.msisdn % 10000000 FROM recipient r
                                   WHERE r.message_id = segment.message_id AND r.seq = segment.seq)
  FROM (VALUES {rows}) AS a
 WHERE segment.message_id = a.column1 AND segment.seq = a.column2 AND segment.part = a.column3

-- name: answer_other
-- An answer to an earlier attempt than the last says nothing of that one.
-- One that says that the only attempt was not taken ends all doubt about it.
UPDATE segment SET phase = a.column4, answered_at = a.column5, status = a.column6, retry_at = a.column7,
                   number_tail = CASE WHEN a.column6 <> 0 AND segment.attempts = 1 THEN NULL ELSE number_tail END,
                   attempts = segment.attempts - a.column9
  FROM (VALUES {rows}) AS a
 WHERE segment.message_id = a.column1 AND segment.seq = a.column2 AND segment.part = a.column3
   AND segment.phase IN (1, 2, 5) AND segment.attempts = coalesce(a.column8, segment.attempts)

-- name: refused
SELECT json_group_array(json_array(s.message_id, s.seq, s.part))
  FROM (VALUES {rows}) AS a
  CROSS JOIN segment s ON s.message_id = a.column1 AND s.seq = a.column2 AND s.part = a.column3
 WHERE s.phase = 4

-- name: told_by_sisters
-- Segments that have just got an id whose receipt came already, for another segment of the recipient.
SELECT json_group_array(json_array(a.column1, a.column2, a.column3, s.smsc_id, o.state, coalesce(o.error, '')))
  FROM (VALUES {rows}) AS a
  CROSS JOIN segment s ON s.message_id = a.column1 AND s.seq = a.column2 AND s.part = a.column3
  CROSS JOIN segment o ON o.message_id = s.message_id AND o.seq = s.seq AND o.part <> s.part
 WHERE o.smsc_id = s.smsc_id AND s.smsc_id <> '' AND o.state > s.state

-- name: recover_again
UPDATE segment SET phase = 2, status = NULL, retry_at = ?1
 WHERE phase = 1 AND link IN (SELECT id FROM link WHERE resubmit_uncertain = 1 AND (?2 = '' OR name = ?2))

-- name: recover_uncertain
UPDATE segment SET phase = 5 WHERE phase = 1 AND link IN (SELECT id FROM link WHERE ?1 = '' OR name = ?1)

-- name: open_submissions
SELECT json_group_array(json_array(r.msisdn || '', s.submitted_at))
  FROM link l
  CROSS JOIN segment s ON s.link = l.id AND s.phase = 1
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq
 WHERE l.operator = ?

-- name: has_uncertain
-- 0 when it has none, 1 for old ones, 2 when one left after an instant.
SELECT EXISTS (SELECT 1 FROM segment WHERE operator = ?1 AND number_tail IS NOT NULL)
     + EXISTS (SELECT 1 FROM segment WHERE operator = ?1 AND number_tail IS NOT NULL AND submitted_at > ?2)

-- name: unanswered
SELECT json_group_array(json_array(s.operator, s.message_id, s.seq, s.part))
  FROM link l CROSS JOIN segment s ON s.link = l.id AND s.phase = 1
 WHERE ?1 = '' OR l.name = ?1

-- name: set_tails
-- Segments that the operator may have, under an id that nobody knows.
UPDATE segment SET number_tail = (SELECT r.msisdn % 10000000 FROM recipient r
                                   WHERE r.message_id = segment.message_id AND r.seq = segment.seq)
  FROM (VALUES {rows}) AS a
 WHERE segment.message_id = a.column1 AND segment.seq = a.column2 AND segment.part = a.column3
   AND (segment.phase IN (2, 5) OR (segment.phase = 3 AND segment.shelf IS NULL))

-- name: tailed_numbers
SELECT json_group_array(json_array(r.msisdn || ''))
  FROM (VALUES {rows}) AS a
  CROSS JOIN segment s ON s.message_id = a.column1 AND s.seq = a.column2 AND s.part = a.column3
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq
 WHERE s.number_tail IS NOT NULL

-- name: owes_answers
SELECT EXISTS (SELECT 1 FROM link l CROSS JOIN segment s ON s.link = l.id AND s.phase = 1 WHERE l.operator = ?)

-- name: known_shelves
SELECT json_group_array(json_array(b.column2))
  FROM (VALUES {rows}) AS b
 WHERE EXISTS (SELECT 1 FROM segment s INDEXED BY segment_by_shelf WHERE s.operator = b.column1 AND s.shelf = b.column2)

-- name: candidates_by_shelf
SELECT json_group_array(json_array(b.column1, s.message_id, s.seq, s.part, s.smsc_id, r.msisdn || '', s.state,
                                   s.submitted_at, r.state, r.segments, s.tries))
  FROM (VALUES {rows}) AS b
  CROSS JOIN segment s INDEXED BY segment_by_shelf ON s.operator = b.column2 AND s.shelf = b.column3
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: candidates_by_tail
-- Asked as `IN (SELECT ...)` the planner reads every segment there is.
SELECT json_group_array(json_array(b.column1, s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), r.msisdn || '',
                                   s.state, s.submitted_at, r.state, r.segments, s.tries))
  FROM (VALUES {rows}) AS b
  CROSS JOIN json_each((SELECT json_group_array(json_array(f.message_id, f.seq, f.part)
                                                ORDER BY f.message_id, f.seq, f.part) FROM (
        SELECT * FROM (
            SELECT u.message_id, u.seq, u.part FROM segment u
             WHERE u.operator = b.column2 AND u.number_tail = b.column3
               AND u.submitted_at BETWEEN b.column4 AND b.column5
             ORDER BY u.submitted_at DESC LIMIT 40)
        UNION ALL
        SELECT * FROM (
            SELECT u.message_id, u.seq, u.part FROM segment u
             WHERE u.operator = b.column2 AND u.number_tail = b.column3 AND u.submitted_at > b.column5
               AND u.tries IS NOT NULL
             ORDER BY u.submitted_at DESC LIMIT 40)) AS f)) AS j
  CROSS JOIN segment s ON s.message_id = j.value ->> 0 AND s.seq = j.value ->> 1 AND s.part = j.value ->> 2
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: many_by_tail
-- As above, for pairing: a limit cannot be handed in row by row.
SELECT json_group_array(json_array(b.column1, s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), r.msisdn || '',
                                   s.state, s.submitted_at, r.state, r.segments, s.tries))
  FROM (VALUES {rows}) AS b
  CROSS JOIN json_each((SELECT json_group_array(json_array(f.message_id, f.seq, f.part)
                                                ORDER BY f.message_id, f.seq, f.part) FROM (
        SELECT * FROM (
            SELECT u.message_id, u.seq, u.part FROM segment u
             WHERE u.operator = b.column2 AND u.number_tail = b.column3
               AND u.submitted_at BETWEEN b.column4 AND b.column5
             ORDER BY u.submitted_at DESC LIMIT 201)
        UNION ALL
        SELECT * FROM (
            SELECT u.message_id, u.seq, u.part FROM segment u
             WHERE u.operator = b.column2 AND u.number_tail = b.column3 AND u.submitted_at > b.column5
               AND u.tries IS NOT NULL
             ORDER BY u.submitted_at DESC LIMIT 201)) AS f)) AS j
  CROSS JOIN segment s ON s.message_id = j.value ->> 0 AND s.seq = j.value ->> 1 AND s.part = j.value ->> 2
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: senders
SELECT json_group_array(json_array(m.id, m.sender)) FROM (VALUES {rows}) AS b CROSS JOIN message m ON m.id = b.column1

-- name: candidates_by_ref
SELECT json_group_array(json_array(b.column1, s.message_id, s.seq, s.part, coalesce(s.smsc_id, ''), r.msisdn || '',
                                   s.state, s.submitted_at, r.state, r.segments, s.tries))
  FROM (VALUES {rows}) AS b
  CROSS JOIN segment s ON s.message_id = b.column2 AND s.seq = b.column3 AND s.part = b.column4
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq

-- name: wanting_callbacks
SELECT json_group_array(json_array(m.id))
  FROM (VALUES {rows}) AS b CROSS JOIN message m ON m.id = b.column1
 WHERE m.url_dlr IS NOT NULL

-- name: segment_states
SELECT json_group_array(json_array(s.message_id, s.seq, s.part, s.state, l.name))
  FROM (VALUES {rows}) AS b
  CROSS JOIN segment s ON s.message_id = b.column1 AND s.seq = b.column2
  CROSS JOIN link l ON l.id = s.link

-- name: insert_trail
INSERT INTO trail (id, received_at, link, message_id, seq, part, verdict, smsc_id, state, stat, error, done_at,
                   flags, origin, raw, checksum)
VALUES {rows}

-- name: move_segments
UPDATE segment SET state = moved.column4, done_at = moved.column5, error = moved.column6
  FROM (VALUES {rows}) AS moved
 WHERE segment.message_id = moved.column1 AND segment.seq = moved.column2 AND segment.part = moved.column3

-- name: move_recipients
UPDATE recipient SET state = moved.column3, changed_at = moved.column4
  FROM (VALUES {rows}) AS moved
 WHERE recipient.message_id = moved.column1 AND recipient.seq = moved.column2

-- name: insert_callbacks
INSERT INTO callback (message_id, seq, state, at) VALUES {rows}

-- name: insert_unmatched
INSERT INTO unmatched (trail, operator, source_addr, destination_addr, submitted_at, received_at, waits) VALUES {rows}

-- name: insert_unmatched_shelves
INSERT OR IGNORE INTO unmatched_shelf (operator, shelf, trail) VALUES {rows}

-- name: unmatched_under
SELECT json_group_array(json_array(u.trail, u.received_at, l.name, t.smsc_id, t.state, t.stat, t.error, t.done_at,
                                   t.flags, u.source_addr, u.destination_addr, u.submitted_at))
  FROM (SELECT DISTINCT w.trail
          FROM (VALUES {rows}) AS a
          CROSS JOIN unmatched_shelf w ON w.operator = a.column1 AND w.shelf = a.column2
                AND w.trail IN (SELECT n.trail FROM unmatched_shelf n
                                 WHERE n.operator = a.column1 AND n.shelf = a.column2
                                 ORDER BY n.trail DESC LIMIT 1000)) AS w
  CROSS JOIN unmatched u ON u.trail = w.trail
  CROSS JOIN trail t ON t.id = w.trail
  CROSS JOIN link l ON l.id = t.link

-- name: has_waiting
SELECT EXISTS (SELECT 1 FROM unmatched WHERE operator = ?1 AND waits > 0 AND waits = ?2)

-- name: released
-- Parked receipts that came before any submit_sm left whose response is still owed.
SELECT json_group_array(json_array(u.trail, u.received_at, l.name, t.smsc_id, t.state, t.stat, t.error, t.done_at,
                                   t.flags, u.source_addr, u.destination_addr, u.submitted_at))
  FROM (SELECT * FROM unmatched
         WHERE operator = ?1 AND waits > 0 AND waits = 1
           AND received_at < coalesce((SELECT min(s.submitted_at) FROM link l CROSS JOIN segment s
                                                ON s.link = l.id AND s.phase = 1 WHERE l.operator = ?1), 9e18)
         ORDER BY received_at LIMIT ?2) AS u
  CROSS JOIN trail t ON t.id = u.trail
  CROSS JOIN link l ON l.id = t.link

-- name: wait_no_more
UPDATE unmatched SET waits = 0 FROM (VALUES {rows}) AS b WHERE unmatched.trail = b.column1 AND unmatched.waits = 2

-- name: undecided
-- The receipts that wait for something: the form of the ids is 2.
SELECT json_group_array(json_array(u.trail, u.received_at, l.name, t.smsc_id, t.state, t.stat, t.error, t.done_at,
                                   t.flags, u.source_addr, u.destination_addr, u.submitted_at))
  FROM (SELECT * FROM unmatched WHERE operator = ?1 AND waits > 0 AND waits = ?2 ORDER BY received_at LIMIT ?3) AS u
  CROSS JOIN trail t ON t.id = u.trail
  CROSS JOIN link l ON l.id = t.link

-- name: keep_waiting
UPDATE unmatched SET waits = w.column2 FROM (VALUES {rows}) AS w
 WHERE unmatched.trail = w.column1 AND unmatched.waits <> w.column2

-- name: unmatched_addresses
SELECT operator, source_addr, destination_addr FROM unmatched WHERE trail = ?

-- name: identify_segments
-- One that has an id already (`answer_twice`) keeps it, and is found by its number as before.
UPDATE segment SET smsc_id = coalesce(nullif(smsc_id, ''), told.column4), shelf = coalesce(shelf, told.column5),
                   answered_at = CASE WHEN shelf IS NULL THEN told.column6 ELSE answered_at END,
                   phase = 3, retry_at = NULL, query_at = coalesce(query_at, submitted_at + told.column7),
                   number_tail = CASE WHEN shelf IS NULL THEN NULL ELSE number_tail END
  FROM (VALUES {rows}) AS told
 WHERE segment.message_id = told.column1 AND segment.seq = told.column2 AND segment.part = told.column3

-- name: keep_form
UPDATE operator SET as_is = ?2, strip_zeros = ?3, hex_to_dec = ?4, dec_to_hex = ?5, ambiguous = ?6,
                    dates = ?7
 WHERE id = ?1

-- name: delete_unmatched
DELETE FROM unmatched WHERE trail IN (SELECT value FROM json_each(?))

-- name: delete_unmatched_shelves
DELETE FROM unmatched_shelf WHERE (operator, shelf, trail) IN (VALUES {rows})

-- name: messages_to_check
-- With how many recipients each has.
SELECT m.id, m.due_at, (SELECT coalesce(max(r.seq), 0) + 1 FROM recipient r WHERE r.message_id = m.id)
  FROM message m WHERE m.check_at <= ?1 ORDER BY m.check_at LIMIT ?2

-- name: never_submitted
SELECT r.message_id, r.seq, r.cost, r.segments, m.account, m.created_at
  FROM recipient r CROSS JOIN message m ON m.id = r.message_id
 WHERE r.message_id IN (SELECT value FROM json_each(?1)) AND r.state = 0
   AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq
                     AND (s.phase <> 2 OR s.number_tail IS NOT NULL))

-- name: unreported
SELECT s.message_id, s.seq, s.part, s.submitted_at, l.name
  FROM recipient r CROSS JOIN segment s ON s.message_id = r.message_id AND s.seq = r.seq CROSS JOIN link l ON l.id = s.link
 WHERE r.message_id IN (SELECT value FROM json_each(?1)) AND r.state BETWEEN 0 AND 7 AND s.state BETWEEN 0 AND 2
   AND (s.phase <> 2 OR s.number_tail IS NOT NULL)
 ORDER BY s.message_id, s.seq, s.part

-- name: set_check
UPDATE message SET check_at = next.column2 FROM (VALUES {rows}) AS next WHERE message.id = next.column1

-- name: make_ko
UPDATE recipient SET state = -1, changed_at = ko.column3, cost = 0
  FROM (VALUES {rows}) AS ko WHERE recipient.message_id = ko.column1 AND recipient.seq = ko.column2

-- name: drop_outgoing_of
DELETE FROM outgoing
 WHERE (account, message_id) IN (SELECT account, id FROM message WHERE id IN (SELECT value FROM json_each(?1)))

-- name: drop_unsent_parts_of
-- The segments that a recipient still lacks, as refused ones, so that it can be concluded.
INSERT INTO segment (message_id, seq, part, link, operator, phase, attempts, submitted_at, state)
SELECT r.message_id, r.seq, part.value, l.id, l.operator, 4, 0, m.due_at, 0
  FROM recipient r JOIN message m ON m.id = r.message_id
  JOIN link l ON l.id = CASE WHEN r.link >= 0 THEN r.link
            ELSE coalesce((SELECT s.link FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq
                            ORDER BY s.part LIMIT 1),
                          (SELECT way.link FROM route way WHERE way.id = -r.link)) END
  JOIN json_each('[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]') AS part ON part.value <= r.segments
 WHERE r.message_id IN (SELECT value FROM json_each(?1)) AND r.state BETWEEN 0 AND 7 AND r.segments > 1
   AND NOT EXISTS (SELECT 1 FROM segment s
                    WHERE s.message_id = r.message_id AND s.seq = r.seq AND s.part = part.value)

-- name: drop_postponed_of
-- What the operator may have from an earlier try is uncertain, not refused.
UPDATE segment SET phase = CASE WHEN number_tail IS NULL THEN 4 ELSE 5 END, retry_at = NULL
 WHERE message_id IN (SELECT value FROM json_each(?1)) AND phase = 2

-- name: callbacks_of_ko
INSERT INTO callback (message_id, seq, state, at)
SELECT ko.column1, ko.column2, ko.column3, ko.column4
  FROM (VALUES {rows}) AS ko JOIN message m ON m.id = ko.column1
 WHERE m.url_dlr IS NOT NULL

-- name: insert_account
INSERT INTO account (name, state, granted, credit, created_at) VALUES (?1, ?2, ?3, ?3, ?4)

-- name: insert_key
INSERT INTO api_key (account, digest, label, created_at, networks) VALUES (?, ?, ?, ?, ?) RETURNING id

-- name: account_by_name
SELECT id, name, state, credit, profile, '[]' FROM account WHERE name = ?

-- name: all_accounts
SELECT id, name, state, credit, profile, '[]' FROM account ORDER BY name

-- name: keys_of
SELECT id, account, label, created_at, disabled, networks FROM api_key WHERE account = ? ORDER BY id

-- name: disable_key
UPDATE api_key SET disabled = 1 WHERE account = ? AND id = ?

-- name: set_account_state
UPDATE account SET state = ?2 WHERE id = ?1

-- name: set_profile
UPDATE account SET profile = ?2 WHERE id = ?1

-- name: counts
SELECT (SELECT count(*) FROM message),
       (SELECT count(*) FROM recipient),
       (SELECT count(*) FROM outgoing o JOIN recipient r
            ON r.message_id = o.message_id AND r.link = o.link AND r.seq BETWEEN o.next_seq AND o.last_seq),
       (SELECT count(*) FROM segment WHERE phase = 1 OR phase = 5),
       (SELECT count(*) FROM unmatched)

-- name: counts_by_state
SELECT state, count(*) FROM recipient GROUP BY state

-- name: keep_setting
INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2

-- name: setting
SELECT value FROM setting WHERE name = ?

-- name: message_overview
SELECT created_at, due_at, sender, sandbox, tag, reference FROM message WHERE id = ?1 AND account = ?2

-- name: message_counts
SELECT state, count(*), sum(segments), sum(cost) FROM recipient WHERE message_id = ? GROUP BY state ORDER BY state

-- name: message_texts
SELECT text FROM message_text WHERE message_id = ? ORDER BY number LIMIT ?

-- name: recipients_page
-- A route of several links is shown as the link that the first segment left by, before that as its own link.
SELECT r.seq, '+' || r.msisdn, r.state, r.changed_at, r.segments, r.cost, o.name
  FROM recipient r
  LEFT JOIN link l ON l.id = CASE WHEN r.link >= 0 THEN r.link
            ELSE coalesce((SELECT s.link FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq
                            ORDER BY s.part LIMIT 1),
                          (SELECT way.link FROM route way WHERE way.id = -r.link)) END
  LEFT JOIN operator o ON o.id = l.operator
 WHERE r.message_id = ?1 AND r.seq > ?2 AND r.state IN (SELECT value FROM json_each(?3))
 ORDER BY r.seq
 LIMIT ?4

-- name: explained_recipient
SELECT m.created_at, m.due_at, m.cancelled_at, m.sandbox, r.seq, l.name, o.name, r.segments, r.state, r.changed_at
  FROM message m JOIN recipient r ON r.message_id = m.id
  LEFT JOIN link l ON l.id = CASE WHEN r.link >= 0 THEN r.link
            ELSE coalesce((SELECT s.link FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq
                            ORDER BY s.part LIMIT 1),
                          (SELECT way.link FROM route way WHERE way.id = -r.link)) END
  LEFT JOIN operator o ON o.id = l.operator
 WHERE m.id = ?1 AND m.account = ?2 AND r.msisdn = ?3
 ORDER BY r.seq
 LIMIT 1

-- name: explained_segments
SELECT s.part, l.name, o.name, s.phase, s.attempts, s.submitted_at, s.answered_at, s.status, s.smsc_id,
       s.state, s.done_at, s.error, s.retry_at, s.query_at
  FROM segment s JOIN link l ON l.id = s.link JOIN operator o ON o.id = s.operator
 WHERE s.message_id = ?1 AND s.seq = ?2
 ORDER BY s.part

-- name: explained_trail
-- A receipt that was matched later has its octets and its time of arrival in the row it was first kept in.
SELECT coalesce(first.received_at, t.received_at), l.name, t.part, t.verdict, t.origin IS NOT NULL, t.smsc_id,
       t.state, t.stat, t.error, t.done_at, t.flags, coalesce(first.raw, t.raw)
  FROM trail t JOIN link l ON l.id = t.link LEFT JOIN trail first ON first.id = t.origin
 WHERE t.message_id = ?1 AND t.seq = ?2
 ORDER BY t.id

-- name: orphans
SELECT u.trail, t.received_at, l.name, o.name, CASE WHEN u.waits = 1 THEN 'parked' ELSE 'orphan' END, t.smsc_id, u.source_addr, u.destination_addr,
       t.stat, t.error, t.flags, t.raw
  FROM unmatched u JOIN trail t ON t.id = u.trail JOIN link l ON l.id = t.link JOIN operator o ON o.id = u.operator
 WHERE u.trail > ?1
 ORDER BY u.trail
 LIMIT ?2

-- name: take_block
INSERT INTO setting (name, value) VALUES ('next_message_id', '1001')
    ON CONFLICT (name) DO UPDATE SET value = (setting.value + 1000) || '' RETURNING value - 1000

-- name: insert_operator
INSERT INTO operator (name) VALUES (?) ON CONFLICT DO NOTHING

-- name: operator_named
SELECT id FROM operator WHERE name = ?

-- name: keep_link
INSERT INTO link (name, operator, resubmit_uncertain, prefixes, sender, stop_number) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (name) DO UPDATE SET operator = ?2, resubmit_uncertain = ?3, prefixes = ?4, sender = ?5, stop_number = ?6

-- name: keep_route
INSERT INTO route (name, link) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET link = ?2

-- name: routes
SELECT id, name FROM route

-- name: links
SELECT id, name, operator, resubmit_uncertain, sender, stop_number, prefixes FROM link ORDER BY id

-- name: something_waits
-- For one link: to be submitted for the first time, or again.
SELECT EXISTS (SELECT 1 FROM outgoing WHERE link = ?1) OR EXISTS (SELECT 1 FROM segment WHERE link = ?1 AND phase = 2)

-- name: links_kept
SELECT name, added, settings FROM link_kept ORDER BY name

-- name: link_kept
SELECT name, added, settings FROM link_kept WHERE name = ?1

-- name: keep_link_settings
INSERT INTO link_kept (name, added, settings) VALUES (?1, ?2, ?3)
    ON CONFLICT (name) DO UPDATE SET added = ?2, settings = ?3

-- name: forget_link_settings
DELETE FROM link_kept WHERE name = ?1

-- name: link_work
-- Recipients that wait for a link or for those that share its routes; segments put off; segments without a response.
SELECT (SELECT count(*)
          FROM outgoing o
          JOIN recipient r ON r.message_id = o.message_id AND r.link = o.link AND r.seq BETWEEN o.next_seq AND o.last_seq
         WHERE o.link = ?1 OR o.link IN (SELECT -route.id FROM route WHERE route.link = ?1)),
       (SELECT count(*) FROM segment WHERE link = ?1 AND phase = 2),
       (SELECT count(*) FROM segment WHERE link = ?1 AND phase = 1)

-- name: link_named
SELECT id FROM link WHERE name = ?

-- name: operator_forms
SELECT id, as_is, strip_zeros, hex_to_dec, dec_to_hex, ambiguous, dates FROM operator
 WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id

-- name: operator_shown
SELECT as_is, strip_zeros, hex_to_dec, dec_to_hex, ambiguous, dates FROM operator WHERE id = ?
