-- Version 2: views for people who ask in plain SQL. They show the latest row of each thing and read
-- the tables from end to end: made for a person with a question, not for the program.
-- The numbers are those of store.h.

CREATE VIEW events AS
SELECT e.seq,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.received / 1000.0, 'unixepoch') AS received,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1000.0, 'unixepoch') AS at,
       CASE e.kind
           WHEN 1 THEN 'track' WHEN 2 THEN 'identify' WHEN 3 THEN 'page' WHEN 4 THEN 'screen'
           WHEN 5 THEN 'group' WHEN 6 THEN 'alias' WHEN 16 THEN 'outcome' WHEN 17 THEN 'bounce'
           WHEN 18 THEN 'complaint' WHEN 19 THEN 'open' WHEN 20 THEN 'click'
           WHEN 21 THEN 'unsubscribe' WHEN 22 THEN 'claim' WHEN 32 THEN 'definition'
           WHEN 33 THEN 'timer' WHEN 34 THEN 'job' WHEN 35 THEN 'consent' WHEN 36 THEN 'erasure'
           ELSE 'other' END AS kind,
       n.text AS name,
       nullif(e.profile, 0) AS profile,
       e.user_id, e.anonymous_id, e.message_id,
       coalesce(c.name, CASE WHEN e.source = 0 THEN 'dult' END) AS source,
       e.body
FROM event e
LEFT JOIN name n ON n.key = (e.seq >> 52 << 52 | 1 << 32 | e.name)
LEFT JOIN credential c ON c.id = e.source;

CREATE VIEW profiles AS
SELECT s.profile, k.user_id,
       strftime('%Y-%m-%dT%H:%M:%fZ', s.first_at / 1000.0, 'unixepoch') AS first_seen,
       strftime('%Y-%m-%dT%H:%M:%fZ', s.last_at / 1000.0, 'unixepoch') AS last_seen,
       s.events,
       m.profile AS merged_into
FROM (SELECT profile, min(at) AS first_at, max(at) AS last_at, count(*) AS events,
             max(CASE WHEN user_id IS NOT NULL THEN seq END) AS known_seq
      FROM event WHERE profile <> 0 GROUP BY profile) s
LEFT JOIN event k ON k.seq = s.known_seq
LEFT JOIN (SELECT subject + 1 AS profile, max(id) AS id FROM decision d WHERE kind = 2
           AND NOT EXISTS (SELECT 1 FROM decision u WHERE u.kind = 3 AND u.object = d.id)
           GROUP BY subject) l ON l.profile = s.profile
LEFT JOIN decision m ON m.id = l.id;

CREATE VIEW memberships AS
SELECT d.profile, n.text AS segment,
       strftime('%Y-%m-%dT%H:%M:%fZ', d.at / 1000.0, 'unixepoch') AS entered,
       d.id AS decision
FROM (SELECT max(id) AS id FROM decision WHERE kind IN (16, 17) GROUP BY profile, subject) l
JOIN decision d ON d.id = l.id AND d.kind = 16
LEFT JOIN name n ON n.key = (d.id >> 52 << 52 | 4 << 32 | d.subject);

CREATE VIEW enrollments AS
SELECT b.id AS enrollment, b.profile, n.text AS journey,
       strftime('%Y-%m-%dT%H:%M:%fZ', b.at / 1000.0, 'unixepoch') AS entered,
       CASE s.kind WHEN 34 THEN 'waiting' WHEN 35 THEN 'exited' ELSE 'active' END AS state,
       strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(s.at, b.at) / 1000.0, 'unixepoch') AS state_at,
       coalesce(s.detail, b.detail) AS detail
FROM decision b
LEFT JOIN (SELECT object, max(id) AS id FROM decision WHERE kind IN (33, 34, 35)
           GROUP BY object) l ON l.object = b.id
LEFT JOIN decision s ON s.id = l.id
LEFT JOIN name n ON n.key = (b.id >> 52 << 52 | 5 << 32 | b.subject)
WHERE b.kind = 32;

CREATE VIEW messages AS
SELECT b.id AS message, b.profile, nullif(b.object, 0) AS enrollment, n.text AS template,
       strftime('%Y-%m-%dT%H:%M:%fZ', b.at / 1000.0, 'unixepoch') AS queued,
       CASE coalesce(s.kind, 48)
           WHEN 48 THEN 'queued' WHEN 49 THEN 'waiting' WHEN 50 THEN 'dropped'
           WHEN 51 THEN 'sending' WHEN 52 THEN 'sent' WHEN 53 THEN 'failed'
           WHEN 54 THEN 'unknown' WHEN 55 THEN 'bounced' WHEN 56 THEN 'complained' END AS state,
       strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(s.at, b.at) / 1000.0, 'unixepoch') AS state_at,
       coalesce(l.opens, 0) AS opens, coalesce(l.clicks, 0) AS clicks,
       coalesce(l.unsubscribes, 0) AS unsubscribes,
       b.detail, s.detail AS state_detail
FROM decision b
LEFT JOIN (SELECT object, max(CASE WHEN kind <= 56 THEN id END) AS id,
                  sum(kind = 57) AS opens, sum(kind = 58) AS clicks,
                  sum(kind = 59) AS unsubscribes
           FROM decision WHERE kind BETWEEN 49 AND 59 GROUP BY object) l ON l.object = b.id
LEFT JOIN decision s ON s.id = l.id
LEFT JOIN name n ON n.key = (b.id >> 52 << 52 | 6 << 32 | b.subject)
WHERE b.kind = 48;

CREATE VIEW definitions AS
SELECT d.id,
       CASE d.kind
           WHEN 1 THEN 'workspace' WHEN 2 THEN 'segment' WHEN 3 THEN 'journey'
           WHEN 4 THEN 'template' WHEN 5 THEN 'topic' WHEN 6 THEN 'list' WHEN 7 THEN 'sender'
           WHEN 8 THEN 'broadcast' WHEN 9 THEN 'source' WHEN 10 THEN 'destination'
           ELSE 'other' END AS kind,
       d.name, d.version, d.author,
       strftime('%Y-%m-%dT%H:%M:%fZ', d.at / 1000.0, 'unixepoch') AS changed,
       d.text
FROM (SELECT max(id) AS id FROM definition GROUP BY kind, name) l
JOIN definition d ON d.id = l.id
WHERE d.text IS NOT NULL;
