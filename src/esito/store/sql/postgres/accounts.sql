-- Accounts and their keys.

-- name: account_above
-- From where it is used, by any of its keys: as many JSON arrays as it has keys.
SELECT a.id, a.name, a.state, a.credit, a.profile,
       (SELECT coalesce(json_agg(k.networks::json)::text, '[]') FROM api_key k WHERE k.account = a.id AND k.disabled = 0), a.parent
  FROM account a WHERE a.id = :account
