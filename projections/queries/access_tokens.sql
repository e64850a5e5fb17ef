-- name: by_value_hash
-- The token with this value, and who comes in with it.
SELECT t.id AS token_id, t.read_only, t.expiry_date AS expires, t.last_used_date,
    u.id, u.username, u.email, u.role = 'admin' AS is_admin
FROM access_tokens t JOIN users u ON u.id = t.user_id WHERE t.value_hash = %(value)s AND u.is_active

-- name: read
-- Tokens with their owners.
SELECT t.id, t.name, t.read_only, t.expiry_date, t.created_date, t.updated_date, t.last_used_date,
    t.user_id AS owner_id, u.username AS owner, u.first_name AS owner_first_name, u.last_name AS owner_last_name
FROM access_tokens t JOIN users u ON u.id = t.user_id
