-- What receipts are matched by beside their id: the end of a number, the operator's submit date, what they wait for.

ALTER TABLE segment ADD COLUMN number_tail INTEGER;   -- last 7 digits of the number, while its id is not known
UPDATE segment SET number_tail = (SELECT r.msisdn % 10000000 FROM recipient r
                                   WHERE r.message_id = segment.message_id AND r.seq = segment.seq)
 WHERE phase = 5 OR (phase = 3 AND shelf IS NULL);
CREATE INDEX segment_by_tail ON segment (operator, number_tail, submitted_at) WHERE number_tail IS NOT NULL;
CREATE INDEX segment_without_id ON segment (operator, submitted_at) WHERE number_tail IS NOT NULL;

ALTER TABLE unmatched ADD COLUMN submitted_at INTEGER;                -- the operator's submit date
ALTER TABLE unmatched ADD COLUMN received_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE unmatched ADD COLUMN waits INTEGER NOT NULL DEFAULT 1;    -- 0 nothing, 1 a response, 2 the form, 3 twins
UPDATE unmatched SET received_at = coalesce((SELECT t.received_at FROM trail t WHERE t.id = unmatched.trail), 0),
       waits = coalesce((SELECT CASE WHEN t.flags LIKE '%ambiguous%' THEN 2 ELSE 1 END
                           FROM trail t WHERE t.id = unmatched.trail), 1);
CREATE INDEX unmatched_waiting ON unmatched (operator, waits, received_at) WHERE waits > 0;
