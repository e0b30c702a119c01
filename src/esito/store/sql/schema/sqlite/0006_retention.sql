-- What is gone from each message, what messages cost that are gone themselves, and ways to find messages.

ALTER TABLE account ADD COLUMN retired INTEGER NOT NULL DEFAULT 0;   -- prices of recipients that were removed
ALTER TABLE message ADD COLUMN stage INTEGER NOT NULL DEFAULT 0;     -- 0 whole, 1 without texts, 2 without numbers too

CREATE INDEX message_by_stage ON message (stage, due_at);
CREATE INDEX message_in_sandbox ON message (due_at) WHERE sandbox = 1;
CREATE INDEX message_by_time ON message (account, created_at);
CREATE INDEX message_by_reference ON message (account, reference, created_at) WHERE reference IS NOT NULL;
