"""Settings, from the command line, the environment (`ANNALS_…`) or files of secrets.

The reference in docs/ is generated from here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.clickhouse.address import http_url

SECRETS = "ANNALS_SECRETS_DIR"
"""The variable that names the folder of secrets."""

ClickHouseUrl = Annotated[str, AfterValidator(http_url)]


def secrets_folder() -> Path | None:
    """Where each file is a setting: named as its variable (`annals_database_url`), its content the value. So no secret
    needs to be in an environment, which others can look at. Where Docker mounts them, unless ANNALS_SECRETS_DIR says.
    """
    folder = Path(os.environ.get(SECRETS, "/run/secrets"))
    return folder if folder.is_dir() else None


class Settings(BaseSettings):
    """Every setting has a default that works on one machine."""

    model_config = SettingsConfigDict(env_prefix="ANNALS_", extra="ignore")

    data: Path = Field(Path("annals-data"), description="The data folder: database, blobs, caches, keys.")
    database_url: str | None = Field(
        None, description="Any PostgreSQL 15 or later, as libpq takes it. Left out: the embedded one in DATA/postgres."
    )
    database_owner_url: str | None = Field(
        None,
        description="The same database as who owns its tables, for migrations and replays. The service itself then runs"
        " as who is in DATABASE_URL: a log-in with the role annals_service, which can't change the log.",
    )
    clickhouse_url: ClickHouseUrl | None = Field(
        None,
        description="Any ClickHouse over HTTP, with user and password. Left out: the embedded one in DATA/clickhouse.",
    )
    clickhouse_reader_url: ClickHouseUrl | None = Field(
        None,
        description="The same with a user who may only read (with `readonly = 2`): for the dashboard. Left out:"
        " CLICKHOUSE_URL, or the embedded one as anybody may read it.",
    )
    kafka_url: str | None = Field(
        None,
        description="Any Kafka, as kafka://user:password@host:9092,host2:9092?security=SASL_SSL&mechanism=SCRAM-SHA-512"
        "&ca=FILE: the log is then relayed to it and the forwarder reads from it. Left out: there is none.",
    )
    kafka_topic_prefix: str = Field(
        "annals.", pattern=r"^[a-zA-Z0-9._-]{0,200}$", description="What the names of the Kafka topics begin with."
    )
    kafka_partitions: int = Field(
        4,
        ge=1,
        le=1_000,
        description="Partitions of a Kafka topic that is made: so many forwarders can share the work.",
    )
    kafka_replicas: int = Field(
        0, ge=0, le=10, description="Copies of it. 0: as many as there are brokers, at most three."
    )
    topology: Path | None = Field(
        None,
        description="A TOML file that says what the forwarder sends where. Left out: everything to the one ClickHouse.",
    )
    reconcile_seconds: float = Field(
        60.0, gt=0, description="Seconds between two comparisons of ClickHouse with the log, beside the forwarder."
    )
    redaction_key: str | None = Field(
        None,
        description="The secret key of hashes that a topology puts in place of names. Left out: it can't have any.",
    )
    blobs_url: str | None = Field(
        None,
        description="Any S3-compatible store for uploaded media, and for the files of exports and imports:"
        " s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1. Credentials are taken as AWS's own tools"
        " take them, from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a file (AWS_SHARED_CREDENTIALS_FILE) or the"
        " machine's role. Left out: files in DATA/blobs and DATA/exchange.",
    )
    blob_cache_bytes: int = Field(
        10_737_418_240,
        ge=0,
        description="Disk space for copies of what BLOBS_URL stores, in bytes (10 GiB); the least recently used go"
        " first. What was used in the last ten minutes stays, even if that is more.",
    )
    host: str = Field("127.0.0.1", description="The address that the API listens on.")
    port: int = Field(8080, ge=0, le=65535, description="The port of the API. 0: a free one.")
    clickhouse_port: int = Field(
        8123, ge=0, le=65535, description="The port of the embedded ClickHouse's HTTP endpoint. 0: a free one."
    )
    clickhouse_cluster: str | None = Field(
        None,
        pattern=r"^[A-Za-z_{][\w{}.-]*$",
        description="The cluster on whose servers the tables in ClickHouse are (ON CLUSTER). Left out: one server.",
    )
    clickhouse_replicated: bool = Field(
        False, description="Whether the servers of CLICKHOUSE_CLUSTER keep copies of each other (Replicated engines)."
    )
    clickhouse_ttl_days: int | None = Field(
        None,
        ge=1,
        le=36_500,
        description="After so many days beyond the end of their month rows leave the table `events`. Left out: never."
        " The tables of working time, jobs, annotations, requests, errors and names beside it keep theirs.",
    )
    clickhouse_partition: Literal["month", "year", "none"] = Field(
        "month", description="How new tables in ClickHouse are partitioned; a rebuild makes new ones."
    )
    clickhouse_anonymous: bool | None = Field(
        None,
        description="Whether anybody reads the embedded ClickHouse, without a password. Left out: only while HOST is an"
        " address of this machine alone (127.0.0.1, localhost, ::1). See `annals clickhouse-user`.",
    )
    ui: Path | None = Field(
        None, description="A folder with a built web UI (its index.html), served beside the API. Left out: none."
    )
    workers: int = Field(1, ge=1, le=64, description="API processes.")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Where an agent, a relay or a forwarder that was started by itself answers GET /metrics and"
        " /health, on the address of HOST. 0: nowhere.",
    )
    server_telemetry: Literal["all", "errors", "off"] = Field(
        "all",
        description="What API processes record of themselves, for ClickHouse: `errors` (requests that were refused or"
        " failed), `all` (also what is read from the chunk cache and put into it, an entry for each chunk that somebody"
        " looks at; equal ones of ten seconds are one), or nothing.",
    )
    metrics_token: str | None = Field(
        None,
        description="What Prometheus sends as its bearer token to read /metrics. Left out: an API's is for admins, and"
        " that of METRICS_PORT for everybody who reaches it.",
    )
    admin_password: str | None = Field(
        None, description="The password of `admin`, when the first start makes it. Left out: one is made up and kept."
    )
    log_files: bool = Field(
        True,
        description="Whether processes log into files in DATA/logs. False: all that they log goes to standard error, as"
        " JSON lines: what containers want.",
    )
    registration: bool = Field(True, description="Whether anybody may make an account.")
    failed_logins_per_account: int = Field(
        10, ge=1, le=1_000, description="Wrong passwords for one account, after which more are refused for a while."
    )
    failed_logins_per_address: int = Field(
        100, ge=1, le=10_000, description="The same from one address, whatever the account; counts registrations, too."
    )
    failed_logins_seconds: float = Field(
        300.0, gt=0, description="For how long a wrong password counts. Each API process counts for itself."
    )
    proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="Proxies in front of the API, each of which adds to X-Forwarded-For whom it heard from: they tell"
        " a client's address. 0: there are none, and the header is not believed.",
    )
    threads: int = Field(40, ge=4, le=400, description="Requests that an API process works on at once.")
    max_upload_bytes: int = Field(
        26_843_545_600, gt=0, description="The largest file or form taken, in bytes (25 GiB)."
    )
    max_json_bytes: int = Field(268_435_456, gt=0, description="The largest JSON body taken, in bytes (256 MiB).")
    max_files_per_form: int = Field(10_000, gt=0, description="The most files in one form.")
    max_image_pixels: int = Field(
        250_000_000, gt=0, description="The largest image taken, in pixels. Guards against decompression bombs."
    )
    max_video_pixels: int = Field(
        70_000_000, gt=0, description="The largest frame of a video taken, in pixels. Decoders keep dozens in memory."
    )
    max_video_decoding_seconds: float = Field(
        1_800.0, gt=0, description="How long looking through an uploaded video may take, in seconds."
    )
    max_archive_files: int = Field(200_000, gt=0, description="The most files in an archive or a folder of the share.")
    share: Path | None = Field(
        None, description="A folder of this machine whose images and videos tasks can be made from. Left out: none."
    )
    max_remote_files: int = Field(1_000, gt=0, description="The most files that a task may have fetched from URLs.")
    remote_seconds: float = Field(600.0, gt=0, description="How long fetching a file from a URL may take, in seconds.")
    allow_private_addresses: bool = Field(
        False,
        description="Whether the server may open URLs of private networks, and its own: for whoever may create tasks.",
    )
    max_jobs_per_task: int = Field(5_000, gt=0, description="The most jobs that a task may be split into.")
    chunk_cache_bytes: int = Field(
        2_147_483_648, ge=0, description="Disk space for prepared chunks, in bytes (2 GiB); the oldest go first."
    )
    request_hold_seconds: float = Field(
        10.0, ge=0, le=60, description="How long a GET of an unfinished request is held open, in seconds."
    )
    lease_seconds: float = Field(
        10.0, ge=2, description="After this many seconds of silence an agent loses what it works on."
    )

    purge_after_days: float = Field(
        30.0, ge=0, description="`annals purge` leaves tasks alone that were deleted less than so many days ago."
    )

    @property
    def blobs(self) -> Path:
        return self.data / "blobs"

    @property
    def exchange(self) -> Path:
        """Files that come and go: what exports made, and what waits to be imported."""
        return self.data / "exchange"

    @property
    def uploads(self) -> Path:
        """Files that are still coming in."""
        return self.data / "uploads"

    @property
    def cache(self) -> Path:
        return self.data / "cache"

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def clickhouse(self) -> Path:
        return self.data / "clickhouse"

    @property
    def admin_password_file(self) -> Path:
        return self.data / "admin-password"

    @property
    def clickhouse_password_file(self) -> Path:
        """The forwarder's password for the embedded ClickHouse."""
        return self.data / "clickhouse-password"

    @property
    def clickhouse_readers_file(self) -> Path:
        """Who reads the embedded ClickHouse with a password, and the passwords' hashes."""
        return self.data / "clickhouse-readers.json"

    @property
    def run(self) -> Path:
        """What the running server tells other commands: its ports and processes."""
        return self.data / "run"

    @property
    def metrics(self) -> Path:
        """What the running server's processes have counted."""
        return self.run / "metrics"
