-- Settings that the store keeps for itself, and how much there is of everything.

-- name: counts
SELECT (SELECT count(*) FROM message),
       (SELECT count(*) FROM recipient),
       (SELECT count(*) FROM outgoing o JOIN recipient r
            ON r.message_id = o.message_id AND r.link = o.link AND r.seq BETWEEN o.next_seq AND o.last_seq),
       (SELECT count(*) FROM segment WHERE phase = {SegmentPhase.SUBMITTED} OR phase = {SegmentPhase.UNCERTAIN}),
       (SELECT count(*) FROM unmatched)

-- name: counts_by_state
SELECT state, count(*) FROM recipient GROUP BY state

-- name: keep_setting
INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value

-- name: setting
SELECT value FROM setting WHERE name = :name
