"""Real Kafka brokers for tests, in KRaft mode: each is broker and controller in one Java process.

They end with the thread that started them, which has to be the main thread: no killed test run leaves one behind.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.kafka.artefacts import NoKafka
from tests.ports import free_port

START_SECONDS = 180.0
PR_SET_PDEATHSIG = 1
CLUSTER_ID = "AnnalsTestsAAAAAAAAAAA"
JVM = ["java", "-Xmx256m", "-Xms64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]

COMMON: Mapping[str, object] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1_000,
    "offsets.topic.num.partitions": 2,
    "transaction.state.log.num.partitions": 2,
    # What the death of a broker costs: tests can't wait for the nine seconds that are usual.
    "broker.heartbeat.interval.ms": 300,
    "broker.session.timeout.ms": 2_000,
    "controller.quorum.election.timeout.ms": 500,
    "controller.quorum.fetch.timeout.ms": 1_000,
    "replica.lag.time.max.ms": 5_000,
    # The same for a broker that hangs: others wait thirty seconds for its answer before they ask another one.
    "request.timeout.ms": 3_000,
    "controller.socket.timeout.ms": 3_000,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "log.cleaner.enable": "false",
}


class Prepared(NamedTuple):
    """`classes`: those of a broker as Java keeps them, which halves a start. `checkpoint`: what Kafka's storage tool
    writes into the folder of each new broker.
    """

    classes: Path
    checkpoint: Path


class Broker:
    """One node, and the folder that it works in. `start` and `kill` may follow each other as often as one likes."""

    def __init__(self, jars: Path, folder: Path, node: int, port: int, settings: Mapping[str, object]) -> None:
        self.node, self.port = node, port
        self._jars, self._folder, self._data = jars, folder, folder / "data"
        self._options: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        lines = {**settings, "node.id": node, "log.dirs": self._data}
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def format(self, prepared: Prepared) -> None:
        """Prepares the folder as Kafka's storage tool does; to be done once, before the first start."""
        self._data.mkdir()
        shutil.copy(prepared.checkpoint, self._data)
        directory = f"AnnalsTestsDirectory{self.node}A"  # 16 bytes in Base64
        about = {"version": 1, "cluster.id": CLUSTER_ID, "node.id": self.node, "directory.id": directory}
        (self._data / "meta.properties").write_text("".join(f"{name}={value}\n" for name, value in about.items()))
        self._options = [f"-XX:SharedArchiveFile={prepared.classes}"]

    def prepare(self, made: Prepared) -> None:
        """Starts from nothing, so that `made` can be taken from it; it is there when the broker has been stopped."""
        tool = self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties))
        if tool.wait(START_SECONDS):
            raise NoKafka("the storage of a broker could not be formatted")
        shutil.copy(self._data / made.checkpoint.name, made.checkpoint)
        self._options = [f"-XX:ArchiveClassesAtExit={made.classes}"]
        self.start()

    def stop(self) -> None:
        """In order."""
        self._end(signal.SIGTERM)

    def start(self) -> None:
        """It will answer after a second or two: see `Cluster.wait`."""
        self._process = self._java("kafka.Kafka", str(self._properties))

    def kill(self) -> None:
        """As kill -9 does. A broker that does not run is left alone."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It hangs, as a machine does that swaps: connections stay open, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def check_alive(self) -> None:
        """Raises NoKafka, with the broker's last words, when it has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise NoKafka(f"broker {self.node} has ended: {self.words.read_text(errors='replace')[-1500:]}")

    @property
    def words(self) -> Path:
        """Where it writes what it has to say."""
        return self._folder / "output"

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait()

    def _java(self, *words: str) -> subprocess.Popen[bytes]:
        command = [*JVM, *self._options, "-cp", f"{self._jars}/*", *words]
        with self.words.open("ab") as output:
            # In a group of its own: Ctrl-C is for pytest, whose fixtures then stop the brokers.
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=_die_with_parent,
                process_group=0,
            )  # fmt: skip


class Cluster:
    """Brokers that know each other, on free ports of the loopback interface. `settings`: of each broker, besides the
    common ones; `client`: how somebody gets in who may see everything.
    """

    def __init__(
        self,
        jars: Path,
        folder: Path,
        brokers: int,
        settings: Mapping[str, object] | None = None,
        client: Mapping[str, object] | None = None,
    ) -> None:
        self._client = client or {}
        ports = [free_port() for _ in range(2 * brokers)]
        quorum = ",".join(f"{node}@127.0.0.1:{ports[brokers + node - 1]}" for node in range(1, brokers + 1))
        common = {**COMMON, **_replication(brokers), **(settings or {}), "controller.quorum.voters": quorum}
        self.brokers = [
            Broker(jars, folder / str(node), node, port, common | _listeners(port, ports[brokers + node - 1]))
            for node, port in enumerate(ports[:brokers], start=1)
        ]

    @property
    def servers(self) -> str:
        """As ANNALS_KAFKA_URL lists them."""
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def start(self, prepared: Prepared) -> None:
        """Returns when all brokers answer. Raises NoKafka."""
        for broker in self.brokers:
            broker.format(prepared)
            broker.start()
        self.wait()

    def prepare(self, made: Prepared) -> None:
        """Makes what later clusters start from. Raises NoKafka."""
        (broker,) = self.brokers
        try:
            broker.prepare(made)
            self.wait()
            broker.stop()
        finally:
            broker.kill()

    def stop(self) -> None:
        for broker in self.brokers:
            broker.kill()

    def wait(self) -> None:
        """Until all brokers have joined the cluster and answer, and have again what the others have: only then may
        another one fail. Raises NoKafka.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self._is_whole():
            for broker in self.brokers:
                broker.check_alive()
            if time.monotonic() > deadline:
                raise NoKafka(f"the brokers did not answer within {START_SECONDS:.0f} s")
            time.sleep(0.05)

    def _is_whole(self) -> bool:
        if not all(_listens(broker.port) for broker in self.brokers):
            return False
        try:
            with closing(
                KafkaAdminClient(bootstrap_servers=self.servers.split(","), bootstrap_timeout_ms=10_000, **self._client)
            ) as admin:
                joined = {node["broker_id"] for node in admin.describe_cluster()["brokers"]}
                partitions = [partition for topic in admin.describe_topics() for partition in topic["partitions"]]
        except (KafkaError, RuntimeError, OSError):
            return False
        in_sync = all(set(found["isr_nodes"]) == set(found["replica_nodes"]) for found in partitions)
        return in_sync and joined == {broker.node for broker in self.brokers}


def _replication(brokers: int) -> dict[str, object]:
    """Internal topics that outlive one of three brokers."""
    copies, in_sync = min(3, brokers), max(1, min(3, brokers) - 1)
    return {
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
    }


def _listeners(port: int, controller: int) -> dict[str, object]:
    return {"listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
