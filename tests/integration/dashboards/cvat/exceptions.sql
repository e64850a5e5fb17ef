-- name: source
-- Categories by what the message holds; in this window and in the one of equal length before; with totals.
WITH
    lower(JSONExtractString(payload, 'message')) AS message,
    multiIf(
        multiSearchAny(message, ['network error', 'could not fetch']), 'Network',
        multiSearchAnyCaseInsensitive(message, ['undefined', 'is not a function']), 'JavaScript',
        multiSearchAny(message, ['no space left', 'damaged']), 'Storage',
        'Other'
    ) AS category,
    if(timestamp >= $__fromTime, 'current', 'previous') AS window
SELECT
    category, source, toDate(timestamp) AS day, count() AS errors, uniqExact(user_id) AS people,
    countIf(window = 'current') AS now, uniqExactIf(user_id, window = 'previous') AS people_before,
    sum(errors) OVER (PARTITION BY category) AS of_category, grouping(category, source, day) AS set
FROM cvat.events
PREWHERE scope = 'send:exception'
WHERE timestamp >= $__fromTime - ($__toTime - $__fromTime) AND timestamp <= $__toTime
GROUP BY GROUPING SETS ((category), (source), (day), ())
ORDER BY set, errors DESC

-- name: drilldown
-- The most frequent messages.
SELECT JSONExtractString(payload, 'message') AS message, source, count() AS errors, uniqExact(user_id) AS people,
    max(timestamp) AS last
FROM cvat.events
PREWHERE scope = 'send:exception'
WHERE $__timeFilter(timestamp)
GROUP BY message, source
ORDER BY errors DESC
LIMIT 200
