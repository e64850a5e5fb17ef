"""A process that does processing work."""
