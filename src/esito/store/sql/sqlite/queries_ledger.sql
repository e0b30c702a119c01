-- name: insert_subaccount
INSERT INTO account (name, state, granted, credit, created_at, profile, parent, kind, email, token)
VALUES (?1, 'active', 0, 0, ?2, ?3, ?4, ?5, ?1, ?6)
RETURNING id

-- name: subaccount_total
SELECT count(*) FROM account WHERE parent = ? AND token IS NOT NULL

-- name: subaccounts
SELECT id, email, kind, token, created_at, credit,
       (SELECT count(*) FROM api_key k WHERE k.account = account.id AND k.label = 'subaccount')
  FROM account
 WHERE parent = ?1 AND token IS NOT NULL
 ORDER BY id LIMIT ?2 OFFSET ?3

-- name: subaccount_by_token
SELECT id, name, credit FROM account WHERE parent = ?1 AND token = ?2

-- name: subaccounts_of
SELECT id, name, credit FROM account WHERE parent = ? AND token IS NOT NULL ORDER BY id

-- name: subaccount_keys
SELECT count(*) FROM api_key WHERE account = ? AND label = 'subaccount'

-- name: parent_of
SELECT parent FROM account WHERE id = ?

-- name: top_of
SELECT coalesce(parent, id) FROM account WHERE id = ?

-- name: credit_of
SELECT credit FROM account WHERE id = ?

-- name: move_credit
UPDATE account SET credit = credit + ?2, granted = granted + ?2 WHERE id = ?1

-- name: remove_subaccount
UPDATE account SET state = 'disabled', token = NULL, email = NULL, name = name || ' (removed ' || id || ')' WHERE id = ?

-- name: disable_keys_of
UPDATE api_key SET disabled = 1 WHERE account = ?

-- name: spend
INSERT INTO spending (account, day, cost, segments, cost_below, segments_below)
SELECT * FROM (VALUES {rows}) AS spent WHERE true
    ON CONFLICT (account, day) DO UPDATE
       SET cost = cost + excluded.cost, segments = segments + excluded.segments,
           cost_below = cost_below + excluded.cost_below, segments_below = segments_below + excluded.segments_below

-- name: spent
SELECT substr(day, 1, 7) AS month, sum(cost), sum(segments) FROM spending
 WHERE account = ?1 AND substr(day, 1, 7) BETWEEN ?2 AND ?3
 GROUP BY month HAVING sum(cost) <> 0 OR sum(segments) <> 0 ORDER BY month

-- name: spent_on
SELECT account, day, cost + cost_below, segments + segments_below FROM spending
 WHERE account IN (SELECT value FROM json_each(?1)) AND day BETWEEN ?2 AND ?3

-- name: sum_up_below
INSERT INTO spending (account, day, cost, segments, cost_below, segments_below)
  WITH RECURSIVE below (id) AS (SELECT id FROM account WHERE parent = ?1
                                 UNION SELECT a.id FROM below JOIN account a ON a.parent = below.id)
SELECT ?1, ?2, 0, 0, coalesce(sum(s.cost), 0), coalesce(sum(s.segments), 0)
  FROM below JOIN spending s ON s.account = below.id AND s.day = ?2 WHERE true
    ON CONFLICT (account, day) DO UPDATE
       SET cost_below = excluded.cost_below, segments_below = excluded.segments_below

-- name: note
INSERT INTO audit (at, actor, act, subject, details) VALUES (?, ?, ?, ?, ?)

-- name: audit
SELECT at, actor, act, subject, details FROM audit ORDER BY id DESC LIMIT ?
