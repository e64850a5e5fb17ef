"""The embedded ClickHouse: `chdb` behind the ClickHouse HTTP interface.

- `serve` (endpoint.py) runs it in a process of its own; `python -m infra.clickhouse` is the command line for it.
- `engine.py` is the only module that touches chdb; `access.py` decides who may do what.
"""
