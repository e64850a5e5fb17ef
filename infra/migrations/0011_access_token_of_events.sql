-- The access token that an event's request came with; null: it came with none, or the event is older than this column.
-- Without a default nothing is rewritten. It has no index: who asks what a token was used for asks the analytics.
ALTER TABLE log.events ADD COLUMN access_token_id bigint;
