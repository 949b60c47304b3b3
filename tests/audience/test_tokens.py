"""Tokens: one purpose each, never forged, short, valid as long as one of the keys is kept."""

from __future__ import annotations

import base64
import hashlib
import re
import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.audience.tokens import (
    VARIABLE,
    Tokens,
    confirmation_hash,
    new_confirmation,
    tokens_of,
)
from newsletter.config import Workspace, load
from newsletter.errors import NewsletterError

ROOT = Path(__file__).parents[2]
OLD, NEW = b"o" * 32, b"n" * 32
ids = st.integers(min_value=0, max_value=2**63 - 1)


@given(ids)
def test_token_leads_back_to_the_subscriber_and_fits_a_header(subscriber_id):
    token = Tokens([OLD]).sign("unsubscribe", subscriber_id)
    assert Tokens([OLD]).verify("unsubscribe", token) == subscriber_id
    assert re.fullmatch(r"[A-Za-z0-9_-]{23,32}", token)


@given(ids, st.binary(min_size=1, max_size=100), st.text(max_size=100))
@example(7, b"k" * 64, "unsubscribe")
@example(7, b"k" * 65, "unsubscribe")
def test_signature_is_blake2b_of_128_bits_with_the_key(subscriber_id, key, purpose):
    subject = subscriber_id.to_bytes((subscriber_id.bit_length() + 7) // 8 or 1, "big")
    message = purpose.encode() + b"\0" + subject
    short = key if len(key) <= 64 else hashlib.blake2b(key).digest()
    expected = subject + hashlib.blake2b(message, digest_size=16, key=short).digest()
    token = Tokens([key]).sign(purpose, subscriber_id)
    assert base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)) == expected


@given(st.lists(ids))
@example([0, 255, 256, 2**63 - 1])
def test_many_are_signed_as_each_is_alone(subscriber_ids):
    tokens = Tokens([NEW, OLD])
    found = tokens.sign_all("unsubscribe", subscriber_ids)
    assert [token.decode("ascii") for token in found] == [
        tokens.sign("unsubscribe", subscriber_id) for subscriber_id in subscriber_ids
    ]


def test_token_in_mail_that_is_out_stays_valid():
    assert Tokens([OLD]).sign("unsubscribe", 7) == "B-9YZp4N4mt2D-5D6jtuaX8"


@given(ids, st.text(max_size=40))
def test_token_of_another_purpose_key_or_making_is_refused(subscriber_id, invented):
    token = Tokens([OLD]).sign("unsubscribe", subscriber_id)
    assert Tokens([OLD]).verify("preferences", token) is None
    assert Tokens([NEW]).verify("unsubscribe", token) is None
    assert Tokens([OLD]).verify("unsubscribe", invented) is None


@given(ids, st.integers(min_value=0, max_value=31), st.characters())
def test_token_with_one_character_changed_is_refused(subscriber_id, place, char):
    token = Tokens([OLD]).sign("unsubscribe", subscriber_id)
    changed = token[: place % len(token)] + char + token[place % len(token) + 1 :]
    assert changed == token or Tokens([OLD]).verify("unsubscribe", changed) is None


@pytest.mark.parametrize("form", ["{}=", "{}==", "{} ", "{}\n", " {}", "A{}", "{}A"])
def test_token_has_one_spelling(form):
    token = Tokens([OLD]).sign("unsubscribe", 7)
    assert Tokens([OLD]).verify("unsubscribe", form.format(token)) is None


def test_first_key_signs_and_all_verify():
    old = Tokens([OLD]).sign("unsubscribe", 7)
    rotated = Tokens([NEW, OLD])
    assert rotated.verify("unsubscribe", old) == 7
    assert rotated.sign("unsubscribe", 7) == Tokens([NEW]).sign("unsubscribe", 7) != old


def test_confirmation_is_random_and_kept_as_a_hash():
    token, token_hash = new_confirmation()
    assert new_confirmation()[0] != token
    assert len(token) == 22
    assert confirmation_hash(token) == token_hash
    assert len(token_hash) == 32
    assert confirmation_hash("\udcff anything") != token_hash


# ── keys ────────────────────────────────────────────────────────────────────


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    return Workspace(tmp_path, load(ROOT / "newsletter.toml"))


def sample(tokens: Tokens) -> str:
    return tokens.sign("unsubscribe", 7)


def test_key_is_made_once_and_readable_by_its_owner_alone(workspace):
    first = sample(tokens_of(workspace))
    path = workspace.root / ".newsletter" / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sample(tokens_of(workspace)) == first
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_file_may_hold_a_key_a_line(workspace):
    old = sample(tokens_of(workspace))
    path = workspace.root / ".newsletter" / "secret"
    path.write_text("n" * 40 + "\n\n" + path.read_text())
    rotated = tokens_of(workspace)
    assert rotated.verify("unsubscribe", old) == 7
    assert sample(rotated) == sample(Tokens([b"n" * 40]))


def test_environment_wins_over_the_file_and_may_hold_several(workspace, monkeypatch):
    monkeypatch.setenv(VARIABLE, "e" * 40 + ", " + "f" * 40)
    assert sample(tokens_of(workspace)) == sample(Tokens([b"e" * 40]))
    assert tokens_of(workspace).verify("unsubscribe", sample(Tokens([b"f" * 40]))) == 7
    assert not (workspace.root / ".newsletter").exists()


@pytest.mark.parametrize("value", ["", "short", "e" * 40 + ",short"])
def test_short_key_is_refused(workspace, monkeypatch, value):
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(NewsletterError, match="fewer than 32"):
        tokens_of(workspace)


@pytest.mark.parametrize("content", ["cut off", "", "n" * 40 + "\ncut off\n"])
def test_damaged_file_is_refused_and_kept(workspace, content):
    path = workspace.root / ".newsletter" / "secret"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(NewsletterError, match="too short"):
        tokens_of(workspace)
    assert path.read_text() == content
