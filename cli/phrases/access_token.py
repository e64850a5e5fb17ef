"""What happened to access tokens, in words."""

from __future__ import annotations

from cli.phrases.words import edits, phrase
from domain.events.access_token import AccessTokenChanged, AccessTokenCreated, AccessTokenRevoked, AccessTokenUsed


@phrase(AccessTokenCreated)
def _(body: AccessTokenCreated) -> str:
    return f"made {'read-only ' if body.read_only else ''}access token {body.token_id} “{body.name}”"


@phrase(AccessTokenChanged)
def _(body: AccessTokenChanged) -> str:
    return f"changed {edits(body.changes)} of access token {body.token_id}"


@phrase(AccessTokenUsed)
def _(body: AccessTokenUsed) -> str:
    return f"used access token {body.token_id}"


@phrase(AccessTokenRevoked)
def _(body: AccessTokenRevoked) -> str:
    return f"revoked access token {body.token_id} “{body.name}”"
