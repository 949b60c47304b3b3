"""Addresses: the fast path and email-validator agree, and special domains are refused."""

from __future__ import annotations

import string

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from newsletter.email_address import normalized

letters = string.ascii_letters + string.digits + "._+-@"
labels = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=8)
tails = st.sampled_from(["org", "com", "test", "local", "invalid", "arpa", "onion", "co.uk", "c"])
shaped = st.builds(
    lambda local, label, tail: f"{local}@{label}.{tail}",
    st.text(string.ascii_letters + string.digits + "._+-", min_size=1, max_size=70),
    labels,
    tails,
)


def judged(address: str) -> str | None:
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        return None


@given(st.one_of(shaped, st.text(letters, max_size=40), st.text(max_size=20)))
def test_fast_path_agrees_with_email_validator(address):
    try:
        ours = normalized(address)
    except ValueError:
        ours = None
    assert ours == judged(address)


@pytest.mark.parametrize("domain", ["localhost", "a.local", "a.invalid", "a.onion", "1.arpa"])
def test_domains_that_never_receive_mail_are_refused(domain):
    with pytest.raises(ValueError, match="@"):
        normalized(f"reader@{domain}")


def test_domain_is_lowered_and_the_local_part_kept():
    assert normalized("Ada.Okafor@EXAMPLE.org") == "Ada.Okafor@example.org"
    assert normalized("a@BÜCHER.example.org") == "a@bücher.example.org"


def test_ascii_only_refuses_what_needs_smtputf8():
    assert normalized("jörg@example.org") == "jörg@example.org"
    with pytest.raises(ValueError, match="before the @-sign"):
        normalized("jörg@example.org", ascii_only=True)
