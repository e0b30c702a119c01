-- Accounts and their keys.

-- name: account_by_key
SELECT a.id, a.name, a.state, a.credit, a.profile, k.networks,
       CAST(EXISTS (SELECT 1 FROM stop INDEXED BY stop_by_id WHERE account = a.id) AS int), a.parent
  FROM api_key k JOIN account a ON a.id = k.account
 WHERE k.digest = :digest AND k.disabled = 0

-- name: insert_account
INSERT INTO account (name, state, granted, credit, created_at) VALUES (:name, :state, :credit, :credit, :created_at)

-- name: insert_key
INSERT INTO api_key (account, digest, label, created_at, networks) VALUES (:account, :digest, :label, :created_at, :networks) RETURNING id

-- name: account_by_name
SELECT id, name, state, credit, profile, '[]' FROM account WHERE name = :name

-- name: all_accounts
SELECT id, name, state, credit, profile, '[]' FROM account ORDER BY name

-- name: keys_of
SELECT id, account, label, created_at, disabled, networks FROM api_key WHERE account = :account ORDER BY id

-- name: disable_key
UPDATE api_key SET disabled = 1 WHERE account = :account AND id = :key

-- name: set_account_state
UPDATE account SET state = :state WHERE id = :account

-- name: set_profile
UPDATE account SET profile = :profile WHERE id = :account
