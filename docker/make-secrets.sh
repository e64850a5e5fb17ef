#!/bin/sh
# Makes up the secrets of compose.yaml, each in a file of its own in docker/secrets/. What is there already stays, so it
# can be run again at any time. Others on this machine can't get into the folder; the files in it can be read by whoever
# gets there, because the containers' users, whom Compose gives them to, are not you.
set -eu
cd "$(dirname "$0")/secrets"
chmod 700 .

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
keep() { # NAME VALUE
    [ -e "$1" ] && return
    printf '%s\n' "$2" > "$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
    echo "made docker/secrets/$1"
}
sha256() { printf '%s' "$(cat "$1")" | sha256sum | cut -d ' ' -f 1; }

for name in postgres_owner_password postgres_service_password clickhouse_writer_password clickhouse_reader_password \
    annals_admin_password annals_metrics_token grafana_admin_password s3_user s3_password; do
    keep "$name" "$(random)"
done
keep annals_database_owner_url "postgresql://annals:$(cat postgres_owner_password)@postgres:5432/annals"
keep annals_database_url "postgresql://annals_service:$(cat postgres_service_password)@postgres:5432/annals"
keep annals_clickhouse_url "http://annals:$(cat clickhouse_writer_password)@clickhouse:8123/cvat"
keep annals_clickhouse_reader_url "http://reader:$(cat clickhouse_reader_password)@clickhouse:8123/cvat"
keep s3_credentials "[default]
aws_access_key_id = $(cat s3_user)
aws_secret_access_key = $(cat s3_password)"
keep clickhouse_users.xml "<clickhouse>
    <profiles>
        <reader>
            <!-- 2: may not change data, but may set time limits, which Grafana does. -->
            <readonly>2</readonly>
            <max_execution_time>60</max_execution_time>
            <max_memory_usage>2000000000</max_memory_usage>
        </reader>
    </profiles>
    <users>
        <default remove=\"remove\"/>
        <annals>
            <password_sha256_hex>$(sha256 clickhouse_writer_password)</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
        </annals>
        <reader>
            <password_sha256_hex>$(sha256 clickhouse_reader_password)</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>reader</profile>
            <quota>default</quota>
            <grants><query>GRANT SELECT ON cvat.*</query></grants>
        </reader>
    </users>
</clickhouse>"
