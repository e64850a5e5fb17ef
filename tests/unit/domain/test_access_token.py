"""Access tokens: made, changed, used and revoked. The value is told once and kept as a digest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.access_token import MAX_TOKENS, NOTED_EVERY, PREFIX, AccessTokens
from domain.errors import Invalid, NotFound
from domain.events.access_token import (
    AccessTokenChanged,
    AccessTokenCreated,
    AccessTokenRevoked,
    AccessTokenUsed,
    NamedToken,
)
from domain.events.user import UserDeleted
from domain.user import Users, digest

from . import given
from .given import ANN
from .memory_log import START, MemoryLog

SOON = START + timedelta(days=1)


@pytest.fixture
def tokens(log: MemoryLog) -> AccessTokens:
    log.given(given.user(1))
    return AccessTokens(log)


def test_the_value_is_told_and_its_digest_kept(log: MemoryLog, tokens: AccessTokens) -> None:
    token_id, value = tokens.create(ANN, 1, "import", read_only=True, expiry_date=SOON)
    assert log.then == [AccessTokenCreated(token_id, 1, "import", True, SOON, digest(value))]
    assert value.startswith(PREFIX)
    assert value not in str(log.then)
    assert AccessTokenCreated.secret_fields == ("value_hash",)


def test_each_value_is_new(tokens: AccessTokens) -> None:
    assert len({tokens.create(ANN, 1, "import")[1] for _ in range(5)}) == 5


def test_a_token_does_not_end_before_it_begins(log: MemoryLog, tokens: AccessTokens) -> None:
    past = START - timedelta(seconds=1)
    with pytest.raises(Invalid) as refusal:
        tokens.create(ANN, 1, "import", expiry_date=past)
    assert refusal.value.detail.keys() == {"expiry_date"}
    token_id, _ = tokens.create(ANN, 1, "import", expiry_date=SOON)
    with pytest.raises(Invalid):
        tokens.update(ANN, token_id, {"expiry_date": past})
    assert [type(body) for body in log.then] == [AccessTokenCreated]


def test_nobody_has_tokens_without_end(log: MemoryLog, tokens: AccessTokens) -> None:
    ids = [tokens.create(ANN, 1, "import")[0] for _ in range(MAX_TOKENS)]
    with pytest.raises(Invalid):
        tokens.create(ANN, 1, "one more")
    tokens.create(ANN, 2, "somebody else's")
    tokens.revoke(ANN, ids[0])
    tokens.create(ANN, 1, "one more")
    assert len(log.then) == MAX_TOKENS + 3


def test_a_change_leaves_the_rest_as_it_is(log: MemoryLog, tokens: AccessTokens) -> None:
    token_id, _ = tokens.create(ANN, 1, "import", expiry_date=SOON)
    tokens.update(ANN, token_id, {"read_only": True})
    tokens.update(ANN, token_id, {})
    tokens.update(ANN, token_id, {"name": "import", "expiry_date": SOON})
    tokens.update(ANN, token_id, {"expiry_date": None})
    assert log.then[1:] == [
        AccessTokenChanged(token_id, 1, {"read_only": {"from": False, "to": True}}),
        AccessTokenChanged(token_id, 1, {"expiry_date": {"from": SOON.isoformat(), "to": None}}),
    ]


def test_an_expired_token_can_be_renamed(log: MemoryLog, tokens: AccessTokens) -> None:
    token_id, _ = tokens.create(ANN, 1, "import", expiry_date=SOON)
    log.clock = lambda: SOON + timedelta(hours=1)
    tokens.update(ANN, token_id, {"name": "old import"})
    assert log.then[1:] == [AccessTokenChanged(token_id, 1, {"name": {"from": "import", "to": "old import"}})]


def test_what_is_revoked_is_gone(log: MemoryLog, tokens: AccessTokens) -> None:
    token_id, _ = tokens.create(ANN, 1, "import")
    tokens.revoke(ANN, token_id)
    for action in (
        lambda: tokens.revoke(ANN, token_id),
        lambda: tokens.update(ANN, token_id, {"name": "again"}),
        lambda: tokens.note_use(ANN, token_id),
        lambda: tokens.revoke(ANN, 99),
    ):
        with pytest.raises(NotFound):
            action()
    assert log.then[1:] == [AccessTokenRevoked(token_id, 1, "import")]


def test_tokens_end_with_their_account(log: MemoryLog, tokens: AccessTokens) -> None:
    log.given(given.user(2, "bob"))
    (kept, _), (revoked, _) = (tokens.create(ANN, 1, name) for name in ("import", "export"))
    tokens.create(ANN, 2, "of bob")
    tokens.update(ANN, kept, {"name": "night import"})
    tokens.revoke(ANN, revoked)
    Users(log).delete(ANN, 1)
    assert log.then[-1] == UserDeleted(1, "ann", [NamedToken(id=kept, name="night import")])


def test_use_is_noted_once_in_a_day(log: MemoryLog, tokens: AccessTokens) -> None:
    token_id, _ = tokens.create(ANN, 1, "import")
    for moment in (timedelta(0), timedelta(hours=1), NOTED_EVERY - timedelta(seconds=1), NOTED_EVERY):
        log.clock = lambda moment=moment: START + moment
        tokens.note_use(ANN, token_id)
    assert log.then[1:] == [AccessTokenUsed(token_id, 1)] * 2


def test_two_processes_note_the_same_use_once(log: MemoryLog, tokens: AccessTokens) -> None:
    token_id, _ = tokens.create(ANN, 1, "import")
    log.meanwhile(lambda: tokens.note_use(ANN, token_id))
    tokens.note_use(ANN, token_id)
    assert log.then[1:] == [AccessTokenUsed(token_id, 1)]
