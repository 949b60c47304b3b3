"""Whatever comes into the bounce mailbox: no crash, no long wait, nothing that cannot be stored."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.bounces import parse_bounce
from newsletter.feedback.events import Event
from tests.feedback.bounce_samples import READER, SAMPLES, block, report

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
LONGEST = 5.0  # seconds; some tenths on an idle machine

_PIECES = [
    b"\n\n",
    b"\n",
    b"\r",
    b"\0",
    b"--B\n",
    b"--B--\n",
    b"\xff\xfe",
    b"=?utf-8?b?x",
    b"\xed\xa0\x80",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: multipart/mixed; boundary=B\n\n",
    b"Content-Type: text/plain; charset=utf-7\n\n+2AA-",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Type: text/plain; charset=unicode_escape\n\n\\q",
    b"Content-Transfer-Encoding: x-uu\n",
    b"Final-Recipient: ",
    b"Action: ",
    b"Status: 5.",
    b"Feedback-Type: abuse\n",
    b"From: \n",
    b"Date: Mon, 01 Jan 99999 00:00:00 +9999\n",
    b"\\x{D800}",
    b"\\x{0}",
    b"Content-Type: \xff/\n",
]


def check(events: list[Event]) -> None:
    """All that is said of events must hold, wherever they came from."""
    for event in events:
        assert event.at.tzinfo is UTC
        assert re.search(r"\w@\w", event.detail) is None
        for text in (event.detail, event.email or "", event.token or "", event.event_id):
            assert "\0" not in text
            assert text.encode("utf-8").decode("utf-8") == text
    assert len({event.event_id for event in events}) == len(events)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))].data)
    for _ in range(draw(st.integers(1, 8))):
        place = draw(st.integers(0, len(data)))
        piece = draw(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=8)))
        data[place : place + draw(st.sampled_from([0, 1, 20, 400]))] = piece
    return bytes(data)


@given(mutated(), st.sampled_from([None, NOW]))
def test_damaged_bounce_gives_well_formed_events_or_none(data, at):
    check(parse_bounce(data, at=at))


@given(st.binary(max_size=500))
def test_any_bytes_give_well_formed_events_or_none(data):
    check(parse_bounce(data, at=None))


def test_every_beginning_of_a_bounce_is_read():
    for name in ("postfix", "exim, before it had reports", "several recipients"):
        data = SAMPLES[name].data
        for length in range(0, len(data), 7):
            check(parse_bounce(data[:length], at=NOW))


def nested(depth: int, inner: bytes) -> bytes:
    heads = (
        f'Content-Type: multipart/mixed; boundary="{number}"\n\n--{number}\n'
        for number in range(depth)
    )
    return "".join(heads).encode() + inner


_STATUS = b"Content-Type: message/delivery-status\n\n" + block().encode()
HOSTILE = {
    "deep multiparts": nested(5_000, _STATUS),
    "deep multiparts, long": nested(15, b"x\n" * 500_000),
    "deep messages": b"Content-Type: message/rfc822\n\n" * 5_000 + _STATUS,
    "one boundary for all": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 40
    + b"--b\n\n" * 100_000,
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + (b"--b\n" + _STATUS) * 10_000,
    "many recipients": b"Content-Type: message/delivery-status\n\n"
    + b"".join(b"Final-Recipient: rfc822;%d@a.test\nAction: failed\n" % n for n in range(50_000)),
    "blank lines": b"Subject: x\n\nFinal-Recipient: a@b\n" + b"\n" * 10_000_000,
    "folded field": b"Subject: x\n\nFinal-Recipient: a@b" + b"\n x" * 300_000,
    "many fields": b"X: y\n" * 200_000 + b"\n",
    "at signs": b"Subject: x\n\nFinal-Recipient: " + b"a@" * 500_000,
    "quotes": b"Subject: x\n\nFinal-Recipient: " + b'"a\\' * 300_000,
    "dashes": b"Subject: x\n\n" + b"- " * 300_000 + b"---" * 300_000,
    "slow codec": b"Content-Type: text/plain; charset=punycode\n\n" + b"a-\xff" * 200_000,
    "words of flufl": b"Subject: x\n\nfailed addresses follow:\nUnable to deliver message to\n"
    + (b"a" * 249 + b"\n") * 4_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_in_bounded_time(name):
    started = time.monotonic()
    check(parse_bounce(HOSTILE[name], at=NOW))
    assert time.monotonic() - started < LONGEST


def test_ten_megabytes_behind_the_report_change_nothing():
    whole = report(block(), returned="Subject: x\n\n" + "x" * 70 + "\n" + "y\n" * 5_000_000)
    started = time.monotonic()
    (event,) = parse_bounce(whole, at=NOW)
    assert (event.email, event.is_permanent) == (READER, True)
    assert time.monotonic() - started < LONGEST
