-- Leases, and what came through a log of receipts between gateways and this store.

CREATE TABLE lease (
    name       TEXT    PRIMARY KEY,
    holder     TEXT    NOT NULL,
    token      INTEGER NOT NULL,                      -- grows with every change of hands
    expires_at INTEGER NOT NULL,
    told       TEXT    NOT NULL DEFAULT ''            -- what the holder says of it
) STRICT, WITHOUT ROWID;

CREATE TABLE frame_mark (
    gateway   TEXT    NOT NULL,
    epoch     INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,                       -- every frame up to this one is applied
    PRIMARY KEY (gateway, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE frame_beyond (
    gateway  TEXT    NOT NULL,
    epoch    INTEGER NOT NULL,
    sequence INTEGER NOT NULL,                        -- applied, though one before it is missing
    PRIMARY KEY (gateway, epoch, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE poison (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    place   INTEGER NOT NULL UNIQUE,                  -- where it stood in the log
    reason  TEXT    NOT NULL,
    content BLOB    NOT NULL
) STRICT;
