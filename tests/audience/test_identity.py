"""The spelling of the domain makes nobody another person; the part before the @ does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.identity import Hasher, identity_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@Example.ORG", "ada@example.org"),
        ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@MÜNCHEN.example", "ada@münchen.example"),
        ("e\u0301va@example.org", "éva@example.org"),
    ],
)
def test_spellings_of_one_address_are_one_person(one, other):
    assert identity_of(one) == identity_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@example.org", "ada@example.org"),
        ("ada@example.org", "ada+news@example.org"),
        ("ada@example.org", "a.da@example.org"),
        ("ada@faß.example", "ada@fass.example"),
        ("straße@example.org", "strasse@example.org"),
        ("аda@example.org", "ada@example.org"),  # the first is a Cyrillic а
    ],
)
def test_addresses_that_look_alike_are_two_people(one, other):
    assert identity_of(one) != identity_of(other)


@pytest.mark.parametrize("text", ["", "ada", "@example.org", "a b@example.org", "a@b@example.org"])
def test_what_is_no_address_has_no_identity(text):
    with pytest.raises(ValueError, match=r"\w"):
        identity_of(text)


@given(st.emails())
def test_identity_of_an_identity_is_itself(email):
    try:
        identity = identity_of(email)
    except ValueError:  # of a form that we refuse
        return
    assert identity_of(identity) == identity
    assert identity.rpartition("@")[2].isascii()


def test_hash_depends_on_the_key_and_is_128_bits():
    identity = "ada@example.org"
    assert len(Hasher(b"k" * 32).hash(identity)) == 16
    assert Hasher(b"k" * 32).hash(identity) == Hasher(b"k" * 32).hash(identity)
    assert Hasher(b"k" * 32).hash(identity) != Hasher(b"l" * 32).hash(identity)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@example.org", "ada@example.org"),
        ("ÉVA@example.org", "éva@example.org"),
        ("J\u030cana@example.org", "ǰana@example.org"),  # no capital of its own in Unicode
    ],
)
def test_hash_is_the_same_in_any_letter_case_so_that_leaving_once_is_enough(one, other):
    hasher = Hasher(b"k" * 32)
    assert identity_of(one) != identity_of(other)
    assert hasher.hash(identity_of(one)) == hasher.hash(identity_of(other))
