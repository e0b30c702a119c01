-- A callback knows its account, so that one account's are listed by one index and claimed apart from all others'; and
-- whether its message was one of the sandbox, which comes last.

ALTER TABLE callback ADD COLUMN account INTEGER;                       -- null as long as it is new
ALTER TABLE callback ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0;

DROP INDEX callback_open;
DROP INDEX callback_dead;
DROP INDEX callback_by_destination;
DROP INDEX destination_disabled;
UPDATE callback SET account = (SELECT d.account FROM destination d WHERE d.id = callback.destination),
                    sandbox = coalesce((SELECT m.sandbox FROM message m WHERE m.id = callback.message_id), 0)
 WHERE destination IS NOT NULL;

-- No index below takes a new row: those are written with receipts, where every page counts.
-- Written with OR: from an IN the planner would not conclude that `phase = 1` is covered.
CREATE INDEX callback_open ON callback (sandbox, account, destination, phase, next_at)
 WHERE phase = 1 OR phase = 2 OR phase = 3;
CREATE INDEX callback_dead ON callback (destination) WHERE phase = 5;
-- 3 stands for all that are open, 4 for done, 5 for dead.
CREATE INDEX callback_by_account ON callback (account, max(phase, 3), at) WHERE account IS NOT NULL;

-- The paths of a destination that have answered with HTTP 410: nothing is posted there any more.
CREATE TABLE gone_path (
    destination INTEGER NOT NULL,
    digest      INTEGER NOT NULL,
    path        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (destination, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX gone_path_by_age ON gone_path (destination, at);
-- Until now the answer of one path disabled all of its server.
UPDATE destination SET disabled_at = NULL, reason = NULL WHERE reason = 'HTTP 410';
