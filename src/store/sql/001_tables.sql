-- Version 1: the tables. Written once; a change is a new file, never an edit of this one.
-- Every key is an integer, (partition << 52) | number; instants are milliseconds since 1970, UTC.
-- No index but the keys: rows are appended in the order of their keys, which is all a disk loves.

CREATE TABLE event (                -- every record, in order; NOT NULL would cost 3 % here
    seq          INTEGER PRIMARY KEY,
    received     INTEGER,           -- when we learnt it
    at           INTEGER,           -- when it happened
    kind         INTEGER,
    flags        INTEGER,
    source       INTEGER,           -- credential.id; 0 is Dult itself
    profile      INTEGER,           -- 0 none
    name         INTEGER,           -- the event's name in the dictionary; 0 none
    user_id      TEXT,
    anonymous_id TEXT,
    message_id   TEXT,
    body         TEXT               -- JSON
);

CREATE TABLE decision (             -- what followed from a record, about one person
    id      INTEGER PRIMARY KEY,
    seq     INTEGER,
    profile INTEGER,
    prev    INTEGER,                -- the decision before about the same profile; 0 none
    at      INTEGER,
    kind    INTEGER,
    subject INTEGER,                -- a name in the dictionary
    object  INTEGER,                -- the decision that began it (enrollment, message); 0 none
    detail  TEXT                    -- JSON
);

CREATE TABLE name (                 -- the dictionaries
    key  INTEGER PRIMARY KEY,       -- (partition << 52) | (kind << 32) | id
    kind INTEGER GENERATED ALWAYS AS (key >> 32 & 255) VIRTUAL,
    id   INTEGER GENERATED ALWAYS AS (key & 4294967295) VIRTUAL,
    text TEXT NOT NULL
);

CREATE TABLE definition (           -- every version of everything a marketer defines
    id      INTEGER PRIMARY KEY,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    name    TEXT NOT NULL,
    text    TEXT,                   -- NULL: deleted from here on
    author  TEXT
);

CREATE TABLE rejected (             -- the newest refused events, for whoever debugs a client
    id         INTEGER PRIMARY KEY,
    received   INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    reason     TEXT,
    field      TEXT,
    remedy     TEXT,
    message_id TEXT,
    body       TEXT
);

CREATE TABLE profile_state (        -- a checkpoint, rewritten in the order of its key
    profile INTEGER PRIMARY KEY,
    seq     INTEGER NOT NULL,       -- the state is true after this record
    state   BLOB
);

CREATE TABLE credential (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    name    TEXT,
    hash    TEXT,
    scopes  TEXT,
    created INTEGER NOT NULL,
    revoked INTEGER NOT NULL        -- 0: valid
);

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
