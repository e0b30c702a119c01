-- Replies: each piece as it came (`reply`), the whole ones (`response`), and whom a number heard from (`sent_to`).

ALTER TABLE reply ADD COLUMN text BLOB NOT NULL DEFAULT x'';      -- UTF-16BE: half of a surrogate pair is kept
ALTER TABLE reply ADD COLUMN phase INTEGER NOT NULL DEFAULT 1;    -- 1 done, 2 waits for other parts, 3 repeated
ALTER TABLE reply ADD COLUMN reference INTEGER;
ALTER TABLE reply ADD COLUMN total INTEGER NOT NULL DEFAULT 1;
ALTER TABLE reply ADD COLUMN part INTEGER NOT NULL DEFAULT 1;
ALTER TABLE reply ADD COLUMN response INTEGER;                    -- of which whole it is a piece
CREATE INDEX reply_by_source ON reply (source, received_at);
CREATE INDEX reply_waiting ON reply (received_at) WHERE phase = 2;

-- A number is given when a reply is whole and never again, so that pages of them hold still.
CREATE TABLE response (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,                     -- of its first piece
    link        INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    destination TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    account     INTEGER,
    message_id  INTEGER,
    seq         INTEGER,
    missing     INTEGER NOT NULL,                     -- parts that never came
    text        TEXT    NOT NULL
) STRICT;
CREATE INDEX response_by_account ON response (account, id) WHERE account IS NOT NULL;

-- What subscribers who sent STOP are still to be answered, or were.
CREATE TABLE stop_answer (
    response   INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL,
    msisdn     INTEGER NOT NULL,
    sender     TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    done       INTEGER NOT NULL DEFAULT 0,
    message_id INTEGER
) STRICT;
CREATE INDEX stop_answer_due ON stop_answer (response) WHERE done = 0;
CREATE INDEX stop_answer_message ON stop_answer (message_id) WHERE message_id IS NOT NULL;

-- Recipients by number, in runs that each cover consecutive message ids. An index on recipient would touch a page
-- for every number that is accepted; a run is written at its end in one go, sorted, long after the send was answered.
CREATE TABLE sent_run (
    id              INTEGER PRIMARY KEY,
    last_message_id INTEGER NOT NULL,
    newest_due_at   INTEGER NOT NULL
) STRICT;
CREATE TABLE sent_to (
    run        INTEGER NOT NULL,
    msisdn     INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (run, msisdn, message_id, seq)
) STRICT, WITHOUT ROWID;
