-- Nothing moves here. From this version on there are definitions of kinds that an older program does
-- not know (the state of a journey, rates, lessons): it is to say so at once, by the version.
SELECT 1;
