-- Whose a recipient is stands beside it: who asks for its status need not look for the message too.

ALTER TABLE recipient ADD COLUMN account INTEGER NOT NULL DEFAULT 0;
UPDATE recipient SET account = m.account FROM message m WHERE m.id = recipient.message_id;
