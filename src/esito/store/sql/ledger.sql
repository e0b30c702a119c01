

-- name: insert_subaccount
INSERT INTO account (name, state, granted, credit, created_at, profile, parent, kind, email, token)
VALUES (:email, 'active', 0, 0, :created_at, :profile, :parent, :kind, :email, :token)
RETURNING id

-- name: subaccount_total
SELECT count(*) FROM account WHERE parent = :parent AND token IS NOT NULL

-- name: subaccounts
SELECT id, email, kind, token, created_at, credit,
       (SELECT count(*) FROM api_key k WHERE k.account = account.id AND k.label = 'subaccount')
  FROM account
 WHERE parent = :parent AND token IS NOT NULL
 ORDER BY id LIMIT :limit OFFSET :offset

-- name: subaccount_by_token
SELECT id, name, credit FROM account WHERE parent = :parent AND token = :token

-- name: subaccounts_of
SELECT id, name, credit FROM account WHERE parent = :parent AND token IS NOT NULL ORDER BY id

-- name: subaccount_keys
SELECT count(*) FROM api_key WHERE account = :account AND label = 'subaccount'

-- name: parent_of
SELECT parent FROM account WHERE id = :account

-- name: top_of
SELECT coalesce(parent, id) FROM account WHERE id = :account

-- name: credit_of
SELECT credit FROM account WHERE id = :account

-- name: move_credit
UPDATE account SET credit = credit + :amount, granted = granted + :amount WHERE id = :account

-- name: remove_subaccount
UPDATE account SET state = 'disabled', token = NULL, email = NULL, name = name || ' (removed ' || id || ')' WHERE id = :account

-- name: disable_keys_of
UPDATE api_key SET disabled = 1 WHERE account = :account

-- name: spend
INSERT INTO spending (account, day, cost, segments, cost_below, segments_below)
{values: account bigint, day text, cost bigint, segments bigint, cost_below bigint, segments_below bigint}
    ON CONFLICT (account, day) DO UPDATE
       SET cost = spending.cost + excluded.cost, segments = spending.segments + excluded.segments,
           cost_below = spending.cost_below + excluded.cost_below, segments_below = spending.segments_below + excluded.segments_below

-- name: spent
SELECT substr(day, 1, 7) AS month, CAST(sum(cost) AS bigint), CAST(sum(segments) AS bigint) FROM spending
 WHERE account = :account AND substr(day, 1, 7) BETWEEN :first_month AND :last_month
 GROUP BY month HAVING sum(cost) <> 0 OR sum(segments) <> 0 ORDER BY month

-- name: spent_on
SELECT account, day, cost + cost_below, segments + segments_below FROM spending
 WHERE account {in: accounts} AND day BETWEEN :first_day AND :last_day

-- name: sum_up_below
INSERT INTO spending (account, day, cost, segments, cost_below, segments_below)
  WITH RECURSIVE below (id) AS (SELECT id FROM account WHERE parent = :parent
                                 UNION SELECT a.id FROM below JOIN account a ON a.parent = below.id)
SELECT CAST(:parent AS bigint), CAST(:day AS text), 0, 0, coalesce(sum(s.cost), 0), coalesce(sum(s.segments), 0)
  FROM below JOIN spending s ON s.account = below.id AND s.day = :day WHERE true
    ON CONFLICT (account, day) DO UPDATE
       SET cost_below = excluded.cost_below, segments_below = excluded.segments_below

-- name: note
INSERT INTO audit (at, actor, act, subject, details) VALUES (:at, :actor, :act, :subject, :details)

-- name: audit
SELECT at, actor, act, subject, details FROM audit ORDER BY id DESC LIMIT :limit
