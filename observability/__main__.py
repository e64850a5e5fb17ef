"""Writes what Grafana and Prometheus read: `python -m observability`."""

from __future__ import annotations

from observability.output import files


def main() -> None:
    for path, content in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


if __name__ == "__main__":
    main()
