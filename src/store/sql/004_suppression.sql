-- Version 4: addresses that nothing is sent to. One row an address; a change gives it a new id, so that
-- the newest come last.

CREATE TABLE suppression (
    id      INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,   -- in lower case
    reason  INTEGER NOT NULL,       -- 0 lifted, 1 hard, 2 soft, 3 complaint, 4 manual
    at      INTEGER NOT NULL,
    seq     INTEGER NOT NULL,       -- the record that said so
    said    TEXT                    -- the far side's words, or somebody's
);

CREATE VIEW suppressions AS
SELECT address,
       CASE reason WHEN 1 THEN 'hard' WHEN 2 THEN 'soft' WHEN 3 THEN 'complaint' ELSE 'manual' END AS reason,
       strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch') AS since,
       said, seq
FROM suppression WHERE reason > 0;

-- One of the numbers that were kept free for Dult's own events has its name now.
UPDATE name SET text = 'Email Complained' WHERE kind = 1 AND id = 11 AND text = '$11';
