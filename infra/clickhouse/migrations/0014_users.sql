-- E-mail addresses: here and in the rows they come from, not with everything that somebody did.
CREATE TABLE IF NOT EXISTS ${database}.email_changes ${on_cluster}
(
    timestamp DateTime64(3, 'Etc/UTC') COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    user_id UInt64 COMMENT 'Whose address it is',
    email String COMMENT 'The address from then on; empty: none' CODEC(ZSTD(1)),
    position UInt64 COMMENT 'The event''s position in the log' CODEC(Delta, ZSTD(1)),
    row UInt16 COMMENT 'The row''s number in events',
    INDEX by_position position TYPE minmax GRANULARITY 1
)
ENGINE = ${engine}
PARTITION BY ${partition}
ORDER BY (timestamp, position, row)
SETTINGS ${deduplication}
COMMENT 'E-mail addresses of users: one row for each time somebody came or gave another one';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.fill_email_changes ${on_cluster} TO ${database}.email_changes AS
SELECT
    timestamp,
    if(scope = 'create:user', assumeNotNull(obj_id), JSONExtractUInt(json, 'user_id')) AS user_id,
    if(scope = 'create:user', JSONExtractString(json, 'email'), ifNull(obj_val, '')) AS email,
    position, row
FROM
(
    SELECT *, ifNull(payload, '') AS json
    FROM ${events}
    WHERE scope = 'create:user' OR (scope = 'update:user' AND obj_name = 'email')
);

CREATE OR REPLACE VIEW ${database}.users ${on_cluster}
(
    user_id UInt64 COMMENT 'The user',
    user_name String COMMENT 'Their name now',
    email String COMMENT 'Their e-mail address now; empty: none',
    deleted Bool COMMENT 'Whether the account was deleted'
)
AS
SELECT names.id AS user_id, names.name AS user_name, addresses.email AS email, names.deleted AS deleted
FROM ${database}.names AS names
LEFT JOIN
(
    SELECT user_id, argMax(email_changes.email, position) AS email
    FROM ${database}.email_changes
    GROUP BY user_id
) AS addresses ON addresses.user_id = names.id
WHERE names.kind = 'user'
COMMENT 'Users: their names and e-mail addresses, and whether they are still there';
