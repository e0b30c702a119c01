-- Keeping a message with its recipients, texts and price.

-- name: take_credit
UPDATE account SET credit = credit - taken.cost
  FROM {rows: account bigint, cost bigint} AS taken WHERE account.id = taken.account

-- name: give_back
UPDATE account SET credit = credit + refund.amount
  FROM (SELECT m.account, sum(given.cost) AS amount
          FROM {rows: message_id bigint, cost bigint} AS given JOIN message m ON m.id = given.message_id GROUP BY m.account) AS refund
 WHERE account.id = refund.account

-- name: insert_messages
INSERT INTO message (id, account, created_at, due_at, check_at, sender, gamme, unicode, sandbox,
                     tag, reference, url_dlr, url_response, priority, recipients)
{values: id bigint, account bigint, created_at bigint, due_at bigint, check_at bigint, sender text, gamme smallint, unicode smallint, sandbox smallint, tag text, reference text, url_dlr text, url_response text, priority smallint, recipients smallint}

-- name: insert_texts
INSERT INTO message_text (message_id, number, text, stop_number) {values: message_id bigint, number int, text text, stop_number text}

-- name: insert_outgoing
INSERT INTO outgoing (link, lane, due_at, message_id, next_seq, next_part, last_seq, account) {values: link int, lane bigint, due_at bigint, message_id bigint, next_seq int, next_part int, last_seq int, account bigint}
