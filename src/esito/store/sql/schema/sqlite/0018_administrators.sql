-- Keys that open what belongs to the installation; a name has one.

CREATE TABLE administrator (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    digest     BLOB    NOT NULL UNIQUE,             -- keyed hash; the key itself is kept nowhere
    created_at INTEGER NOT NULL,
    disabled   INTEGER NOT NULL DEFAULT 0,
    networks   TEXT    NOT NULL DEFAULT '[]'
);
