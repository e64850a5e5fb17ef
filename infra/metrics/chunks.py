"""The cache of prepared chunks, frames and previews."""

from __future__ import annotations

from prometheus_client import Counter

from infra.metrics.registry import METRICS

READS = Counter(
    "annals_chunk_cache_reads_total",
    "Chunks, frames and previews that were asked for: there already (`hit`), or to be made first (`miss`).",
    ("outcome",),
    registry=METRICS,
)
HITS, MISSES = READS.labels("hit"), READS.labels("miss")
