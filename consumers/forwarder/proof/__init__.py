"""Proof: whether ClickHouse holds every event of the log exactly once."""
