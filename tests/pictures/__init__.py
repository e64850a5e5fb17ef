"""Pictures of the dashboards for the documentation, drawn from what their queries really give: `make pictures`.

Grafana itself is not run: its panels are drawn again with matplotlib, in their places, from the committed JSON.
"""
