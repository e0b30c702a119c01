-- Accounts that there are go on sending to every country that has a price: new ones send to the home country alone, unless
-- their list says otherwise. What is spent is counted by the day, and of accounts with a daily ceiling by those below too.

UPDATE account SET profile = json_set(profile, '$.countries', json('["*"]'));

-- By day in Paris (`2026-11-30`) of the acceptance, before this by month; a refund is taken off the day of its message.
ALTER TABLE spending RENAME COLUMN month TO day;
ALTER TABLE spending ADD COLUMN cost_below INTEGER NOT NULL DEFAULT 0;      -- of sub-accounts, while a ceiling is set
ALTER TABLE spending ADD COLUMN segments_below INTEGER NOT NULL DEFAULT 0;
