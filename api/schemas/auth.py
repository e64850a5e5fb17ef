"""Credentials as clients send them."""

from __future__ import annotations

from pydantic import Field

from api.schemas.common import Body, Text


class LoginWrite(Body):
    """A name or an e-mail address, and the password."""

    username: Text = Field("", max_length=150)
    email: Text = Field("", max_length=254)
    password: Text = Field(min_length=1, max_length=1_000)
