"""What kafka-python raises, as errors that a person understands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import AuthorizationError, KafkaError, SaslAuthenticationFailedError

from domain.errors import AnnalsError, Unavailable


class KafkaRefused(AnnalsError):
    """Kafka answered, and does not let this installation do what it must."""


@contextmanager
def typed_errors(what: str) -> Iterator[None]:
    """Turns what a client raises into KafkaRefused (somebody has to change something) or Unavailable (worth another
    try). `what` was being done, in words.
    """
    try:
        yield
    except (AuthorizationError, SaslAuthenticationFailedError) as error:
        raise KafkaRefused(f"Kafka refuses {what}: {_words(error)}") from error
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka does not answer, or failed at {what}: {_words(error)}") from error


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
