-- What long reads of one account are led by: how many recipients a message has, its place in time, what waits.

ALTER TABLE message ADD COLUMN recipients INTEGER NOT NULL DEFAULT 0;
UPDATE message SET recipients = (SELECT coalesce(max(r.seq) + 1, 0) FROM recipient r WHERE r.message_id = message.id);
DROP INDEX message_by_tag;
CREATE INDEX message_by_tag ON message (account, tag, created_at, id, recipients) WHERE tag IS NOT NULL;

ALTER TABLE outgoing ADD COLUMN account INTEGER NOT NULL DEFAULT 0;
UPDATE outgoing SET account = coalesce((SELECT m.account FROM message m WHERE m.id = outgoing.message_id), 0);
DROP INDEX outgoing_by_message;
CREATE INDEX outgoing_by_account ON outgoing (account, message_id);

CREATE INDEX stop_by_id ON stop (account, id);
