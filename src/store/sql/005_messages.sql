-- Version 5: what came of a message is told of every channel, so Dult's own events are "Message ..." and
-- say the channel in a property. An event of a stranger that had such a name makes room; conditions and
-- triggers name the new ones.

UPDATE name SET text = text || ' (before)'
WHERE kind = 1 AND id >= 16
  AND text IN ('Message Sent', 'Message Failed', 'Message Bounced', 'Message Opened', 'Message Clicked',
               'Message Unsubscribed', 'Message Complained', 'Message Replied', 'Message Delivered',
               'Notice Sent');

UPDATE name SET text = 'Message' || substr(text, 6)
WHERE kind = 1 AND id BETWEEN 5 AND 11 AND text LIKE 'Email %';
UPDATE name SET text = 'Message Replied' WHERE kind = 1 AND id = 12 AND text = '$12';
UPDATE name SET text = 'Message Delivered' WHERE kind = 1 AND id = 13 AND text = '$13';
UPDATE name SET text = 'Notice Sent' WHERE kind = 1 AND id = 14 AND text = '$14';

-- Segments, journeys, computed traits and stages.
UPDATE definition SET text =
    replace(replace(replace(replace(replace(replace(replace(text,
        'Email Sent', 'Message Sent'), 'Email Failed', 'Message Failed'),
        'Email Bounced', 'Message Bounced'), 'Email Opened', 'Message Opened'),
        'Email Clicked', 'Message Clicked'), 'Email Unsubscribed', 'Message Unsubscribed'),
        'Email Complained', 'Message Complained')
WHERE kind IN (2, 3, 11, 12) AND text LIKE '%Email %';
