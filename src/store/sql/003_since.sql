-- Version 3: since when a member is one. `entered` is when it was learnt and decided, which stays as it
-- was written; `since` is when it became true, as far as was known at that moment. What came later
-- (late events, merges) is in the API's answer, not here.

DROP VIEW memberships;

CREATE VIEW memberships AS
SELECT d.profile, n.text AS segment,
       strftime('%Y-%m-%dT%H:%M:%fZ', d.at / 1000.0, 'unixepoch') AS entered,
       strftime('%Y-%m-%dT%H:%M:%fZ',
                coalesce(json_extract(d.detail, '$.since'), d.at) / 1000.0, 'unixepoch') AS since,
       d.id AS decision
FROM (SELECT max(id) AS id FROM decision WHERE kind IN (16, 17) GROUP BY profile, subject) l
JOIN decision d ON d.id = l.id AND d.kind = 16
LEFT JOIN name n ON n.key = (d.id >> 52 << 52 | 4 << 32 | d.subject);
