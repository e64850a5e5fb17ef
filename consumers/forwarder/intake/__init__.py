"""Intake: what comes from a source, shaped into rows, by as many processes as it takes."""
