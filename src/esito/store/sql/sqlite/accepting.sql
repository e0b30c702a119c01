-- Keeping a message with its recipients, texts and price.

-- name: standing
-- Accounts and all above them.
WITH RECURSIVE line (id) AS (SELECT value FROM json_each(:accounts)
                              UNION SELECT a.parent FROM line JOIN account a ON a.id = line.id WHERE a.parent IS NOT NULL)
SELECT a.id, a.credit, a.state, a.parent, a.profile FROM line JOIN account a ON a.id = line.id

-- name: insert_recipients
-- One JSON array per group of alike recipients; a number is msisdn * 512 + seq.
WITH alike AS MATERIALIZED (
    SELECT value ->> 0 AS message_id, value ->> 1 AS account, value ->> 2 AS link, value ->> 3 AS text,
           value ->> 4 AS segments, value ->> 5 AS cost, value ->> 6 AS state, value ->> 7 AS changed_at,
           value -> 8 AS numbers
      FROM json_each(:groups)
)
INSERT INTO recipient (message_id, account, seq, msisdn, link, text, segments, cost, state, changed_at)
SELECT alike.message_id, alike.account, number.value & 511, number.value >> 9, alike.link, alike.text, alike.segments,
       alike.cost, alike.state, alike.changed_at
  FROM alike, json_each(alike.numbers) AS number

-- name: take_block
INSERT INTO setting (name, value) VALUES ('next_message_id', '1001')
    ON CONFLICT (name) DO UPDATE SET value = (setting.value + 1000) || '' RETURNING value - 1000
