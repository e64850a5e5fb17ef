"""Where Kafka is and how to get in, from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from domain.errors import AnnalsError
from infra.settings import Settings

Security = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
FORM = "kafka://[user:password@]host:9092[,host:9092…][?security=…&mechanism=…&ca=…]"
DEFAULT_PORT = 9092
BOOTSTRAP_MS = 10_000
"""After which a client that nobody answers is given up."""

METADATA_MS = 2_000
"""So often a client asks who leads a partition. The one that did may hang, and never say that it does no more."""


class WrongKafkaUrl(AnnalsError):
    """ANNALS_KAFKA_URL can't be used."""

    def __init__(self, why: str) -> None:
        super().__init__(f"ANNALS_KAFKA_URL {why}: it is {FORM}")


@dataclass(frozen=True)
class KafkaConfiguration:
    """`servers`: some of the brokers; they tell of the others. `partitions`, `replicas`: of topics that are made;
    0 replicas: as many as there are brokers, at most three.
    """

    servers: tuple[str, ...]
    security: Security = "PLAINTEXT"
    mechanism: Mechanism | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    topic_prefix: str = "annals."
    partitions: int = 4
    replicas: int = 0

    @property
    def events_topic(self) -> str:
        return f"{self.topic_prefix}events"

    @property
    def telemetry_topic(self) -> str:
        """What user interfaces report of themselves."""
        return f"{self.topic_prefix}telemetry"

    @property
    def topics(self) -> tuple[str, str]:
        return self.events_topic, self.telemetry_topic

    def client(self) -> dict[str, Any]:
        """What every client of kafka-python is given."""
        from infra.kafka.client import Client  # a library that only who needs it loads

        return {
            "bootstrap_servers": list(self.servers),
            "client_id": "annals",
            "security_protocol": self.security,
            "ssl_cafile": str(self.ca) if self.ca else None,
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
            "request_timeout_ms": 5_000,
            "reconnect_backoff_max_ms": 1_000,
            "metadata_max_age_ms": METADATA_MS,
            "kafka_client": Client,
        }


def kafka_configuration(settings: Settings) -> KafkaConfiguration | None:
    """None: there is no Kafka. Raises WrongKafkaUrl."""
    if settings.kafka_url is None:
        return None
    parts = urlsplit(settings.kafka_url)
    if parts.scheme != "kafka":
        raise WrongKafkaUrl("does not begin with kafka://")
    credentials, at, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    security = options.pop("security", "SASL_SSL" if at else "PLAINTEXT")
    mechanism = options.pop("mechanism", "SCRAM-SHA-512") if at else None
    ca = options.pop("ca", None)
    _check_choice("security", security, get_args(Security))
    if mechanism is not None:
        _check_choice("mechanism", mechanism, get_args(Mechanism))
    if options:
        raise WrongKafkaUrl(f"has an unknown option {min(options)}")
    if bool(at) != security.startswith("SASL"):
        raise WrongKafkaUrl(f"has security {security} {'with' if at else 'without'} a user")
    return KafkaConfiguration(
        servers=_servers(hosts),
        security=cast(Security, security),
        mechanism=cast(Mechanism, mechanism),
        user=unquote(user) or None,
        password=unquote(password) or None,
        ca=Path(ca) if ca else None,
        topic_prefix=settings.kafka_topic_prefix,
        partitions=settings.kafka_partitions,
        replicas=settings.kafka_replicas,
    )


def _servers(hosts: str) -> tuple[str, ...]:
    servers = tuple(host if _has_port(host) else f"{host}:{DEFAULT_PORT}" for host in hosts.split(",") if host)
    if not servers:
        raise WrongKafkaUrl("names no host")
    return servers


def _has_port(host: str) -> bool:
    return host.rpartition("]")[2].rpartition(":")[2].isdigit()


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise WrongKafkaUrl(f"has a {name} that is none of {', '.join(choices)}")
