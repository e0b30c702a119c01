-- What goes to an operator next.

-- name: due
SELECT EXISTS (SELECT 1 FROM outgoing WHERE link {in: routes} AND lane > 0)
    OR EXISTS (SELECT 1 FROM outgoing WHERE link {in: routes} AND lane = 0 AND due_at <= :at)
    OR EXISTS (SELECT 1 FROM segment WHERE link {in: links} AND phase = {SegmentPhase.LATER} AND retry_at <= :at)
    OR EXISTS (SELECT 1 FROM segment WHERE link {in: links} AND phase = {SegmentPhase.LATER} AND retry_at > :too_far)

-- name: postponed
SELECT {many: message_id, seq, part} FROM (
    SELECT message_id, seq, part FROM segment
     WHERE link = :link AND phase = {SegmentPhase.LATER} AND retry_at <= :at
     ORDER BY retry_at, message_id, seq, part LIMIT :limit {postgres: FOR UPDATE SKIP LOCKED}) AS again

-- name: put_off_too_far
SELECT {many: message_id, seq, part} FROM (
    SELECT message_id, seq, part FROM segment
     WHERE link = :link AND phase = {SegmentPhase.LATER} AND retry_at > :after ORDER BY retry_at LIMIT :limit {postgres: FOR UPDATE SKIP LOCKED}) AS ahead

-- name: bring_forward
UPDATE segment SET retry_at = ahead.retry_at
  FROM {rows: message_id bigint, seq int, part int, retry_at bigint} AS ahead
 WHERE segment.message_id = ahead.message_id AND segment.seq = ahead.seq AND segment.part = ahead.part

-- name: postponed_elsewhere
-- Segments that another link was to submit again, of recipients with one of these routes. One that may have been taken
-- stays with its operator.
SELECT {many: message_id, seq, part} FROM (
    SELECT s.message_id, s.seq, s.part
      FROM segment s CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq
     WHERE s.link = :link AND s.phase = {SegmentPhase.LATER} AND s.retry_at <= :at AND r.link {in: routes}
       AND (s.number_tail IS NULL OR s.operator = :operator)
     ORDER BY s.retry_at, s.message_id, s.seq, s.part LIMIT :limit
       {postgres: FOR UPDATE OF s SKIP LOCKED}) AS again

-- name: waiting
-- The lanes of a route that have work, beyond a lane, at most so many, each with the weight of its account;
-- and lane 0 when something that was scheduled is due. The index leads from each lane to the next.
WITH RECURSIVE turn (lane, number) AS (
    SELECT * FROM (SELECT lane, 1 FROM outgoing WHERE link = :link AND lane > :after ORDER BY lane LIMIT 1) AS first
    UNION ALL
    SELECT (SELECT o.lane FROM outgoing o WHERE o.link = :link AND o.lane > turn.lane ORDER BY o.lane LIMIT 1), number + 1
      FROM turn WHERE turn.lane IS NOT NULL AND number < :lanes
)
SELECT turn.lane, coalesce(CAST(a.profile{postgres: ::json} ->> 'weight' AS int), 1)
  FROM turn LEFT JOIN account a ON a.id = turn.lane & 1099511627775 WHERE turn.lane IS NOT NULL
UNION ALL
SELECT 0, 0 WHERE EXISTS (SELECT 1 FROM outgoing WHERE link = :link AND lane = 0 AND due_at <= :at)

-- name: come_due
SELECT {many: due_at, message_id, recipients, account, priority, gamme} FROM (
    SELECT o.due_at, o.message_id, o.last_seq - o.next_seq + 1 AS recipients, m.account, m.priority, m.gamme
      FROM outgoing o CROSS JOIN message m ON m.id = o.message_id
     WHERE o.link = :link AND o.lane = 0 AND o.due_at <= :at
     ORDER BY o.due_at, o.message_id LIMIT :limit
       {postgres: FOR UPDATE OF o SKIP LOCKED}) AS due

-- name: set_lane
UPDATE outgoing SET lane = due.lane
  FROM {rows: link int, due_at bigint, message_id bigint, lane bigint} AS due
 WHERE outgoing.link = due.link AND outgoing.lane = 0 AND outgoing.due_at = due.due_at
   AND outgoing.message_id = due.message_id

-- name: outgoing
SELECT {many: due_at, message_id, next_seq, next_part, last_seq, seq, segments} FROM (
    SELECT o.due_at, o.message_id, o.next_seq, o.next_part, o.last_seq, r.seq, r.segments
      FROM outgoing o
      CROSS JOIN recipient r ON r.message_id = o.message_id AND r.seq BETWEEN o.next_seq AND o.last_seq
                            AND r.link = o.link
     WHERE o.link = :link AND o.lane = :lane
     ORDER BY o.due_at, o.message_id, r.seq
     LIMIT :limit
       {postgres: FOR UPDATE OF o SKIP LOCKED}) AS work

-- name: resubmit
-- Of a try that the operator may have taken, it is kept when it left.
UPDATE segment SET tries = CASE WHEN number_tail IS NULL OR status <> 0 OR length(tries) > 300 THEN tries
                                ELSE coalesce(tries || ' ', '') || attempts || ':' || submitted_at END,
                   phase = {SegmentPhase.SUBMITTED}, attempts = attempts + 1, submitted_at = again.submitted_at, retry_at = NULL,
                   link = again.link, operator = again.operator
  FROM {rows: message_id bigint, seq int, part int, submitted_at bigint, link int, operator int} AS again
 WHERE segment.message_id = again.message_id AND segment.seq = again.seq AND segment.part = again.part

-- name: insert_segments
INSERT INTO segment (message_id, seq, part, link, operator, phase, attempts, submitted_at, state)
{values: message_id bigint, seq int, part int, link int, operator int, phase smallint, attempts int, submitted_at bigint, state smallint}

-- name: delete_outgoing
DELETE FROM outgoing WHERE (link, lane, due_at, message_id) IN ({values: link int, lane bigint, due_at bigint, message_id bigint})

-- name: move_outgoing
UPDATE outgoing SET next_seq = :next_seq, next_part = :next_part WHERE link = :link AND lane = :lane AND due_at = :due_at AND message_id = :message_id

-- name: submissions
SELECT {many: s.message_id, s.seq, s.part, '+' || r.msisdn, m.sender, t.text, m.unicode,
                                   r.segments, s.attempts, m.priority, t.stop_number}
  FROM {rows: message_id bigint, seq int, part int} AS claimed
  CROSS JOIN segment s ON s.message_id = claimed.message_id AND s.seq = claimed.seq AND s.part = claimed.part
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq
  CROSS JOIN message m ON m.id = s.message_id
  CROSS JOIN message_text t ON t.message_id = r.message_id AND t.number = r.text
