-- What SQLite has beside what both engines have.

CREATE TRIGGER callback_deleted AFTER DELETE ON callback BEGIN
    DELETE FROM callback_attempt WHERE callback_id = OLD.id;
END;

-- Recipients by number, in runs that each cover consecutive message ids. An index on recipient would touch a page
-- for every number that is accepted; a run is written at its end in one go, sorted, long after the send was answered.
CREATE TABLE sent_run (
    id              bigint PRIMARY KEY,
    last_message_id bigint NOT NULL,
    newest_due_at   bigint NOT NULL
);
CREATE TABLE sent_to (
    run        bigint NOT NULL,
    msisdn     bigint NOT NULL,
    message_id bigint NOT NULL,
    seq        int    NOT NULL,
    PRIMARY KEY (run, msisdn, message_id, seq)
);
