-- Leases and frames.

-- name: take_lease
INSERT INTO lease (name, holder, token, expires_at) VALUES (:name, :holder, 1, {now} + :milliseconds)
    ON CONFLICT (name) DO UPDATE SET holder = :holder, token = lease.token + 1, expires_at = {now} + :milliseconds, told = ''
     WHERE lease.expires_at < {now}
RETURNING token

-- name: renew_lease
UPDATE lease SET expires_at = {now} + :milliseconds, told = :told WHERE name = :name AND token = :token

-- name: end_lease
UPDATE lease SET expires_at = 0 WHERE name = :name AND token = :token

-- name: holds_lease
SELECT 1 FROM lease WHERE name = :name AND token = :token {postgres: FOR SHARE}

-- name: leases
SELECT name, holder, token, expires_at - {now}, told FROM lease ORDER BY name

-- name: database_clock
SELECT {now}

-- name: begin_mark
INSERT INTO frame_mark (gateway, epoch, confirmed) VALUES (:gateway, :epoch, 0) ON CONFLICT DO NOTHING

-- name: held_mark
SELECT confirmed FROM frame_mark WHERE gateway = :gateway AND epoch = :epoch {postgres: FOR UPDATE}

-- name: move_mark
UPDATE frame_mark SET confirmed = :confirmed WHERE gateway = :gateway AND epoch = :epoch AND confirmed < :confirmed

-- name: frames_beyond
SELECT sequence FROM frame_beyond WHERE gateway = :gateway AND epoch = :epoch

-- name: forget_beyond
DELETE FROM frame_beyond WHERE gateway = :gateway AND epoch = :epoch AND sequence <= :confirmed

-- name: keep_beyond
INSERT INTO frame_beyond (gateway, epoch, sequence) {values: gateway text, epoch bigint, sequence bigint}

-- name: all_marks
SELECT gateway, epoch, confirmed FROM frame_mark ORDER BY gateway, epoch

-- name: all_beyond
SELECT gateway, epoch, sequence FROM frame_beyond ORDER BY gateway, epoch, sequence

-- name: keep_poison
INSERT INTO poison (at, place, reason, content) VALUES (:at, :place, :reason, :content) ON CONFLICT (place) DO NOTHING

-- name: poison
SELECT id, at, place, reason, content FROM poison ORDER BY id DESC LIMIT :limit
