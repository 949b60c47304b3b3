"""Any server: whatever it answers to whichever command, both sides know the same."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace

import uvloop
from hypothesis import event, given
from hypothesis import strategies as st

from newsletter.delivery.transports.smtp import Smtp
from newsletter.delivery.transports.smtp_server import SmtpServer
from newsletter.errors import TransportError
from tests.delivery.list_feed import a_mailing, readers
from tests.delivery.smtp_server import (
    BODY,
    DATA,
    EHLO,
    GREETING,
    HELO,
    MAIL,
    QUIT,
    RCPT,
    RSET,
    Moment,
    Say,
    SmtpFeed,
    SmtpTestServer,
    audit,
)

MAILING = a_mailing("<p>x</p>", "x")
SETTINGS = SmtpServer(
    host="127.0.0.1",
    port=0,
    security="none",
    envelope_from="a@example.org",
    helo="sender.example.org",
    timeout=0.1,
    patience=0.05,
    grace=0.3,
    back_off=0.002,
    longest_back_off=0.01,
    growth=0.02,
    idle=0.05,
)

WORDS = st.sampled_from(
    [
        "Ok",
        "no",
        "too many messages in this connection",
        "relaying denied",
        "Ok: queued as X",
        "\udcff\x00",
        "a\r\n250 b",
        "a\r\n354 b",
        "a\r\n421 b",
        "a\r\n25",
        "a\r\nb",
    ]
)
CODES = st.sampled_from(
    "211 220 221 250 250- 251 354 354- 421 450 451 452 454 500 501 503 530 550 552 554".split()
)
ANSWERS = st.builds(
    lambda code, words, close, silent, pieces: Say(
        text=f"{code}{'' if code.endswith('-') else ' '}{words}",
        close=close,
        silent=silent and not close,
        pieces=pieces,
    ),
    CODES,
    WORDS,
    st.booleans(),
    st.sampled_from([False] * 9 + [True]),
    st.sampled_from([0, 0, 0, 1, 7]),
)
NOTHING = st.builds(Say, close=st.just(True), takes_it=st.booleans())
COMMANDS = st.sampled_from([MAIL, RCPT, DATA, BODY] * 4 + [GREETING, EHLO, HELO, RSET, QUIT])
# Each time that a command comes, on any connection, it gets the next of its answers.
SCRIPTS = st.lists(st.tuples(COMMANDS, ANSWERS | NOTHING | st.none()), min_size=3, max_size=25)


@given(
    script=SCRIPTS,
    count=st.integers(1, 15),
    connections=st.integers(1, 4),
    per_connection=st.integers(0, 3),
    pipelining=st.booleans(),
    cancel_after=st.none() | st.floats(0, 0.03),
)
def test_nothing_is_lost_nothing_comes_twice_nothing_is_made_up(
    script, count, connections, per_connection, pipelining, cancel_after
):
    answers: dict[str, deque[Say | None]] = {}
    for command, said in script:
        if command == DATA and said is not None and "\r\n250" in said.text:
            # Later than the 354, nobody could tell it from the answer to the final dot.
            said = replace(said, pieces=0)
        answers.setdefault(command, deque()).append(said)

    def answer(moment: Moment) -> Say | None:
        queue = answers.get(moment.command)
        return queue.popleft() if queue else None

    async def run() -> None:
        feed = SmtpFeed(readers(count))
        capabilities = ("PIPELINING",) if pipelining else ("8BITMIME",)
        async with SmtpTestServer(answer, capabilities) as server, asyncio.timeout(20):
            settings = replace(
                SETTINGS,
                port=server.port,
                connections=connections,
                messages_per_connection=per_connection,
            )
            task = asyncio.create_task(Smtp(settings).run(feed, MAILING))
            if cancel_after is not None:
                asyncio.get_running_loop().call_later(cancel_after, task.cancel)
            try:
                await task
            except TransportError:
                pass
            except asyncio.CancelledError:
                assert cancel_after is not None
            else:
                assert not feed.waiting
        for outcome in audit(feed, server, count, window=connections):
            event(outcome)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
