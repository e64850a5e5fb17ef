"""The forwarder: log → ClickHouse, every event exactly once as a query sees it.

sources/ read, intake/ and transform/ make rows, sinks/ take batches of them, pipeline.py passes them on and
checkpoint.py remembers; opening.py and forwarder.py join these as topology.py says. proof/ compares the outcome with
the log, mending/ puts it right.
"""
