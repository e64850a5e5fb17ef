-- The role that the service runs as: it may add to the log and read it, and never change it. Its log-in is the embedded
-- server's; elsewhere whoever runs the database grants the role to a log-in of his own.
DO $$
BEGIN
    CREATE ROLE annals_service LOGIN;
EXCEPTION
    -- The roles are those of all databases of a server; another of them may have made it, this very moment too.
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'The role annals_service is missing, and this log-in may not make it';
END
$$;

DO $$
DECLARE
    schema text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'annals_service') THEN
        GRANT USAGE ON SCHEMA log, public TO annals_service;
        GRANT SELECT, INSERT ON log.events TO annals_service;
        GRANT SELECT, UPDATE ON log.projections TO annals_service;
        GRANT SELECT, INSERT, UPDATE, DELETE ON log.checkpoints, log.agents, log.answers TO annals_service;
        GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA log TO annals_service;
        GRANT SELECT ON public.annals_migrations TO annals_service;
        -- What is derived from the log it writes itself, in whatever schemas there will be.
        ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO annals_service;
        ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO annals_service;
        FOR schema IN SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read\_%' LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO annals_service', schema);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO annals_service', schema);
        END LOOP;
    END IF;
END
$$;

-- And nobody does by mistake. Who means it has to say so: ALTER TABLE log.events DISABLE TRIGGER append_only.
CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The event log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.events
FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
