-- The number that the STOP mention at the end of a text names (empty: we appended none), and by which link a number is
-- to be known again: the sender of messages that name none (empty: the operator's choice), and where a STOP is to go.

ALTER TABLE message_text ADD COLUMN stop_number TEXT NOT NULL DEFAULT '';
ALTER TABLE link ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE link ADD COLUMN stop_number TEXT NOT NULL DEFAULT '';
