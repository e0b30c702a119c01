-- Messages whose 48 hours are over.

-- name: messages_to_check
-- With how many recipients each has.
SELECT m.id, m.due_at, (SELECT coalesce(max(r.seq), 0) + 1 FROM recipient r WHERE r.message_id = m.id)
  FROM message m WHERE m.check_at <= :at ORDER BY m.check_at LIMIT :limit {postgres: FOR UPDATE SKIP LOCKED}

-- name: never_submitted
SELECT r.message_id, r.seq, r.cost, r.segments, m.account, m.created_at
  FROM recipient r CROSS JOIN message m ON m.id = r.message_id
 WHERE r.message_id {in: messages} AND r.state = 0
   AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.message_id = r.message_id AND s.seq = r.seq
                     AND (s.phase <> {SegmentPhase.LATER} OR s.number_tail IS NOT NULL))

-- name: unreported
SELECT s.message_id, s.seq, s.part, s.submitted_at, l.name
  FROM recipient r CROSS JOIN segment s ON s.message_id = r.message_id AND s.seq = r.seq CROSS JOIN link l ON l.id = s.link
 WHERE r.message_id {in: messages} AND r.state BETWEEN 0 AND 7 AND s.state BETWEEN 0 AND 2
   AND (s.phase <> {SegmentPhase.LATER} OR s.number_tail IS NOT NULL)
 ORDER BY s.message_id, s.seq, s.part

-- name: set_check
UPDATE message SET check_at = next.check_at FROM {rows: message_id bigint, check_at bigint} AS next WHERE message.id = next.message_id

-- name: make_ko
UPDATE recipient SET state = -1, changed_at = ko.at, cost = 0
  FROM {rows: message_id bigint, seq int, at bigint} AS ko WHERE recipient.message_id = ko.message_id AND recipient.seq = ko.seq

-- name: drop_postponed_of
-- What the operator may have from an earlier try is uncertain, not refused.
UPDATE segment SET phase = CASE WHEN number_tail IS NULL THEN {SegmentPhase.REFUSED} ELSE {SegmentPhase.UNCERTAIN} END, retry_at = NULL
 WHERE message_id {in: messages} AND phase = {SegmentPhase.LATER}

-- name: callbacks_of_ko
INSERT INTO callback (message_id, seq, state, at)
SELECT ko.message_id, ko.seq, ko.state, ko.at
  FROM {rows: message_id bigint, seq int, state smallint, at bigint} AS ko JOIN message m ON m.id = ko.message_id
 WHERE m.url_dlr IS NOT NULL
