"""Kafka: where it is, its topics, events as messages, and the errors of both clients."""
