-- The outbox of callbacks: where each is on its way, every attempt, and the servers they go to.

CREATE TABLE destination (
    id            INTEGER PRIMARY KEY,
    account       INTEGER NOT NULL,
    origin        TEXT    NOT NULL,                   -- scheme://host:port
    last_success  INTEGER,
    failing_since INTEGER,                            -- the first failure since the last success
    disabled_at   INTEGER,
    reason        TEXT,
    UNIQUE (account, origin)
) STRICT;
CREATE INDEX destination_disabled ON destination (id) WHERE disabled_at IS NOT NULL;

-- Made anew for AUTOINCREMENT: an id is never given twice, so that "beyond the last one sorted" is all that is new.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id  INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    done_at     INTEGER,                              -- when it was done or given up
    kind        INTEGER NOT NULL DEFAULT 1,           -- 1 delivery report to url_dlr, 2 reply to url_response
    body        TEXT,                                 -- of a reply: the JSON to POST
    phase       INTEGER NOT NULL DEFAULT 0,           -- 0 new, 1 due, 2 leased, 3 behind another, 4 done, 5 dead
    destination INTEGER,                              -- null as long as it is new
    attempts    INTEGER NOT NULL DEFAULT 0,
    tries       INTEGER NOT NULL DEFAULT 0,           -- attempts since it was written or replayed
    first_at    INTEGER,                              -- the first of these
    next_at     INTEGER,                              -- due: when to try; leased: when the lease ends
    reason      TEXT                                  -- why it is dead
) STRICT;
INSERT INTO outbox (id, message_id, seq, state, at, done_at) SELECT id, message_id, seq, state, at, done_at FROM callback;
DROP TABLE callback;
ALTER TABLE outbox RENAME TO callback;

CREATE INDEX callback_by_recipient ON callback (message_id, seq);
-- No index below takes a new row: those are written with receipts, where every page counts.
-- Written with OR: from an IN the planner would not conclude that `phase = 1` is covered.
CREATE INDEX callback_open ON callback (destination, phase, next_at) WHERE phase = 1 OR phase = 2 OR phase = 3;
CREATE INDEX callback_dead ON callback (destination, at) WHERE phase = 5;
CREATE INDEX callback_by_destination ON callback (destination, at) WHERE destination IS NOT NULL;

CREATE TABLE callback_attempt (
    callback_id  INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    milliseconds INTEGER NOT NULL,
    status       INTEGER,
    error        TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    answer       BLOB    NOT NULL,                    -- its first kilobyte
    PRIMARY KEY (callback_id, number)
) STRICT, WITHOUT ROWID;

-- Whoever deletes a callback deletes its log.
CREATE TRIGGER callback_deleted AFTER DELETE ON callback BEGIN
    DELETE FROM callback_attempt WHERE callback_id = OLD.id;
END;
