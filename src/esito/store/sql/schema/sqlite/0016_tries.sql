-- When the tries of a segment left that may have been taken though a later one was written: 'attempt:instant', with a
-- blank between two; at the end the attempt whose response brought the id.

ALTER TABLE segment ADD COLUMN tries TEXT;
CREATE INDEX segment_tried_again ON segment (operator, number_tail, submitted_at)
 WHERE number_tail IS NOT NULL AND tries IS NOT NULL;
