-- What Esito keeps, in SQLite. Instants are milliseconds since the epoch, UTC; money is micro-euros;
-- an MSISDN is its E.164 digits as an integer. Tables whose rows are found by message id lead with it.

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    state      TEXT    NOT NULL,
    granted    INTEGER NOT NULL,                      -- all credit ever given
    credit     INTEGER NOT NULL CHECK (credit >= 0),  -- what is left of it
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id),
    digest     BLOB    NOT NULL UNIQUE,               -- keyed hash; the key itself is kept nowhere
    label      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    disabled   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE stop (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL,
    msisdn     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (account, msisdn)
) STRICT;

CREATE TABLE operator (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- What the matches so far say about the form of its ids in receipts.
    as_is       INTEGER NOT NULL DEFAULT 0,
    strip_zeros INTEGER NOT NULL DEFAULT 0,
    hex_to_dec  INTEGER NOT NULL DEFAULT 0,
    dec_to_hex  INTEGER NOT NULL DEFAULT 0,
    ambiguous   INTEGER NOT NULL DEFAULT 0            -- receipts refused because their id could mean two segments
) STRICT;

CREATE TABLE link (
    id                 INTEGER PRIMARY KEY,
    name               TEXT    NOT NULL UNIQUE,
    operator           INTEGER NOT NULL REFERENCES operator (id),
    resubmit_uncertain INTEGER NOT NULL
) STRICT;

CREATE TABLE message (
    id           INTEGER PRIMARY KEY,
    account      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    check_at     INTEGER,                             -- when to look for recipients that nobody reported on
    sender       TEXT    NOT NULL,
    gamme        INTEGER NOT NULL,
    unicode      INTEGER NOT NULL,
    sandbox      INTEGER NOT NULL,
    tag          TEXT,
    reference    TEXT,
    url_dlr      TEXT,
    url_response TEXT
) STRICT;
CREATE INDEX message_by_tag ON message (account, tag, id) WHERE tag IS NOT NULL;
CREATE INDEX message_to_check ON message (check_at) WHERE check_at IS NOT NULL;

CREATE TABLE message_text (
    message_id INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    text       TEXT    NOT NULL,
    PRIMARY KEY (message_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE recipient (
    message_id INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    msisdn     INTEGER NOT NULL,
    link       INTEGER NOT NULL,
    text       INTEGER NOT NULL,
    segments   INTEGER NOT NULL,
    cost       INTEGER NOT NULL,
    state      INTEGER NOT NULL,                      -- rung of the ladder
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (message_id, seq)
) STRICT, WITHOUT ROWID;

-- What a link has still to claim: recipients next_seq..last_seq of a message that leave by it.
CREATE TABLE outgoing (
    link       INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    next_seq   INTEGER NOT NULL,
    next_part  INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    PRIMARY KEY (link, due_at, message_id)
) STRICT, WITHOUT ROWID;

-- A segment has a row from the moment its submission is intended.
CREATE TABLE segment (
    message_id   INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    part         INTEGER NOT NULL,
    link         INTEGER NOT NULL,
    operator     INTEGER NOT NULL,
    phase        INTEGER NOT NULL,                    -- 1 submitted, 2 later, 3 answered, 4 refused, 5 uncertain
    attempts     INTEGER NOT NULL,
    submitted_at INTEGER NOT NULL,
    retry_at     INTEGER,
    answered_at  INTEGER,
    status       INTEGER,                             -- command_status of the response
    smsc_id      TEXT,                                -- as the operator wrote it
    shelf        TEXT,                                -- its canonical form
    state        INTEGER NOT NULL,
    done_at      INTEGER,
    error        TEXT,
    PRIMARY KEY (message_id, seq, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX segment_by_shelf ON segment (operator, shelf) WHERE shelf IS NOT NULL;
-- Written with OR: from an IN the planner would not conclude that `phase = 2` is covered.
CREATE INDEX segment_unsettled ON segment (link, phase, retry_at) WHERE phase = 1 OR phase = 2 OR phase = 5;

-- Every receipt ever acknowledged, and every conclusion of our own; rows are never changed.
CREATE TABLE trail (
    id          INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    link        INTEGER NOT NULL,
    message_id  INTEGER,
    seq         INTEGER,
    part        INTEGER,
    verdict     TEXT    NOT NULL,
    smsc_id     TEXT    NOT NULL,
    state       INTEGER,
    stat        TEXT    NOT NULL,
    error       TEXT    NOT NULL,
    done_at     INTEGER,
    flags       TEXT    NOT NULL,
    origin      INTEGER,                              -- the row that holds the receipt, when it was matched later
    raw         BLOB    NOT NULL,
    checksum    INTEGER NOT NULL
) STRICT;
CREATE INDEX trail_by_recipient ON trail (message_id, seq) WHERE message_id IS NOT NULL;
CREATE INDEX trail_by_origin ON trail (origin) WHERE origin IS NOT NULL;

-- Receipts whose segment is not known yet, and the canonical ids they may answer to.
CREATE TABLE unmatched (
    trail               INTEGER PRIMARY KEY,
    operator            INTEGER NOT NULL,
    source_addr         TEXT    NOT NULL,
    destination_addr    TEXT    NOT NULL
) STRICT;
CREATE TABLE unmatched_shelf (
    operator INTEGER NOT NULL,
    shelf    TEXT    NOT NULL,
    trail    INTEGER NOT NULL,
    PRIMARY KEY (operator, shelf, trail)
) STRICT, WITHOUT ROWID;

-- Changes of a public status that a sender wants to be told; written with the change itself.
CREATE TABLE callback (
    id         INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    done_at    INTEGER
) STRICT;
CREATE INDEX callback_by_recipient ON callback (message_id, seq);

-- What subscribers wrote to us, as it came.
CREATE TABLE reply (
    id          INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    link        INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    destination TEXT    NOT NULL,
    raw         BLOB    NOT NULL
) STRICT;
