-- Leases and frames.

-- name: take_lease
INSERT INTO lease (name, holder, token, expires_at) VALUES (?1, ?2, 1, CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3)
    ON CONFLICT (name) DO UPDATE SET holder = ?2, token = lease.token + 1, expires_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3, told = ''
     WHERE lease.expires_at < CAST(unixepoch('subsec') * 1000 AS INTEGER)
RETURNING token

-- name: renew_lease
UPDATE lease SET expires_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3, told = ?4 WHERE name = ?1 AND token = ?2

-- name: end_lease
UPDATE lease SET expires_at = 0 WHERE name = ?1 AND token = ?2

-- name: holds_lease
SELECT 1 FROM lease WHERE name = ?1 AND token = ?2

-- name: leases
SELECT name, holder, token, expires_at - CAST(unixepoch('subsec') * 1000 AS INTEGER), told FROM lease ORDER BY name

-- name: database_clock
SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)

-- name: begin_mark
INSERT INTO frame_mark (gateway, epoch, confirmed) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING

-- name: held_mark
SELECT confirmed FROM frame_mark WHERE gateway = ?1 AND epoch = ?2

-- name: move_mark
UPDATE frame_mark SET confirmed = ?3 WHERE gateway = ?1 AND epoch = ?2 AND confirmed < ?3

-- name: frames_beyond
SELECT sequence FROM frame_beyond WHERE gateway = ?1 AND epoch = ?2

-- name: forget_beyond
DELETE FROM frame_beyond WHERE gateway = ?1 AND epoch = ?2 AND sequence <= ?3

-- name: keep_beyond
INSERT INTO frame_beyond (gateway, epoch, sequence) VALUES {rows}

-- name: all_marks
SELECT gateway, epoch, confirmed FROM frame_mark ORDER BY gateway, epoch

-- name: all_beyond
SELECT gateway, epoch, sequence FROM frame_beyond ORDER BY gateway, epoch, sequence

-- name: keep_poison
INSERT INTO poison (at, place, reason, content) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (place) DO NOTHING

-- name: poison
SELECT id, at, place, reason, content FROM poison ORDER BY id DESC LIMIT ?1
