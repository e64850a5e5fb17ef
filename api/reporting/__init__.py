"""What an API process tells the log of itself: what it refused or failed at, and what its caches gave. Gathered in
memory and recorded in the background, so a process that is killed takes its last second of this with it, and its last
ten of the cache: these are notes on the operation of a server, not changes of anybody's data.
"""
