-- When a message was cancelled; and what was answered under an idempotency key.

ALTER TABLE message ADD COLUMN cancelled_at INTEGER;

CREATE TABLE idempotency (
    account    INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    request    BLOB    NOT NULL,                      -- digest of what was asked
    message_id INTEGER NOT NULL,
    answer     TEXT    NOT NULL,                      -- the members of the answer, without the message id
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at);
