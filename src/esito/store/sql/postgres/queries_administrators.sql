-- Administrators and their keys.

-- name: insert_administrator
INSERT INTO administrator (name, digest, created_at, networks) VALUES ($1, $2, $3, $4)

-- name: administrators
SELECT id, name, created_at, disabled, networks FROM administrator ORDER BY name

-- name: administrator_named
SELECT id, name, created_at, disabled, networks FROM administrator WHERE name = $1

-- name: administrator_by_key
SELECT id, name, created_at, disabled, networks FROM administrator WHERE digest = $1 AND disabled = 0

-- name: disable_administrator
UPDATE administrator SET disabled = $2 WHERE name = $1

-- name: replace_administrator_key
UPDATE administrator SET digest = $2 WHERE name = $1
