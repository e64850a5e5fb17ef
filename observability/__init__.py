"""Dashboards and alert rules as code: `make dashboards` writes docker/grafana and docker/prometheus/rules.yml anew.

Not part of the product: Grafana and Prometheus read what is written, and `tests/integration/dashboards` runs every
query of it on the real engine. SQL stands in `queries/<dashboard>.sql`, panels in the module of that name.
"""
