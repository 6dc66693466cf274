-- Version 7: discount codes. A row a code, in the order in which they came; a fixed code has a row for
-- each time it was given. Where it is looked for it is in lower case.

CREATE TABLE code (
    key        INTEGER PRIMARY KEY, -- (partition << 52) | (name.id of its pool << 32) | number
    text       TEXT,
    fold       TEXT,                -- NULL: a fixed code
    profile    INTEGER NOT NULL DEFAULT 0, -- whose it is; 0 nobody's (any more)
    message    INTEGER NOT NULL DEFAULT 0, -- decision.id of the message it was given with
    enrollment INTEGER NOT NULL DEFAULT 0, -- decision.id, of the message where there was none
    journey    INTEGER NOT NULL DEFAULT 0, -- name.id + 1
    template   INTEGER NOT NULL DEFAULT 0, -- name.id + 1
    given      INTEGER NOT NULL DEFAULT 0, -- when; 0 never
    expires    INTEGER NOT NULL DEFAULT 0, -- its last second; 0 never
    redeemed   INTEGER NOT NULL DEFAULT 0, -- when first; 0 never
    orders     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX code_fold ON code(fold) WHERE fold IS NOT NULL;
CREATE INDEX code_profile ON code(profile) WHERE profile > 0;

CREATE TABLE code_order (           -- an order redeems a code once
    key      INTEGER NOT NULL,      -- code.key; of a fixed code that was never given to them number 0
    order_id TEXT NOT NULL,
    at       INTEGER NOT NULL,
    profile  INTEGER NOT NULL,      -- who ordered
    PRIMARY KEY (key, order_id)
) WITHOUT ROWID;

CREATE VIEW codes AS
SELECT n.text AS pool, c.key & 4294967295 AS number, c.text AS code, nullif(c.profile, 0) AS profile,
       nullif(c.message, 0) AS message,
       CASE WHEN c.given > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', c.given / 1000.0, 'unixepoch') END AS given,
       CASE WHEN c.expires > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', c.expires / 1000.0, 'unixepoch') END AS expires,
       CASE WHEN c.redeemed > 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', c.redeemed / 1000.0, 'unixepoch') END AS redeemed,
       c.orders
FROM code c
LEFT JOIN name n ON n.key = (c.key >> 52 << 52 | 9 << 32 | (c.key >> 32 & 65535));
