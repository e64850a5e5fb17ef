"""Mending: bringing ClickHouse to what the log says, from outside the stream."""
