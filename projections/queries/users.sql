-- name: user_by_name
-- A user with the password hash, by exact name.
SELECT id, username, email, role = 'admin' AS is_admin, is_active, password_hash
FROM users WHERE lower(username) = lower(%(value)s) AND username = %(value)s AND NOT is_deleted

-- name: user_by_email
-- A user with the password hash, by e-mail address in whatever case.
SELECT id, username, email, role = 'admin' AS is_admin, is_active, password_hash
FROM users WHERE lower(email) = lower(%(value)s) AND email <> '' AND NOT is_deleted ORDER BY id LIMIT 1

-- name: login_by_cookie_hash
-- The open login that a session cookie belongs to.
SELECT l.id AS login_id, l.expires, u.id, u.username, u.email, u.role = 'admin' AS is_admin
FROM logins l JOIN users u ON u.id = l.user_id WHERE l.cookie_hash = %(value)s AND u.is_active

-- name: login_by_token_hash
-- The open login that a token belongs to.
SELECT l.id AS login_id, l.expires, u.id, u.username, u.email, u.role = 'admin' AS is_admin
FROM logins l JOIN users u ON u.id = l.user_id WHERE l.token_hash = %(value)s AND u.is_active

-- name: read
-- Users as others see them.
SELECT id, username, email, first_name, last_name, role, is_active, date_joined, last_login
FROM users WHERE NOT is_deleted

-- name: addresses
-- The e-mail addresses of all users that have one, or of one of them.
SELECT id AS user_id, email FROM users
WHERE email <> '' AND NOT is_deleted AND (%(user_id)s::bigint IS NULL OR id = %(user_id)s)
