"""Keys of the API: shown once, found by their text alone, ended for good."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.api_keys import (
    Scope,
    create,
    find_key,
    list_keys,
    origin_of,
    revoke,
)
from newsletter.errors import UsageError
from newsletter.store.tables import api_key, audit
from tests.audience.people import WRITES, everything


def test_key_is_found_by_its_text_and_by_nothing_else(store):
    with store.begin() as conn:
        scopes = [Scope.SUBSCRIBE, Scope.METRICS]
        text = create(conn, "site", scopes, ["https://www.example.org/"], **WRITES)
        other = create(conn, "grafana", [Scope.METRICS], **WRITES)
        found = find_key(conn, text)
        for wrong in ("", "nk_", text[:-1], text + "x", text.upper(), "\udcff", text * 1000):
            assert find_key(conn, wrong) is None
    assert found is not None
    assert (found.name, found.scopes) == ("site", {Scope.METRICS, Scope.SUBSCRIBE})
    assert found.origins == ("https://www.example.org",)
    assert text.startswith("nk_")
    assert len(text) >= 46
    assert text != other


def test_text_of_a_key_is_kept_nowhere(store):
    with store.begin() as conn:
        text = create(conn, "site", [Scope.SUBSCRIBE], **WRITES)
        (row,) = conn.execute(sa.select(api_key)).all()
    assert len(row.key_hash) == 32
    assert text not in everything(store)
    assert text.removeprefix("nk_") not in everything(store)


def test_revoked_key_is_never_found_again_and_its_name_is_free(store):
    with store.begin() as conn:
        text = create(conn, "site", [Scope.SUBSCRIBE], **WRITES)
        with pytest.raises(UsageError, match="already"):
            create(conn, "site", [Scope.STATUS], **WRITES)
        revoke(conn, "site", **WRITES)
        assert find_key(conn, text) is None
        with pytest.raises(UsageError, match="no key"):
            revoke(conn, "site", **WRITES)
        again = create(conn, "site", [Scope.STATUS], **WRITES)
        assert find_key(conn, text) is None
        assert find_key(conn, again) is not None
        assert [key.revoked_at is None for key in list_keys(conn)] == [False, True]
        actions = conn.scalars(sa.select(audit.c.action).order_by(audit.c.id)).all()
    assert actions == ["api_key.create", "api_key.revoke", "api_key.create"]


@pytest.mark.parametrize(
    ("name", "scopes"), [("", [Scope.STATUS]), ("x", []), ("a\nb", ["status"])]
)
def test_key_without_a_name_or_a_scope_is_not_made(store, name, scopes):
    with pytest.raises(UsageError), store.begin() as conn:
        create(conn, name, map(Scope, scopes), **WRITES)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://www.example.org", "https://www.example.org"),
        ("HTTPS://Www.Example.org:443/", "https://www.example.org"),
        ("https://example.org:8443", "https://example.org:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_origin_is_kept_as_a_browser_sends_it(text, origin):
    assert origin_of(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        *("", "*", "null", "example.org", "http://example.org", "ftp://example.org"),
        *("https://example.org/path", "https://example.org?x", "https://user@example.org"),
        *("https://", "https://example.org:99999", "https://a b.example", "https://[::1"),
        "https://www.example.org https://evil.example",
    ],
)
def test_what_is_no_origin_is_refused(text):
    with pytest.raises(UsageError, match="origin"):
        origin_of(text)


@given(st.text(max_size=60))
def test_whatever_is_taken_as_an_origin_is_one_word_and_stays_as_it_is(text):
    try:
        origin = origin_of(text)
    except UsageError:
        return
    assert origin == "".join(origin.split())
    assert origin_of(origin) == origin
