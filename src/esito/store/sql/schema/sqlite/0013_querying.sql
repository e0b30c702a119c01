-- When a segment is to be asked about by query_sm, on links that ask.

ALTER TABLE segment ADD COLUMN query_at INTEGER;
CREATE INDEX segment_to_query ON segment (link, query_at) WHERE query_at IS NOT NULL;
