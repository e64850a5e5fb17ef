-- Where in the log events of a time lie, also when the clocks of those who recorded them did not go alike. A few bytes for
-- each run of blocks: an append touches one.
CREATE INDEX events_times ON log.events USING brin (position, time) WITH (pages_per_range = 32, autosummarize = on);
