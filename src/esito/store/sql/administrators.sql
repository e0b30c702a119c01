-- Administrators and their keys.

-- name: insert_administrator
INSERT INTO administrator (name, digest, created_at, networks) VALUES (:name, :digest, :created_at, :networks)

-- name: administrators
SELECT id, name, created_at, disabled, networks FROM administrator ORDER BY name

-- name: administrator_named
SELECT id, name, created_at, disabled, networks FROM administrator WHERE name = :name

-- name: administrator_by_key
SELECT id, name, created_at, disabled, networks FROM administrator WHERE digest = :digest AND disabled = 0

-- name: disable_administrator
UPDATE administrator SET disabled = :disabled WHERE name = :name

-- name: replace_administrator_key
UPDATE administrator SET digest = :digest WHERE name = :name
