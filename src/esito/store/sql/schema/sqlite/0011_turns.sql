-- Routes of several links, priorities, and lanes in which accounts take turns.

-- A number that several links serve has one of them for its own, and others that may take its place.
CREATE TABLE route (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT    NOT NULL UNIQUE,                     -- its own link, then > and the others, with commas
    link INTEGER NOT NULL                             -- its own link
) STRICT;

ALTER TABLE message ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;

-- What has still to be claimed: recipients next_seq..last_seq of a message that have the same route.
ALTER TABLE outgoing RENAME TO outgoing_before;
CREATE TABLE outgoing (
    link       INTEGER NOT NULL,                      -- the route: a link, or minus the number of a `route`
    lane       INTEGER NOT NULL,                      -- account and rank (`domain/turns`); 0: not due yet
    due_at     INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    next_seq   INTEGER NOT NULL,
    next_part  INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    PRIMARY KEY (link, lane, due_at, message_id)
) STRICT, WITHOUT ROWID;
INSERT INTO outgoing (link, lane, due_at, message_id, next_seq, next_part, last_seq)
SELECT o.link,
       CASE WHEN o.due_at > m.created_at THEN 0
            ELSE (12 + (m.gamme - 1) * 2 + (o.last_seq - o.next_seq >= 10)) * 1099511627776 + m.account END,
       o.due_at, o.message_id, o.next_seq, o.next_part, o.last_seq
  FROM outgoing_before o JOIN message m ON m.id = o.message_id;
DROP TABLE outgoing_before;
CREATE INDEX outgoing_by_message ON outgoing (message_id);
