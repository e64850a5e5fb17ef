-- Ids of issues and comments.
CREATE SEQUENCE log.issue_ids;
CREATE SEQUENCE log.comment_ids;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'annals_service') THEN
        GRANT USAGE, SELECT ON log.issue_ids, log.comment_ids TO annals_service;
    END IF;
END
$$;
