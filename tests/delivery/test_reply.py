"""Replies as they are kept: nobody's address in them, in one line."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.reply import MAX_LENGTH, masked


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("550 5.1.1 <ada@example.org>: no such user", "550 5.1.1 <…>: no such user"),
        ("550 mailbox ADA@Example.org is full", "550 mailbox … is full"),
        ("550 user ada unknown", "550 user … unknown"),
        ('550 "ada l"@example.org unknown', "550 … unknown"),
        ("451 bounces+ada=40example.org@mx.test deferred", "451 … deferred"),
        ("551 see https://mx.test/?to=ada%40example.org", "551 see https:…"),
        ("550 адрес почта@пример.test отклонён", "550 адрес … отклонён"),
        ("450\r\n4.2.1\tslow  down\x00", "450 4.2.1 slow down"),
        ("250 2.0.0 adapter queued", "250 2.0.0 adapter queued"),
    ],
)
def test_address_is_taken_out_of_a_reply(reply, kept):
    assert masked(reply, "ada@example.org") == kept


def test_local_part_that_is_a_number_leaves_codes_alone():
    assert masked("550 5.1.1 no", "550@example.org") == "550 5.1.1 no"


def test_long_reply_is_cut_and_no_half_address_stands_at_its_end():
    kept = masked("x " * 998 + "someone.with.a.name@example.org")
    assert len(kept) <= MAX_LENGTH
    assert "someone" not in masked("y@z.test " * 221 + "someone.with.a.name@example.org")


@given(
    before=st.text(max_size=600),
    local=st.from_regex(r"[a-z]{3,9}[0-9.+-]{0,4}x", fullmatch=True),
    after=st.text(max_size=600),
)
def test_address_of_the_recipient_is_never_kept(before, local, after):
    email = f"{local}@example.org"
    kept = masked(f"{before} {email.upper()} {after}", email)
    assert email not in kept.lower()
    assert kept.isprintable()


def test_a_long_word_takes_no_more_than_its_length():
    started = time.process_time()
    for word in ("y" * 2_000, "y" * 1_900 + " a@b.test", "=" * 2_000, '"' * 2_000):
        for _ in range(100):
            masked(word, "ada@example.org")
    assert time.process_time() - started < 3  # with the square of it: half a minute


_CHAR = r"""[^\s<>()\[\],;:"]"""
_PLAIN = re.compile(rf"""(?:"[^"@]*"|{_CHAR}+)@{_CHAR}+""")  # the same, slowly


@given(st.text('ab"@ <>,', max_size=40))
def test_addresses_are_found_as_by_the_plain_expression(reply):
    line = " ".join(reply.split())
    assert masked(reply) == _PLAIN.sub("…", line)
