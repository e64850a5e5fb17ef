"""What kafka-python raises, as errors that a person understands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import (
    AuthorizationError,
    KafkaError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)

from domain.errors import AnnalsError, Unavailable

MOST_WORDS = 300


class KafkaRefused(AnnalsError):
    """Kafka answered, and does not let this installation do what it must."""


class TooLarge(AnnalsError):
    """Kafka takes this message under no circumstances. `position`: of its event."""

    def __init__(self, topic: str, position: int) -> None:
        super().__init__(f"Kafka's topic {topic} does not take the event at position {position:,}: it is too large")
        self.position = position


class TopicMadeAnew(AnnalsError):
    """What Kafka had acknowledged in a topic is not there any more."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"Kafka's topic {topic} was made anew: what had been written to it is gone")


@contextmanager
def typed_errors(what: str) -> Iterator[None]:
    """Turns what a client raises into KafkaRefused (somebody has to change something) or Unavailable (worth another
    try). `what` was being done, in words.
    """
    try:
        yield
    except (AuthorizationError, SaslAuthenticationFailedError, UnsupportedSaslMechanismError) as error:
        raise KafkaRefused(f"Kafka refuses {what}: {_words(error)}") from error
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka does not answer, or failed at {what}: {_words(error)}") from error


def _words(error: BaseException) -> str:
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS]}…"  # some hold a whole request and its answer
