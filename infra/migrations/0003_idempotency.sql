-- The key under which a client asked for a save, and a hash of the request, on the first event of the save: what was done
-- once is not done again, even when nobody was told that it was done.
ALTER TABLE log.events ADD COLUMN idempotency_key text COLLATE "C";
CREATE UNIQUE INDEX events_idempotency ON log.events (actor_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- The first answer to each request that had a key, or who is working on it. Kept for a day.
CREATE TABLE log.answers (
    actor_id    bigint NOT NULL,
    key         text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    claimant    bigint NOT NULL,
    claimed_at  timestamptz NOT NULL DEFAULT now(),
    status      smallint,
    headers     json,
    body        bytea,
    PRIMARY KEY (actor_id, key)
);
CREATE INDEX ON log.answers (claimed_at);
