-- Links that were added or changed by command, and which prefixes each link serves.

CREATE TABLE link_kept (
    name     TEXT    PRIMARY KEY,
    added    INTEGER NOT NULL,                        -- 1: there is such a link because of this row; 0: over the file's
    settings TEXT    NOT NULL                         -- what goes over the file's, as JSON; the password sealed
) STRICT, WITHOUT ROWID;

-- As JSON, with those it served before while anything waits for it; null: nobody stands in for it.
ALTER TABLE link ADD COLUMN prefixes TEXT;
