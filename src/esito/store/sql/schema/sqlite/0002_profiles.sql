-- What is set for one account as a JSON object, and from where a key may be used.

ALTER TABLE account ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
ALTER TABLE api_key ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';
