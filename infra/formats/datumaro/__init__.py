"""Formats that the library datumaro writes and reads; it is an optional dependency (`annals[formats]`)."""
