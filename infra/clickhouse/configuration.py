"""The engine's own configuration: rights, limits and housekeeping that no statement can change.

chdb reads a server configuration and a users file. Everybody is the engine's one user, `default`; what that user may
never do is taken away here, by grants (no file, URL, remote or script sources; no users, functions, backups, SYSTEM)
and by constraints: every setting of the engine that is not listed in `_CHANGEABLE` is constant. A reader's connection
adds `readonly = 2`, which cannot be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from infra.clickhouse.limits import Limits

_GRANTS: Final = (
    "GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP DATABASE, DROP TABLE,"
    " DROP VIEW, TRUNCATE, OPTIMIZE, KILL QUERY ON *.*"
)

_FIXED: Final = {
    "implicit_select": "0",  # `exit` is a syntax error, as on a server
    "async_insert": "0",  # an acknowledged insert is in the table
    "allow_introspection_functions": "0",
    "allow_python_table_function": "0",  # it would read the variables of this process
    "log_queries": "0",
    "query_profiler_real_time_period_ns": "0",
    "query_profiler_cpu_time_period_ns": "0",
}

_DEFAULTS: Final = {
    "input_format_parallel_parsing": "0",  # a writer's INSERT takes one thread
}

# Names, or patterns with *, of the settings that clients may change. Not here, for a reason: whatever names a file
# (format_schema, output_format_schema, format_template_*, input_format_record_errors_file_path), holds an expression
# (additional_result_filter; access.py looks into additional_table_filters), changes the language (dialect,
# enable_*_dialect, implicit_*), allows more threads or recursion (max_final_threads, max_ast_*), reaches out (s3_*,
# url_*, remote_*) or gives up durability (async_insert, fsync_*).
_CHANGEABLE: Final = """
    additional_table_filters database session_timezone log_comment priority limit offset extremes final
    max_execution_time max_memory_usage max_threads max_block_size max_columns_to_read max_rows_* max_bytes_*
    max_result_* *_overflow_mode timeout_before_checking_execution_speed max_partitions_per_insert_block
    output_format_* input_format_* format_csv_* format_custom_* format_tsv_* bool_*_representation
    date_time_input_format date_time_output_format date_time_overflow_behavior cast_*
    cancel_http_readonly_queries_on_client_close enable_http_compression http_zlib_compression_level
    send_progress_in_http_headers http_headers_progress_interval_ms http_wait_end_of_query http_response_buffer_size
    join_* any_join_distinct_right_table_keys optimize_* query_plan_* group_by_* totals_mode union_default_mode
    intersect_default_mode except_default_mode transform_null_in aggregate_functions_null_for_empty
    empty_result_for_aggregation_by_empty_set data_type_default_nullable count_distinct_implementation
    enable_positional_arguments enable_order_by_all enable_optimize_predicate_expression use_index* use_skip_indexes*
    use_query_condition_cache use_variant_as_common_type prefer_column_name_to_alias force_primary_key
    force_data_skipping_indices force_optimize_projection do_not_merge_across_partitions_select_final
    select_sequential_consistency describe_* formatdatetime_* parsedatetime_* short_circuit_function_evaluation
    allow_suspicious_* allow_experimental_*_type enable_*_type insert_* min_insert_block_size_* deduplicate_*
    mutations_sync alter_sync lightweight_deletes_sync materialize_* throw_on_max_partitions_per_insert_block
    parallel_view_processing
"""
_NEVER: Final = re.compile(r"(^|_)(schema|path|file|url|endpoint|disk|named_collection|eval)s?(_|$)")

# system tables that hold other people's statements, the machine's paths, or cost a signal to every thread
_HIDDEN_TABLES: Final = (
    "asynchronous_inserts",
    "errors",
    "query_cache",
    "server_settings",
    "session_query_ids",
    "user_query_log",
)


def changeable(setting: str) -> bool:
    """Whether a client may change this setting of the engine."""
    if _NEVER.search(setting) or setting in _FIXED:
        return False
    return _PATTERN.fullmatch(setting) is not None


_PATTERN: Final = re.compile("|".join(name.replace("*", r"\w+") for name in _CHANGEABLE.split()))


def write_configuration(folder: Path, settings: Iterable[str], limits: Limits) -> Path:
    """Writes the two files into `folder` and returns the one that chdb is given.

    `settings` are the names of all settings that this version of the engine has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    users, server = folder / "users.xml", folder / "server.xml"
    users.write_text(_users(settings, limits))
    server.write_text(_server(users.resolve(), limits))
    return server


def _users(settings: Iterable[str], limits: Limits) -> str:
    bounds = {
        "max_execution_time": (limits.query_seconds, limits.query_seconds_max),
        "max_memory_usage": (limits.query_memory, limits.query_memory_max),
        "max_threads": (limits.query_threads, limits.query_threads_max),
    }
    values = {**_FIXED, **_DEFAULTS, **{name: str(value) for name, (value, _) in bounds.items()}}
    constant = (name for name in settings if not changeable(name) and name != "readonly")
    constraints = _tags({name: "<const/>" for name in constant if re.fullmatch(r"[A-Za-z_]\w*", name)})
    limited = _tags({name: f"<min>1</min><max>{most}</max>" for name, (_, most) in bounds.items()})
    hidden = _tags(dict.fromkeys(_HIDDEN_TABLES, "<filter>0</filter>"))
    return f"""<clickhouse>
<profiles><default>{_tags(values)}<constraints>{constraints}{limited}</constraints></default></profiles>
<quotas><default/></quotas>
<users><default>
<no_password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<grants><query>{_GRANTS}</query></grants>
<databases><system>{hidden}</system></databases>
</default></users>
</clickhouse>
"""


def _server(users: Path, limits: Limits) -> str:
    tables = {
        # With these an answered INSERT survives a power cut. Merged parts need no fsync: their sources stay on disk for
        # old_parts_lifetime (480 s), long after the kernel has written the merged part.
        "fsync_after_insert": 1,
        "fsync_part_directory": 1,
        # One thread removes old parts. More than 100 at a time would start a pool of 128 threads that stay; chdb makes
        # the pool when it is imported, before it has read any configuration.
        "concurrent_part_removal_threshold": 1_000_000,
        # must not exceed the size of the merge pool below
        "number_of_free_entries_in_pool_to_execute_mutation": 1,
        "number_of_free_entries_in_pool_to_lower_max_size_of_merge": 1,
        "number_of_free_entries_in_pool_to_execute_optimize_entire_partition": 1,
    }
    server = {
        "users_config": escape(str(users)),
        "timezone": "UTC",
        "max_server_memory_usage": limits.engine_memory,
        "max_concurrent_queries": 0,  # the endpoint counts
        "mark_cache_size": 32 << 20,
        "primary_index_cache_size": 32 << 20,
        "index_mark_cache_size": 4 << 20,
        "uncompressed_cache_size": 0,
        "index_uncompressed_cache_size": 0,
        "query_condition_cache_size": 8 << 20,
        "mmap_cache_size": 64,
        "compiled_expression_cache_size": 8 << 20,
        "background_pool_size": 2,
        "background_schedule_pool_size": 2,
        "background_common_pool_size": 1,
        "background_fetches_pool_size": 1,
        "background_move_pool_size": 1,
        "background_buffer_flush_schedule_pool_size": 1,
        "background_message_broker_schedule_pool_size": 1,
        "background_distributed_schedule_pool_size": 1,
    }
    # chdb 26.9 goes on when a write of a part's file fails, and commits a part that is cut off. So nothing is written,
    # neither inserts nor merges, when the disk is nearly full (whole_parts.py looks after the rest).
    disks = f"<disks><default>{_tags({'keep_free_space_bytes': limits.free_space})}</default></disks>"
    storage = f"<storage_configuration>{disks}</storage_configuration>"
    merges = f"<merge_tree>{_tags(tables)}</merge_tree>"
    return f"<clickhouse>\n{_tags(server, chr(10))}{storage}{merges}\n</clickhouse>\n"


def _tags(values: Mapping[str, object], end: str = "") -> str:
    return "".join(f"<{name}>{value}</{name}>{end}" for name, value in values.items())
