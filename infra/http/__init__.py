"""Requests that the server sends out for users, who must not reach through it what they can't reach themselves.

Modules: `addresses` (to whom it connects), `client` (one request, within bounds).
"""
