"""Replies: cut, shown and judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.transports.smtp_replies import (
    Capabilities,
    ReplyError,
    ReplyReader,
    Verdict,
    judge,
    queue_id,
    shown,
)

REPLIES = st.lists(
    st.tuples(
        st.sampled_from([b"250", b"354", b"421", b"550"]),
        st.lists(st.binary(max_size=30).filter(lambda text: not {10, 13} & set(text)), min_size=1),
    ),
    max_size=6,
)


@given(replies=REPLIES, cuts=st.lists(st.integers(0, 500), max_size=20))
def test_however_replies_are_cut_into_packets_the_same_ones_come_out(replies, cuts):
    wire, expected = b"", []
    for code, texts in replies:
        lines = [code + b"-" + text for text in texts[:-1]] + [code + b" " + texts[-1]]
        wire += b"".join(line + b"\r\n" for line in lines)
        expected.append(b"\n".join(lines))
    reader, found = ReplyReader(), []
    places = sorted({0, *(cut for cut in cuts if cut < len(wire)), len(wire)})
    for start, end in zip(places, [*places[1:], len(wire)], strict=True):
        found += reader.read(wire[start:end])
    assert found == expected
    assert not reader.is_within_reply


@given(data=st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes_are_replies_or_an_error(data):
    reader = ReplyReader()
    try:
        for part in data:
            for reply in reader.read(part):
                assert reply[:3].isdigit()
                assert shown(reply).isprintable()
    except ReplyError:
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n",
        b"25\r\n",
        b"25x ok\r\n",
        b"150 ok\r\n",
        b"250_ok\r\n",
        b"250-a\r\n251 b\r\n",
        b"250 " + b"x" * 5_000 + b"\r\n",
        b"x" * 5_000,
        b"250-x\r\n" * 300,
        b"\r\n",
    ],
)
def test_what_is_no_reply_is_an_error(data):
    with pytest.raises(ReplyError):
        ReplyReader().read(data)


def test_a_reply_is_shown_on_one_line_with_its_code_once():
    assert shown(b"550-5.1.1 no\n550-such\x1b[31m\n550 user\xff") == "550 5.1.1 no such [31m user�"
    assert shown(b"250") == "250"
    assert shown(b"550 my pass, my pass", ("my pass",)) == "550 …, …"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"250 2.0.0 Ok: queued as 4Xyz12AbCd", "4Xyz12AbCd"),
        (b"250 OK id=1rXYZa-0001Ab-2c", "1rXYZa-0001Ab-2c"),
        (b"250 2.0.0 31A9kq12345678 Message accepted for delivery", "31A9kq12345678"),
        (b"250 Ok 0100018c8d1f0a2b-5d9c", "0100018c8d1f0a2b-5d9c"),
        (b"250 2.0.0 Ok", ""),
        (b"250", ""),
        (b"250 queued as \xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_the_queue_id_is_read_from_what_common_servers_say(reply, expected):
    assert queue_id(reply) == expected


def test_capabilities_are_read_in_any_case_and_with_numbers():
    found = Capabilities.of(
        b"250-mx PIPELINING\n250-size 1000\n250-StartTLS\n"
        b"250-AUTH=LOGIN\n250-AUTH PLAIN\n250 SMTPUTF8"
    )
    assert found == Capabilities(
        smtputf8=True, starttls=True, size=1000, auth=frozenset({"LOGIN", "PLAIN"})
    )
    assert Capabilities.of(b"250 mx") == Capabilities()
    assert Capabilities.of(b"250-mx\n250-\n250 SIZE").size == 0
    assert Capabilities.of(b"250-mx\n250 SIZE many").size == 0


@pytest.mark.parametrize(
    ("command", "reply", "verdict"),
    [
        ("MAIL", b"550 5.7.1 sender refused", Verdict.SENDER),
        ("MAIL", b"451 4.7.1 wait", Verdict.BUSY),
        ("MAIL", b"421 4.7.0 bye", Verdict.CONNECTION),
        ("MAIL", b"452 4.5.3 too many messages in this session", Verdict.CONNECTION),
        ("RCPT", b"450 4.2.0 greylisted", Verdict.FOR_NOW),
        ("RCPT", b"550 5.1.1 no such user", Verdict.FOR_GOOD),
        ("RCPT", b"550 5.7.1 blocked by the recipient", Verdict.FOR_GOOD),
        ("RCPT", b"554 5.7.1 <a@example.org>: Relay access denied", Verdict.SENDER),
        ("RCPT", b"550 relaying denied", Verdict.SENDER),
        ("RCPT", b"553 5.7.1 Sender address rejected: not owned", Verdict.SENDER),
        ("DATA", b"530 authentication required", Verdict.SENDER),
        ("BODY", b"554 5.7.1 spam", Verdict.FOR_GOOD),
        ("BODY", b"452 4.3.1 disk full", Verdict.FOR_NOW),
    ],
)
def test_refusals_are_judged_by_command_and_words(command, reply, verdict):
    assert judge(command, reply) is verdict
