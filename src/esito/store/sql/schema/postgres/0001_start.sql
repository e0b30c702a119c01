-- What PostgreSQL has beside what both engines have: partitions, and what they need.

-- Message ids are handed out a thousand at a time; a number from a sequence is never given twice.
CREATE SEQUENCE message_block MINVALUE 0 START 0;

-- The partitions that there are: number n holds the ids from n * 10,000,000 + 1.
CREATE TABLE span (
    number    bigint PRIMARY KEY,
    opened_at timestamptz NOT NULL DEFAULT now()
);

CREATE SEQUENCE trail_id;

CREATE INDEX recipient_by_number ON recipient (msisdn);

CREATE INDEX trail_by_id ON trail (id);

CREATE TABLE trail_loose PARTITION OF trail FOR VALUES FROM (0) TO (1);

CREATE INDEX unmatched_by_operator ON unmatched (operator, trail);

CREATE INDEX unmatched_key_by_trail ON unmatched_key (trail);

CREATE INDEX callback_new ON callback (id) WHERE phase = 0;

CREATE INDEX reply_by_response ON reply (response) WHERE response IS NOT NULL;

CREATE INDEX response_by_source ON response (source);

-- The last transaction of every process that writes: after a connection is lost it tells what became of a commit.
CREATE TABLE writer (
    name   text PRIMARY KEY,
    number bigint      NOT NULL,
    at     timestamptz NOT NULL                       -- when it last began to write
) WITH (fillfactor = 20);

-- Make the partitions of one span. They are made on their own and attached, which stops nobody who reads or writes.
-- Rows change once or twice after they are written (submitted, answered, reported): room is left in each page, so
-- that the change needs no new index entries, and the vacuum comes after a fiftieth of a table has changed.
CREATE FUNCTION make_span(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    fill   int;
    child  text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('esito span'));
    IF EXISTS (SELECT 1 FROM span WHERE number = wanted) THEN
        RETURN;
    END IF;
    FOR parent, fill IN VALUES ('message', 80), ('message_text', 100), ('recipient', 50), ('segment', 50), ('trail', 100)
    LOOP
        child := parent || '_' || wanted;
        EXECUTE format(
            'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = %s,'
            ' autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,'
            ' autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 1)', child, parent, fill);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            parent, child, wanted * 10000000 + 1, (wanted + 1) * 10000000 + 1);
    END LOOP;
    INSERT INTO span (number) VALUES (wanted);
END $$;

-- Remove a partition of each table with all that is in it; false when somebody who reads them would have to be waited for.
CREATE FUNCTION drop_span(unwanted bigint) RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
    parent text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('esito span'));
    FOREACH parent IN ARRAY ARRAY['message', 'message_text', 'recipient', 'segment', 'trail']
    LOOP
        EXECUTE format('DROP TABLE %I', parent || '_' || unwanted);
    END LOOP;
    DELETE FROM span WHERE number = unwanted;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $$;

-- Hand out a thousand message ids; return the first.
CREATE FUNCTION take_block() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    block bigint := nextval('message_block');
BEGIN
    IF NOT EXISTS (SELECT 1 FROM span WHERE number = block / 10000) THEN
        PERFORM make_span(block / 10000);
    END IF;
    RETURN block * 1000 + 1;
END $$;

SELECT make_span(0);
