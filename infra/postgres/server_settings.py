"""The settings of the embedded server: little memory, fast small commits, nothing ever lost."""

from __future__ import annotations

# On the command line, so that neither a file nor ALTER SYSTEM can turn them: an acknowledged event is on the disk,
# and nobody but the owner of the folder can connect.
FIXED: dict[str, str] = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
}

# In annals.conf; ALTER SYSTEM wins over it.
TUNABLE: dict[str, str] = {
    "cluster_name": "annals",
    "TimeZone": "UTC",
    # Memory: one service on a small machine, and no statement that earns parallel workers.
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "max_logical_replication_workers": "0",
    # Three processes less than `worker`, and our reads are index look-ups and forward scans that the system prefetches.
    "io_method": "sync",
    # Not /dev/shm: it has 64 MB in a container, is absent in some, and is emptied by logind when a user logs out.
    "dynamic_shared_memory_type": "mmap",
    # Log: long checkpoint intervals keep full-page images rare; replay after a crash stays in seconds.
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "wal_buffers": "16MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    # The wheel is built without lz4 and zstd, and pglz costs more time than the bytes it saves.
    "wal_compression": "off",
    "random_page_cost": "1.1",
    # Projections are updated all the time: many small vacuums instead of few big ones.
    "autovacuum_max_workers": "2",
    "autovacuum_worker_slots": "4",
    "autovacuum_naptime": "30s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "1000",
    # A backend whose client was killed stops (and frees its locks) instead of finishing its statement.
    "client_connection_check_interval": "5s",
    # One short line per message: statements and details can hold secrets.
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
