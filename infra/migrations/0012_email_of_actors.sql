-- The e-mail address that whoever acted had then, as CVAT's analytics have it; null: they had none, or the event is older
-- than this column. Without a default nothing is rewritten.
ALTER TABLE log.events ADD COLUMN actor_email text;
