-- What submit_sm_resp say, and what is left without one.

-- name: answer_accepted
-- A segment that stands refused was taken after all, by an earlier attempt.
UPDATE segment SET phase = {SegmentPhase.ANSWERED}, answered_at = a.answered_at, smsc_id = a.smsc_id, match_key = a.match_key, status = 0,
                   retry_at = NULL, tries = tries || coalesce(' ' || a.attempt, '')
  FROM {rows: message_id bigint, seq int, part int, answered_at bigint, smsc_id text, match_key text, attempt int} AS a
 WHERE segment.message_id = a.message_id AND segment.seq = a.seq AND segment.part = a.part
   AND segment.phase IN ({SegmentPhase.SUBMITTED}, {SegmentPhase.LATER}, {SegmentPhase.REFUSED}, {SegmentPhase.UNCERTAIN})

-- name: forget_tails
-- Of segments whose id is about to be known, but where an earlier attempt may have been taken under another one.
UPDATE segment SET number_tail = NULL
  FROM {rows: message_id bigint, seq int, part int} AS a
 WHERE segment.message_id = a.message_id AND segment.seq = a.seq AND segment.part = a.part
   AND segment.phase IN ({SegmentPhase.SUBMITTED}, {SegmentPhase.LATER}, {SegmentPhase.REFUSED}, {SegmentPhase.UNCERTAIN}) AND segment.attempts = 1

-- name: ask_later
UPDATE segment SET query_at = submitted_at + a.after
  FROM {rows: message_id bigint, seq int, part int, after bigint} AS a
 WHERE segment.message_id = a.message_id AND segment.seq = a.seq AND segment.part = a.part
   AND segment.phase IN ({SegmentPhase.SUBMITTED}, {SegmentPhase.LATER}, {SegmentPhase.REFUSED}, {SegmentPhase.UNCERTAIN})

-- name: answers_bear_on
-- What answers of an operator may decide beside their segments: 1 for segments whose id is not known, 2 and 4 for
-- receipts that several segments fit, and that wait for a response. The planner takes the index on what waits
-- for `waits > 0` alone.
SELECT CAST(EXISTS (SELECT 1 FROM segment WHERE operator = :operator AND number_tail IS NOT NULL) AS int)
     + CAST(EXISTS (SELECT 1 FROM unmatched WHERE operator = :operator AND waits > 0 AND waits IN ({Waits.FORM}, {Waits.TWINS})) AS int) * 2
     + CAST(EXISTS (SELECT 1 FROM unmatched WHERE operator = :operator AND waits > 0 AND waits = {Waits.RESPONSE}) AS int) * 4

-- name: accepted_before
-- Segments that stand accepted under another id than the response brings: their attempts, their id, and that one.
SELECT {many: s.message_id, s.seq, s.part, s.attempts, s.smsc_id, a.smsc_id}
  FROM {rows: message_id bigint, seq int, part int, smsc_id text} AS a
  CROSS JOIN segment s ON s.message_id = a.message_id AND s.seq = a.seq AND s.part = a.part
 WHERE s.phase = {SegmentPhase.ANSWERED} AND s.smsc_id <> a.smsc_id

-- name: respell
UPDATE segment SET smsc_id = a.smsc_id, match_key = a.match_key
  FROM {rows: message_id bigint, seq int, part int, smsc_id text, match_key text} AS a
 WHERE segment.message_id = a.message_id AND segment.seq = a.seq AND segment.part = a.part

-- name: answer_twice
-- Two attempts were taken: the segment keeps its id, and receipts with the other one find it by its number.
UPDATE segment SET number_tail = (SELECT r.msisdn % 10000000 FROM recipient r
                                   WHERE r.message_id = segment.message_id AND r.seq = segment.seq)
  FROM {rows: message_id bigint, seq int, part int} AS a
 WHERE segment.message_id = a.message_id AND segment.seq = a.seq AND segment.part = a.part

-- name: answer_other
-- An answer to an earlier attempt than the last says nothing of that one.
-- One that says that the only attempt was not taken ends all doubt about it.
UPDATE segment SET phase = a.phase, answered_at = a.answered_at, status = a.status, retry_at = a.retry_at,
                   number_tail = CASE WHEN a.status <> 0 AND segment.attempts = 1 THEN NULL ELSE number_tail END,
                   attempts = segment.attempts - a.again
  FROM {rows: message_id bigint, seq int, part int, phase smallint, answered_at bigint, status bigint, retry_at bigint, attempts int, again int} AS a
 WHERE segment.message_id = a.message_id AND segment.seq = a.seq AND segment.part = a.part
   AND segment.phase IN ({SegmentPhase.SUBMITTED}, {SegmentPhase.LATER}, {SegmentPhase.UNCERTAIN}) AND segment.attempts = coalesce(a.attempts, segment.attempts)

-- name: refused
SELECT {many: s.message_id, s.seq, s.part}
  FROM {rows: message_id bigint, seq int, part int} AS a
  CROSS JOIN segment s ON s.message_id = a.message_id AND s.seq = a.seq AND s.part = a.part
 WHERE s.phase = {SegmentPhase.REFUSED}

-- name: told_by_sisters
-- Segments that have just got an id whose receipt came already, for another segment of the recipient.
SELECT {many: a.message_id, a.seq, a.part, s.smsc_id, o.state, coalesce(o.error, '')}
  FROM {rows: message_id bigint, seq int, part int} AS a
  CROSS JOIN segment s ON s.message_id = a.message_id AND s.seq = a.seq AND s.part = a.part
  CROSS JOIN segment o ON o.message_id = s.message_id AND o.seq = s.seq AND o.part <> s.part
 WHERE o.smsc_id = s.smsc_id AND s.smsc_id <> '' AND o.state > s.state

-- name: recover_again
UPDATE segment SET phase = {SegmentPhase.LATER}, status = NULL, retry_at = :retry_at
 WHERE phase = {SegmentPhase.SUBMITTED} AND link IN (SELECT id FROM link WHERE resubmit_uncertain = 1 AND (:link = '' OR name = :link))

-- name: recover_uncertain
UPDATE segment SET phase = {SegmentPhase.UNCERTAIN} WHERE phase = {SegmentPhase.SUBMITTED} AND link IN (SELECT id FROM link WHERE :link = '' OR name = :link)

-- name: open_submissions
SELECT {many: r.msisdn || '', s.submitted_at}
  FROM link l
  CROSS JOIN segment s ON s.link = l.id AND s.phase = {SegmentPhase.SUBMITTED}
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq
 WHERE l.operator = :operator

-- name: has_uncertain
-- 0 when it has none, 1 for old ones, 2 when one left after an instant.
SELECT CAST(EXISTS (SELECT 1 FROM segment WHERE operator = :operator AND number_tail IS NOT NULL) AS int)
     + CAST(EXISTS (SELECT 1 FROM segment WHERE operator = :operator AND number_tail IS NOT NULL AND submitted_at > :since) AS int)

-- name: unanswered
SELECT {many: s.operator, s.message_id, s.seq, s.part}
  FROM link l CROSS JOIN segment s ON s.link = l.id AND s.phase = {SegmentPhase.SUBMITTED}
 WHERE :link = '' OR l.name = :link

-- name: set_tails
-- Segments that the operator may have, under an id that nobody knows.
UPDATE segment SET number_tail = (SELECT r.msisdn % 10000000 FROM recipient r
                                   WHERE r.message_id = segment.message_id AND r.seq = segment.seq)
  FROM {rows: message_id bigint, seq int, part int} AS a
 WHERE segment.message_id = a.message_id AND segment.seq = a.seq AND segment.part = a.part
   AND (segment.phase IN ({SegmentPhase.LATER}, {SegmentPhase.UNCERTAIN}) OR (segment.phase = {SegmentPhase.ANSWERED} AND segment.match_key IS NULL))

-- name: tailed_numbers
SELECT {many: r.msisdn || ''}
  FROM {rows: message_id bigint, seq int, part int} AS a
  CROSS JOIN segment s ON s.message_id = a.message_id AND s.seq = a.seq AND s.part = a.part
  CROSS JOIN recipient r ON r.message_id = s.message_id AND r.seq = s.seq
 WHERE s.number_tail IS NOT NULL

-- name: owes_answers
SELECT EXISTS (SELECT 1 FROM link l CROSS JOIN segment s ON s.link = l.id AND s.phase = {SegmentPhase.SUBMITTED} WHERE l.operator = :operator)
