"""Forgetting a sink that is not fed any more: whoever gets its name later begins at the start of the log."""

from __future__ import annotations

import shutil
from contextlib import closing

from consumers.forwarder import dead_letters
from consumers.forwarder.means import Means
from consumers.forwarder.topology import Wrong, consumer_of
from consumers.lock import FollowerLock
from infra.eventlog import followers
from infra.postgres import verifications


def forget(sink: str, means: Means, *, forced: bool = False) -> int:
    """Its place, in Kafka as well, its dead letters, comparisons and buffers; not what it was sent. Returns the
    position. Raises Wrong when nothing is known of it, and, unless `forced`, while a forwarder feeds it; Unavailable;
    KafkaRefused.
    """
    consumer = consumer_of(sink)
    with closing(means.database.connect()) as connection:
        if not FollowerLock(connection, consumer).take() and not forced:
            raise Wrong(f"a forwarder feeds {sink}: stop it first")
        known = {one.follower: one.position for one in followers.followers(means.database, [])}
        if consumer not in known:
            raise Wrong(f"nothing is known of a sink {sink}")
        if means.kafka is not None:
            from consumers.forwarder.sources.skipping import forget_group  # a library that only who needs it loads

            forget_group(means.kafka, sink)
        with connection.transaction():
            followers.forget(connection, consumer)
            dead_letters.forget_all(connection, consumer)
            verifications.forget(connection, sink)
    shutil.rmtree(means.folder / sink, ignore_errors=True)
    return known[consumer]
