#!/bin/sh
# Run by the postgres image when it makes its data folder: the log-in that the service runs as. It may add to the event
# log and never change it; `annals migrate` grants it that.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set password="$(cat /run/secrets/postgres_service_password)" <<'SQL'
CREATE ROLE annals_service LOGIN PASSWORD :'password';
SQL
