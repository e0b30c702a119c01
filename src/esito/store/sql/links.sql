-- Links, operators and routes.

-- name: keep_form
UPDATE operator SET as_is = :as_is, strip_zeros = :strip_zeros, hex_to_dec = :hex_to_dec, dec_to_hex = :dec_to_hex, ambiguous = :ambiguous,
                    dates = :dates
 WHERE id = :operator

-- name: insert_operator
INSERT INTO operator (name) VALUES (:name) ON CONFLICT DO NOTHING

-- name: operator_named
SELECT id FROM operator WHERE name = :name

-- name: keep_link
INSERT INTO link (name, operator, resubmit_uncertain, prefixes, sender, stop_number) VALUES (:name, :operator, :resubmit_uncertain, :prefixes, :sender, :stop_number)
    ON CONFLICT (name) DO UPDATE SET operator = :operator, resubmit_uncertain = :resubmit_uncertain, prefixes = :prefixes, sender = :sender, stop_number = :stop_number

-- name: keep_route
INSERT INTO route (name, link) VALUES (:name, :link) ON CONFLICT (name) DO UPDATE SET link = :link

-- name: routes
SELECT id, name FROM route

-- name: links
SELECT id, name, operator, resubmit_uncertain, sender, stop_number, prefixes FROM link ORDER BY id

-- name: something_waits
-- For one link: to be submitted for the first time, or again.
SELECT EXISTS (SELECT 1 FROM outgoing WHERE link = :link) OR EXISTS (SELECT 1 FROM segment WHERE link = :link AND phase = {SegmentPhase.LATER})

-- name: links_kept
SELECT name, added, settings FROM link_kept ORDER BY name

-- name: link_kept
SELECT name, added, settings FROM link_kept WHERE name = :name

-- name: keep_link_settings
INSERT INTO link_kept (name, added, settings) VALUES (:name, :added, :settings)
    ON CONFLICT (name) DO UPDATE SET added = :added, settings = :settings

-- name: forget_link_settings
DELETE FROM link_kept WHERE name = :name

-- name: link_work
-- Recipients that wait for a link or for those that share its routes; segments put off; segments without a response.
SELECT (SELECT count(*)
          FROM outgoing o
          JOIN recipient r ON r.message_id = o.message_id AND r.link = o.link AND r.seq BETWEEN o.next_seq AND o.last_seq
         WHERE o.link = :link OR o.link IN (SELECT -route.id FROM route WHERE route.link = :link)),
       (SELECT count(*) FROM segment WHERE link = :link AND phase = {SegmentPhase.LATER}),
       (SELECT count(*) FROM segment WHERE link = :link AND phase = {SegmentPhase.SUBMITTED})

-- name: link_named
SELECT id FROM link WHERE name = :name

-- name: operator_forms
SELECT id, as_is, strip_zeros, hex_to_dec, dec_to_hex, ambiguous, dates FROM operator
 WHERE id {in: operators} ORDER BY id {postgres: FOR NO KEY UPDATE}

-- name: operator_shown
SELECT as_is, strip_zeros, hex_to_dec, dec_to_hex, ambiguous, dates FROM operator WHERE id = :operator
