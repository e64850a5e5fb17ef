"""`annals forward`: the forwarder, and the tools around it."""
