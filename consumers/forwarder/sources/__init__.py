"""Where the forwarder's events come from: the log itself, or Kafka."""
