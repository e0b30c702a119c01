-- Keeping a message with its recipients, texts and price.

-- name: standing
-- Accounts and all above them. Whoever takes from a credit, or counts for a ceiling, holds its row until the end; what else
-- there is in one, nobody changes who is not alone.
WITH RECURSIVE line (id) AS (SELECT unnest(:accounts::bigint[])
                              UNION SELECT a.parent FROM line JOIN account a ON a.id = line.id WHERE a.parent IS NOT NULL),
held AS (
    SELECT a.id, a.credit FROM account a
     WHERE a.id IN (SELECT id FROM line)
       AND (a.id = ANY(:accounts::bigint[]) OR coalesce((a.profile::json ->> 'segments_per_day')::numeric, 0) > 0
                                     OR coalesce((a.profile::json ->> 'cost_per_day')::numeric, 0) > 0)
     ORDER BY a.id FOR NO KEY UPDATE
)
SELECT a.id, coalesce(held.credit, a.credit), a.state, a.parent, a.profile
  FROM line JOIN account a ON a.id = line.id LEFT JOIN held ON held.id = a.id

-- name: insert_recipients
-- One JSON array per group of alike recipients; a number is msisdn * 512 + seq.
WITH alike AS MATERIALIZED (
    SELECT (one ->> 0)::bigint AS message_id, (one ->> 1)::bigint AS account, (one ->> 2)::int AS link,
           (one ->> 3)::int AS text, (one ->> 4)::int AS segments, (one ->> 5)::bigint AS cost,
           (one ->> 6)::smallint AS state, (one ->> 7)::bigint AS changed_at, one -> 8 AS numbers
      FROM json_array_elements(:groups::text::json) AS one
)
INSERT INTO recipient (message_id, account, seq, msisdn, link, text, segments, cost, state, changed_at)
SELECT alike.message_id, alike.account, (number::bigint & 511)::int, number::bigint >> 9, alike.link, alike.text,
       alike.segments, alike.cost, alike.state, alike.changed_at
  FROM alike, json_array_elements_text(alike.numbers) AS number

-- name: take_block
SELECT take_block()

-- name: has_span
SELECT EXISTS (SELECT 1 FROM span WHERE number = (:message_id::bigint - 1) / 10000000)::int
