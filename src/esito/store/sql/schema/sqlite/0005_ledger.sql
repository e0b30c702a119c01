-- Sub-accounts, what was spent month by month, and what administrators did.

ALTER TABLE account ADD COLUMN parent INTEGER;        -- of a sub-account: the account that made it
ALTER TABLE account ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN email TEXT;
ALTER TABLE account ADD COLUMN token TEXT;            -- names a sub-account to its parent; gone once it is removed
CREATE INDEX account_by_parent ON account (parent, id) WHERE token IS NOT NULL;
CREATE UNIQUE INDEX account_by_token ON account (token) WHERE token IS NOT NULL;

-- By month in Paris (`2026-11`) of the acceptance; a refund is taken off the month of its message.
CREATE TABLE spending (
    account  INTEGER NOT NULL,
    month    TEXT    NOT NULL,
    cost     INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    PRIMARY KEY (account, month)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    act     TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    details TEXT    NOT NULL
) STRICT;
