"""Where Kafka is, as the settings say it."""

from __future__ import annotations

import pytest

from infra.kafka.configuration import KafkaConfiguration, WrongKafkaUrl, kafka_configuration
from infra.settings import Settings


def configured(url: str) -> KafkaConfiguration:
    configuration = kafka_configuration(Settings(kafka_url=url))
    assert configuration is not None
    return configuration


def test_no_url_is_no_kafka() -> None:
    assert kafka_configuration(Settings()) is None


def test_hosts_alone_are_plain() -> None:
    configuration = configured("kafka://one,two:9093")
    assert configuration.servers == ("one:9092", "two:9093")
    client = configuration.client()
    assert client["security_protocol"] == "PLAINTEXT"
    assert client["sasl_mechanism"] is None


def test_a_user_goes_through_tls_unless_it_is_said_otherwise() -> None:
    client = configured("kafka://ann:p%40ss%2Fword@broker?ca=/etc/ca.pem").client()
    assert client["security_protocol"] == "SASL_SSL"
    assert client["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (client["sasl_plain_username"], client["sasl_plain_password"]) == ("ann", "p@ss/word")
    assert client["ssl_cafile"] == "/etc/ca.pem"
    plain = configured("kafka://ann:secret@broker?security=SASL_PLAINTEXT&mechanism=PLAIN").client()
    assert (plain["security_protocol"], plain["sasl_mechanism"]) == ("SASL_PLAINTEXT", "PLAIN")


def test_an_address_may_be_of_version_6() -> None:
    assert configured("kafka://[::1]:9093,[::2]").servers == ("[::1]:9093", "[::2]:9092")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://broker:9092", "does not begin with kafka://"),
        ("kafka://", "names no host"),
        ("kafka://broker?security=TLS", "has a security that is none of PLAINTEXT, SSL"),
        ("kafka://ann:secret@broker?mechanism=MD5", "has a mechanism that is none of PLAIN, SCRAM-SHA-256"),
        ("kafka://ann:secret@broker?security=SSL", "has security SSL with a user"),
        ("kafka://broker?security=SASL_SSL", "has security SASL_SSL without a user"),
        ("kafka://broker?colour=red", "has an unknown option colour"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(url: str, why: str) -> None:
    with pytest.raises(WrongKafkaUrl) as refused:
        configured(url)
    assert why in refused.value.message
    assert "secret" not in refused.value.message


def test_no_password_is_shown() -> None:
    assert "secret" not in repr(configured("kafka://ann:secret@broker"))


def test_topics_are_named_by_the_settings() -> None:
    settings = Settings(kafka_url="kafka://broker", kafka_topic_prefix="lab.", kafka_partitions=7, kafka_replicas=2)
    configuration = kafka_configuration(settings)
    assert configuration == KafkaConfiguration(("broker:9092",), topic_prefix="lab.", partitions=7, replicas=2)
    assert configuration.topics == ("lab.events", "lab.telemetry")
