"""Bounces in the dialects of many servers, whole and damaged."""

from __future__ import annotations

import base64
import random
import re
import time
from datetime import UTC, datetime

import pytest

from newsletter.feedback.bounces import parse_bounce
from newsletter.feedback.events import Event, Kind
from tests.feedback.bounce_samples import NUMBER, READER, TOKENS, block, report
from tests.feedback.server_samples import SAMPLES

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
LONGEST = 10.0  # seconds for one mail, on a slow and busy machine


def sound(events: list[Event]) -> None:
    for event in events:
        assert re.search(r"\w@\w", event.detail) is None
        for text in (event.detail, event.email or "", event.token or ""):
            assert "\0" not in text
            assert text.encode("utf-8").decode("utf-8") == text
    assert len({event.event_id for event in events}) == len(events)


@pytest.mark.parametrize("name", SAMPLES)
def test_bounce_names_person_delivery_and_severity(name):
    sample = SAMPLES[name]
    events = parse_bounce(sample.data, at=NOW)
    assert [event.email for event in events] == list(sample.emails)
    for event in events:
        assert event.kind is (Kind.DEFERRED if sample.is_delay else Kind.BOUNCED)
        assert event.is_permanent is sample.is_permanent
        assert event.token is not None
        assert TOKENS.verify("delivery", event.token) == NUMBER
    sound(events)


def test_every_sample_cut_at_every_fiftieth_byte_is_read_in_no_time():
    slowest = 0.0
    for sample in SAMPLES.values():
        for end in range(0, len(sample.data), 50):
            started = time.monotonic()
            sound(parse_bounce(sample.data[:end], at=NOW))
            slowest = max(slowest, time.monotonic() - started)
    assert slowest < LONGEST


def test_flipped_bytes_and_repeated_lines_are_read_and_never_name_somebody_else():
    chance = random.Random(20260302)
    for sample in SAMPLES.values():
        for _ in range(4):
            data = bytearray(sample.data)
            for _ in range(chance.randint(1, 30)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            sound(parse_bounce(bytes(data), at=NOW))
        lines = sample.data.split(b"\n")
        for _ in range(4):
            place = chance.randrange(len(lines))
            repeated = (
                lines[:place] + [lines[place]] * chance.choice([2, 50, 1_000]) + lines[place:]
            )
            sound(parse_bounce(b"\n".join(repeated), at=NOW))


def test_report_in_ten_megabytes_of_nested_and_encoded_parts_is_read_in_bounded_time():
    inner = report(block())
    for _ in range(6):  # each a message in base64 in the one around it: 10 MB in the end
        text = base64.encodebytes(inner + b"x" * 300_000)
        inner = (
            b"From: MAILER-DAEMON@mx.example.test\nSubject: Undelivered\n"
            b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + text
        )
    assert len(inner) > 3_000_000
    started = time.monotonic()
    sound(parse_bounce(inner, at=NOW))
    assert time.monotonic() - started < LONGEST


def test_headers_repeated_without_end_hide_nothing_behind_them_from_the_report():
    data = report(block()).replace(
        b"MIME-Version: 1.0\n", b"X-Loop: again and again\n" * 500 + b"MIME-Version: 1.0\n", 1
    )
    (event,) = parse_bounce(data, at=NOW)
    assert (event.email, event.is_permanent) == (READER, True)


@pytest.mark.parametrize(
    "text",
    [
        f"<{READER}>: 550 5.1.1 no such user",
        f"{READER}: host mx.example.org said: 550 User unknown",
        f"  - {READER}\n    This mailbox does not exist.",
    ],
)
def test_address_at_the_beginning_of_a_line_of_a_machine_is_who_failed(text):
    data = f"From: MAILER-DAEMON@x.test\nSubject: failure notice\n\nSorry.\n\n{text}\n".encode()
    assert [(event.email, event.is_permanent) for event in parse_bounce(data, at=NOW)] == [
        (READER, True)
    ]


def test_address_in_a_letter_of_a_person_is_nobody_who_failed():
    data = f"From: ada@example.net\nSubject: Returned from holiday\n\n{READER}: user unknown\n"
    assert parse_bounce(data.encode(), at=NOW) == []
