"""Where the forwarder's rows go: ClickHouse, files, or the standard output."""
