-- Ids of access tokens.
CREATE SEQUENCE log.access_token_ids;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'annals_service') THEN
        GRANT USAGE, SELECT ON log.access_token_ids TO annals_service;
    END IF;
END
$$;
