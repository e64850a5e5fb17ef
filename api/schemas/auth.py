"""Credentials as clients send them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.schemas.common import Body, Text

Password = Annotated[Text, Field(min_length=1, max_length=256)]


class LoginWrite(Body):
    """A name or an e-mail address, and the password."""

    username: Text = Field("", max_length=150)
    email: Text = Field("", max_length=254)
    password: Text = Field(min_length=1, max_length=1_000)


class RegisterWrite(Body):
    """A new account, with the password twice."""

    username: Text = Field(max_length=150)
    email: Text = Field("", max_length=254)
    first_name: Text = Field("", max_length=150)
    last_name: Text = Field("", max_length=150)
    password1: Password
    password2: Password


class PasswordChangeWrite(Body):
    """The password as it was, and twice as it is to be."""

    old_password: Text = Field(min_length=1, max_length=1_000)
    new_password1: Password
    new_password2: Password
