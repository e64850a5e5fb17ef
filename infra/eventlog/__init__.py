"""The event log in PostgreSQL, as a persistence module of `eventsourcing`."""
