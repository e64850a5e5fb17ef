CREATE OR REPLACE VIEW ${database}.errors_daily ${on_cluster}
(
    day Date COMMENT 'The day, in UTC',
    source String COMMENT 'client or server: where it happened',
    message String COMMENT 'What went wrong',
    errors UInt64 COMMENT 'How often',
    users UInt64 COMMENT 'How many users met it',
    first DateTime64(3, 'Etc/UTC') COMMENT 'When it first happened that day',
    last DateTime64(3, 'Etc/UTC') COMMENT 'When it last happened that day'
)
AS
SELECT
    toDate(timestamp) AS day, source, message, sum(times) AS errors, uniqExact(user_id) AS users,
    min(timestamp) AS first, max(timestamp) AS last
FROM ${database}.exceptions FINAL
GROUP BY day, source, message
COMMENT 'Errors per day and message';
