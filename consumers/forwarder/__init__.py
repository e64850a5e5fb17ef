"""The forwarder: log → ClickHouse, every event exactly once as a query sees it.

source.py reads the log, transform/ makes rows, sink.py inserts, checkpoint.py remembers, recovery.py finds out where to
go on, forwarder.py joins them; check.py proves the outcome.
"""
