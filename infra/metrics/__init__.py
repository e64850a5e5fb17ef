"""What each process counts of its own work, for Prometheus. One module per area declares its metrics; all processes of
one `annals serve` keep theirs in files of one folder, so that each can tell of all; a process by itself keeps them in
memory.
"""
