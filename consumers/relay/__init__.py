"""The relay: log → Kafka, in order, for whoever wants to follow what happens here without asking this server.

Each run of events is one transaction, and the place in the log moves only when that is committed. After a crash a run
may be repeated, so a reader drops an event whose position is not above the highest it has seen of the partition. Topics
that are new are filled from the start of the log.
"""
