"""Settings, from the environment (`ANNALS_…`) or the command line. The reference in docs/ is generated from here."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    clickhouse_url: str | None = Field(
        None,
        description="Any ClickHouse over HTTP, with user and password. Left out: the embedded one in DATA/clickhouse.",
    )
    host: str = Field("127.0.0.1", description="The address that the API listens on.")
    port: int = Field(8080, ge=0, le=65535, description="The port of the API. 0: a free one.")
    clickhouse_port: int = Field(
        8123, ge=0, le=65535, description="The port of the embedded ClickHouse's HTTP endpoint. 0: a free one."
    )
    ui: Path | None = Field(
        None, description="A folder with a built web UI (its index.html), served beside the API. Left out: none."
    )
    workers: int = Field(1, ge=1, le=64, description="API processes.")
    admin_password: str | None = Field(
        None, description="The password of `admin`, when the first start makes it. Left out: one is made up and kept."
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
    def run(self) -> Path:
        """What the running server tells other commands: its ports and processes."""
        return self.data / "run"
