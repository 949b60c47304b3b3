"""Campaigns over SMTP, against a server that misbehaves at every command."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, replace

import pytest
import uvloop

from newsletter.delivery.mailing import delivery_of
from newsletter.delivery.model import Outcome
from newsletter.delivery.transports.smtp import Smtp
from newsletter.delivery.transports.smtp_server import SmtpServer
from newsletter.errors import TransportError
from tests.delivery.list_feed import a_mailing, readers
from tests.delivery.smtp_server import (
    BODY,
    DATA,
    EHLO,
    GREETING,
    MAIL,
    RCPT,
    RSET,
    Moment,
    Say,
    Script,
    SmtpFeed,
    SmtpTestServer,
    audit,
)

SENDER = "newsletter@news.example.org"
HURRIED = SmtpServer(
    host="127.0.0.1",
    port=0,
    security="none",
    envelope_from=SENDER,
    helo="sender.example.org",
    connections=3,
    timeout=0.4,
    patience=0.3,
    grace=0.5,
    back_off=0.01,
    longest_back_off=0.05,
    growth=0.1,
)
MAILING = a_mailing("<p>Dear {{ name }}</p>", "Dear reader\n.\n..\nFrom here\n")

PIPELINING = ("PIPELINING", "8BITMIME")
NO_PIPELINING = ("8BITMIME",)


@pytest.fixture(params=["asyncio", "uvloop"])
def loops(request):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[request.param]


@pytest.fixture(params=[PIPELINING, NO_PIPELINING], ids=["pipelined", "one by one"])
def capabilities(request):
    return request.param


@dataclass
class Played:
    """What one run came to."""

    outcomes: Counter[str]
    feed: SmtpFeed
    server: SmtpTestServer
    error: TransportError | None
    seconds: float


def play(
    script: Script | None = None,
    *,
    count: int = 12,
    settings: SmtpServer = HURRIED,
    capabilities: tuple[str, ...] = PIPELINING,
    loops=uvloop.new_event_loop,
) -> Played:
    """Hand *count* deliveries to a server that follows *script*, and audit both sides."""

    async def run() -> Played:
        feed = SmtpFeed(readers(count))
        error = None
        server = SmtpTestServer(script or (lambda moment: None), capabilities)
        async with server:
            began = time.monotonic()
            try:
                async with asyncio.timeout(20):
                    await Smtp(replace(settings, port=server.port)).run(feed, MAILING)
            except TransportError as raised:
                error = raised
            seconds = time.monotonic() - began
        outcomes = audit(feed, server, count, window=settings.connections)
        return Played(outcomes, feed, server, error, seconds)

    with asyncio.Runner(loop_factory=loops) as runner:
        return runner.run(run())


def first(command: str, answer: Say | str, *, times: int = 1) -> Script:
    """*answer* the first *times* that *command* comes, on whichever connection."""
    left = [times]

    def script(moment: Moment) -> Say | str | None:
        if moment.command != command or not left[0]:
            return None
        left[0] -= 1
        return answer

    return script


def always(command: str, answer: Say | str) -> Script:
    return lambda moment: answer if moment.command == command else None


def to(place: int, answer: Say | str) -> Script:
    """*answer* to RCPT of one reader."""
    address = f"<reader{place}@example.org>"
    return lambda moment: answer if moment.command == RCPT and address in moment.argument else None


ONE = replace(HURRIED, connections=1)


# ── all goes well ───────────────────────────────────────────────────────────────────


def test_every_message_is_accepted_with_the_queue_id_of_the_server(loops, capabilities):
    played = play(count=50, capabilities=capabilities, loops=loops)
    assert played.outcomes == {"accepted": 50}
    assert sorted(played.feed.replies(Outcome.ACCEPTED).values()) == sorted(
        f"Q{number}" for number in range(50)
    )
    assert played.server.most_open <= 3


def test_the_message_arrives_byte_for_byte_with_its_envelope():
    played = play(count=1)
    (seen,) = played.server.seen
    assert seen.content == MAILING.message(readers(1)[0])
    assert (seen.sender, seen.recipients) == (SENDER, ("reader0@example.org",))


def test_where_it_is_wanted_the_sender_names_the_delivery():
    played = play(settings=replace(HURRIED, verp=True))
    named = set()
    for seen in played.server.seen:
        local, _, domain = seen.sender.partition("@")
        before, _, token = local.partition("+")
        assert f"{before}@{domain}" == SENDER
        assert seen.recipients == (f"reader{delivery_of(MAILING.links, token)[1] - 1}@example.org",)
        named.add(token)
    assert len(named) == 12


def test_with_pipelining_one_packet_carries_the_final_dot_and_the_next_envelope():
    played = play(count=3, settings=ONE)
    commands = [line.partition(" ")[0] for _, line in played.server.commands]
    assert commands == ["EHLO", *["MAIL", "RCPT", "DATA"] * 3, "QUIT"]


def test_without_pipelining_nothing_is_said_before_the_answer(capabilities):
    answers = {MAIL: "250 2.1.0 Ok", RCPT: "250 2.1.5 Ok", DATA: "354 go", BODY: "250 Ok"}

    def script(moment: Moment) -> Say | None:
        text = answers.get(moment.command)
        return None if text is None else Say(text=text, pieces=2)

    played = play(script, count=3, settings=ONE, capabilities=capabilities)
    assert played.outcomes == {"accepted": 3}
    # With it, RCPT and DATA are there before MAIL is answered, and so on.
    assert played.server.said_early == (8 if capabilities is PIPELINING else 0)


def test_no_more_connections_than_there_is_work_for():
    played = play(count=2, settings=replace(HURRIED, connections=10))
    assert played.server.connections <= 2


def test_an_empty_feed_opens_no_connection():
    assert play(count=0).server.connections == 0


def test_a_limit_of_messages_per_connection_is_kept():
    played = play(count=20, settings=replace(HURRIED, messages_per_connection=4))
    assert played.outcomes == {"accepted": 20}
    per_connection = Counter(seen.connection for seen in played.server.seen)
    assert max(per_connection.values()) == 4


# ── refusals ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", ["450 4.2.1", "451 4.3.0", "452 4.5.3", "454 4.7.0", "421 4.3.2"])
@pytest.mark.parametrize("command", [RCPT, DATA, BODY])
def test_a_4xx_is_a_refusal_for_now_of_that_message_only(command, code, capabilities):
    played = play(first(command, f"{code} not now"), capabilities=capabilities)
    assert played.outcomes == {"accepted": 11, "refused for now": 1}
    assert [*played.feed.replies(Outcome.REFUSED_FOR_NOW).values()] == [f"{code} not now"]


@pytest.mark.parametrize("code", ["550 5.1.1", "552 5.2.2", "554 5.6.0", "501 5.1.3"])
@pytest.mark.parametrize("command", [RCPT, DATA, BODY])
def test_a_5xx_is_a_refusal_for_good_of_that_message_only(command, code, capabilities):
    played = play(first(command, f"{code} never"), capabilities=capabilities)
    assert played.outcomes == {"accepted": 11, "refused for good": 1}
    assert [*played.feed.replies(Outcome.REFUSED_FOR_GOOD).values()] == [f"{code} never"]


def test_every_recipient_refused_is_an_outcome_for_each(capabilities):
    played = play(always(RCPT, "550 5.1.1 no such user"), capabilities=capabilities)
    assert played.outcomes == {"refused for good": 12}
    assert not played.server.seen
    assert played.error is None


def test_the_next_transaction_begins_with_rset_after_an_aborted_one(capabilities):
    """The server answers MAIL within a transaction with 503, so this fails without RSET."""
    played = play(to(3, "550 5.1.1 no"), settings=ONE, capabilities=capabilities)
    assert played.outcomes == {"accepted": 11, "refused for good": 1}
    assert [line for _, line in played.server.commands].count("RSET") == 1


def test_354_after_a_refused_recipient_gets_a_bare_dot_that_counts_for_nobody(capabilities):
    def script(moment: Moment) -> str | None:
        if moment.command == RCPT and "<reader3@" in moment.argument:
            return "550 5.1.1 no"
        if moment.command == DATA:
            return "354 come on"
        return None

    played = play(script, settings=ONE, capabilities=capabilities)
    assert played.outcomes == {"accepted": 11, "refused for good": 1}
    empty = [seen for seen in played.server.seen if not seen.recipients]
    assert [seen.content for seen in empty] == ([b""] if capabilities is PIPELINING else [])


def test_250_to_a_bare_dot_is_no_acceptance():
    def script(moment: Moment) -> str | Say | None:
        if moment.command == RCPT and "<reader3@" in moment.argument:
            return "550 5.1.1 no"
        return "354 come on" if moment.command == DATA else None

    played = play(script, settings=ONE)
    assert played.feed.places(Outcome.REFUSED_FOR_GOOD) == {3}
    assert [seen.answer[:3] for seen in played.server.seen if not seen.recipients] == ["250"]


def test_250_to_the_recipient_and_554_to_data_is_a_refusal_for_good(capabilities):
    played = play(always(DATA, "554 5.6.0 no"), capabilities=capabilities)
    assert played.outcomes == {"refused for good": 12}


def test_no_empty_message_is_sent_where_only_the_sender_was_refused():
    """Recipient and DATA are taken all the same: a bare dot would reach somebody."""

    def script(moment: Moment) -> str | None:
        if moment.connection > 0 or moment.message != 2:
            return None
        return {MAIL: "451 4.7.1 wait", "EARLY": "250 Ok", DATA: "354 go"}.get(moment.command)

    played = play(script, settings=ONE)
    assert played.outcomes == {"accepted": 11, "refused for now": 1}
    assert all(seen.content for seen in played.server.seen)


def test_a_message_larger_than_the_server_takes_is_refused_without_a_word():
    played = play(count=3, capabilities=(*PIPELINING, "SIZE 500"))
    assert played.outcomes == {"refused for good": 3}
    assert not any(line.startswith("MAIL") for _, line in played.server.commands)
    assert "500" in played.feed.replies(Outcome.REFUSED_FOR_GOOD)[0]


@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE 1000000"])
def test_the_size_is_told_where_the_server_asks_for_it(size):
    played = play(count=1, capabilities=(*PIPELINING, size))
    assert played.outcomes == {"accepted": 1}
    mail = next(line for _, line in played.server.commands if line.startswith("MAIL"))
    assert mail == f"MAIL FROM:<{SENDER}> SIZE={len(MAILING.message(readers(1)[0]))}"


# ── the sender is refused ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "reply",
    [
        "530 5.7.0 authentication required",
        "535 5.7.8 bad credentials",
        "550 5.7.1 sender refused",
        "501 5.1.7 bad sender",
        "552 5.3.4 message too large",
    ],
)
def test_a_refused_sender_stops_the_run_and_fails_nobody(reply, capabilities):
    played = play(always(MAIL, reply), count=100, capabilities=capabilities)
    assert played.outcomes == {"pending": 100}
    assert played.error is not None
    assert reply in played.error.message


@pytest.mark.parametrize(
    "reply",
    [
        "554 5.7.1 <reader1@example.org>: Relay access denied",
        "553 5.7.1 Sender address rejected: not owned by user",
        "530 5.7.1 Authentication required",
    ],
)
def test_a_sender_refused_at_rcpt_as_postfix_does_fails_nobody(reply, capabilities):
    played = play(always(RCPT, reply), count=100, capabilities=capabilities)
    assert played.outcomes == {"pending": 100}
    assert played.error is not None
    assert reply[:9] in played.error.message
    assert "reader1@" not in played.error.message


def test_a_sender_refused_in_mid_run_stops_it_and_fails_nobody():
    def script(moment: Moment) -> str | None:
        late = moment.command == MAIL and moment.message >= 10
        return "550 5.7.1 quota exceeded" if late else None

    played = play(script, count=200, settings=ONE)
    assert played.error is not None
    assert played.outcomes["accepted"] == 10
    assert played.outcomes["refused for good"] == 0
    assert played.outcomes["refused for now"] <= 5


def test_a_server_that_is_busy_for_long_costs_a_handful_of_attempts():
    played = play(always(MAIL, "451 4.7.1 try again later"), count=1_000)
    assert played.error is not None
    assert "451 4.7.1 try again later" in played.error.message
    assert played.outcomes["pending"] > 900
    assert played.outcomes["pending"] + played.outcomes["refused for now"] == 1_000


def test_a_server_that_is_busy_for_a_moment_gets_the_rest_later():
    played = play(first(MAIL, "450 4.7.1 slowly", times=3), count=30)
    assert played.outcomes == {"accepted": 27, "refused for now": 3}


# ── connections that end ────────────────────────────────────────────────────────────


def test_a_connection_lost_after_the_final_dot_is_uncertain_whether_taken_or_not(capabilities):
    for taken in (True, False):
        lost = Say(close=True, takes_it=taken)
        played = play(first(BODY, lost), capabilities=capabilities)
        assert played.outcomes == {"accepted": 11, "uncertain": 1}


@pytest.mark.parametrize("command", [MAIL, RCPT, DATA])
def test_a_connection_lost_before_the_final_dot_loses_nothing(command, capabilities):
    played = play(first(command, Say(close=True)), capabilities=capabilities)
    assert played.outcomes == {"accepted": 12}
    assert played.feed.returns >= 1


def test_no_answer_to_the_final_dot_is_uncertain_after_the_time_out(capabilities):
    played = play(first(BODY, Say(silent=True, takes_it=True)), capabilities=capabilities)
    assert played.outcomes == {"accepted": 11, "uncertain": 1}
    (reason,) = played.feed.replies(Outcome.UNCERTAIN).values()
    assert reason == "no answer in 0.4 seconds"


@pytest.mark.parametrize("command", [GREETING, EHLO, MAIL, RCPT, DATA])
def test_no_answer_before_the_final_dot_loses_nothing(command, capabilities):
    played = play(first(command, Say(silent=True)), capabilities=capabilities)
    assert played.outcomes == {"accepted": 12}


def test_a_server_that_drops_every_message_makes_few_uncertain_before_it_is_given_up():
    settings = replace(HURRIED, connections=20)
    played = play(always(BODY, Say(close=True)), count=1_000, settings=settings)
    assert played.error is not None
    assert played.outcomes["uncertain"] < 50  # 20 at once, then one at a time
    assert played.outcomes["uncertain"] + played.outcomes["pending"] == 1_000


@pytest.mark.parametrize(
    "answer", [Say(text="421 4.3.2 shutting down", close=True), "554 5.3.2 no service"]
)
def test_a_greeting_that_refuses_is_tried_again(answer):
    played = play(first(GREETING, answer, times=2))
    assert played.outcomes == {"accepted": 12}


@pytest.mark.parametrize(
    "answer",
    [
        "554 5.3.2 no service",
        Say(silent=True),
        Say(close=True),
        Say(text="HTTP/1.1 400 Bad Request"),
        Say(text="220 " + "x" * 10_000),
    ],
    ids=["554", "silence", "close", "another protocol", "an endless line"],
)
def test_a_server_that_never_greets_is_given_up_with_nothing_lost(answer):
    played = play(always(GREETING, answer))
    assert played.outcomes == {"pending": 12}
    assert played.error is not None
    assert "127.0.0.1" in played.error.message + str(played.error.hint)


def test_a_port_where_nobody_listens_is_given_up_with_host_port_and_reason():
    async def run() -> None:
        async with SmtpTestServer() as server:
            port = server.port
        feed = SmtpFeed(readers(5))
        with pytest.raises(TransportError) as caught:
            await Smtp(replace(HURRIED, port=port)).run(feed, MAILING)
        assert f"127.0.0.1:{port}" in caught.value.message
        assert "refused" in caught.value.message
        assert len(feed.waiting) == 5
        assert not feed.held

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def test_a_host_without_an_address_is_given_up():
    async def run() -> None:
        feed = SmtpFeed(readers(5))
        nowhere = replace(HURRIED, host="no-such-host.invalid", port=25)
        with pytest.raises(TransportError, match=r"no-such-host\.invalid:25"):
            await Smtp(nowhere).run(feed, MAILING)
        assert len(feed.waiting) == 5

    asyncio.run(run())


def test_a_server_that_closes_after_some_messages_is_learnt_from():
    def script(moment: Moment) -> str | None:
        full = moment.command == MAIL and moment.message >= 5
        return "421 4.7.0 too many messages in this connection" if full else None

    played = play(script, count=60, settings=replace(HURRIED, connections=2))
    assert played.outcomes == {"accepted": 60}
    mails = Counter(
        connection for connection, line in played.server.commands if line.startswith("MAIL")
    )
    assert [*mails.values()].count(6) <= 2  # afterwards no connection goes one too far


# ── replies that are none ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "script",
    [
        always(BODY, Say(text="250-2.0.0 Ok\r\n250-still\r\n250 2.0.0 Ok: queued as Z", pieces=1)),
        always(RCPT, Say(text="250 2.1.5 Ok", pieces=1)),
        always(DATA, Say(text="354-go\r\n354 on", pieces=3)),
        always(EHLO, Say(text="250-mx\r\n250-PIPELINING\r\n250 SIZE", pieces=5)),
        always(MAIL, "250"),
        always(BODY, "250 \udce9\udcff bytes outside ASCII"),
    ],
    ids=["byte by byte", "half lines", "multi-line 354", "EHLO", "code only", "no ASCII"],
)
def test_replies_in_pieces_and_in_many_lines_are_understood(script, capabilities, loops):
    played = play(script, count=6, capabilities=capabilities, loops=loops)
    assert played.outcomes == {"accepted": 6}


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (BODY, "354 go"),
        (BODY, "221 2.0.0 bye"),
        (BODY, "what?"),
        (BODY, "250-one\r\n550 two"),
        (BODY, "250 " + "x" * 100_000),
        (BODY, "999 no"),
    ],
    ids=["354", "221", "no code", "contradiction", "endless", "no such code"],
)
def test_an_answer_to_the_final_dot_that_is_none_is_uncertain(command, text, capabilities):
    played = play(first(command, Say(text=text)), capabilities=capabilities)
    assert played.outcomes == {"accepted": 11, "uncertain": 1}


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (MAIL, "354 go"),
        (RCPT, "354 go"),
        (DATA, "250 Ok"),
        (DATA, "354 go\r\n250 Ok: queued as FORGED"),
        (DATA, "354 go\r\n25"),
        (MAIL, "250 Ok\r\n250 Ok\r\n354 go\r\n250 Ok: queued as FORGED"),
        (RCPT, "\x00\x00\x00"),
    ],
)
def test_replies_in_the_wrong_order_hand_nothing_over(command, text):
    played = play(first(command, Say(text=text, silent=True)), settings=ONE)
    assert played.outcomes == {"accepted": 12}
    assert "FORGED" not in played.feed.replies(Outcome.ACCEPTED).values()


def test_a_server_that_forges_answers_for_ever_is_given_up_with_nothing_lost():
    played = play(always(DATA, Say(text="354 go\r\n250 Ok")))
    assert played.outcomes == {"pending": 12}
    assert played.error is not None


# ── how many connections ────────────────────────────────────────────────────────────


def test_refusals_for_now_halve_the_connections_and_success_brings_them_back():
    """Until a while has gone by, the server takes from two connections at most."""

    async def run() -> tuple[SmtpFeed, SmtpTestServer]:
        began = time.monotonic()

        def script(moment: Moment) -> str | None:
            widths.append(server.open)
            busy = time.monotonic() - began < 0.3 and server.open > 2
            return "451 4.3.2 slow down" if moment.command == RCPT and busy else None

        widths: list[int] = []
        feed = SmtpFeed(readers(6_000))
        server = SmtpTestServer(script)
        async with server:
            settings = replace(HURRIED, port=server.port, connections=8, growth=0.02)
            await Smtp(settings).run(feed, MAILING)
        audit(feed, server, 6_000, window=8)
        assert max(widths) == 8
        widest = widths.index(8)
        narrow = next(at for at, width in enumerate(widths) if at > widest and width <= 2)
        assert max(widths[narrow:]) > 2
        return feed, server

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def test_a_server_with_few_connections_gets_all_the_mail_over_those():
    def script(moment: Moment) -> Say | None:
        if moment.command == GREETING and server_of[0].open > 2:
            return Say(text="421 4.7.0 too many connections", close=True)
        return None

    server_of: list[SmtpTestServer] = []

    async def run() -> None:
        feed = SmtpFeed(readers(500))
        async with SmtpTestServer(script) as server:
            server_of.append(server)
            await Smtp(replace(HURRIED, port=server.port, connections=8)).run(feed, MAILING)
        assert audit(feed, server, 500, window=8) == {"accepted": 500}
        assert server.connections < 30

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def test_idle_connections_take_leave_and_come_back_on_demand():
    async def run() -> None:
        feed = TricklingFeed(readers(3))
        async with SmtpTestServer() as server:
            await Smtp(replace(HURRIED, port=server.port, idle=0.05)).run(feed, MAILING)
            await asyncio.sleep(0.05)
        assert audit(feed, server, 3, window=3) == {"accepted": 3}
        assert server.connections == 3
        assert [line for _, line in server.commands].count("QUIT") == 3

    asyncio.run(run())


class TricklingFeed(SmtpFeed):
    """One delivery, then nothing for a while."""

    resting = False

    def take(self):
        if self.resting:
            return None
        self.resting = True
        return super().take()

    async def wait(self) -> bool:
        if self.resting:
            await asyncio.sleep(0.2)
            self.resting = False
        return await super().wait()


# ── stopping ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("command", "rest"),
    [(GREETING, "pending"), (EHLO, "pending"), (RCPT, "pending"), (BODY, "uncertain")],
)
def test_cancelled_every_delivery_is_reported(command, rest, loops):
    """Of two connections that hang at *command*; the others are idle."""

    async def run() -> None:
        feed = SmtpFeed(readers(2))
        async with SmtpTestServer(always(command, Say(silent=True))) as server:
            settings = replace(HURRIED, port=server.port, timeout=30, grace=0.2)
            task = asyncio.create_task(Smtp(settings).run(feed, MAILING))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert audit(feed, server, 2, window=3) == {rest: 2}

    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(run())


def test_cancelled_it_waits_for_the_answers_that_come_and_starts_nothing_new(capabilities):
    async def run() -> None:
        slow = always(BODY, Say(text="250 2.0.0 Ok: queued as LATE", pieces=1))
        feed = SmtpFeed(readers(500))
        async with SmtpTestServer(slow, capabilities) as server:
            settings = replace(HURRIED, port=server.port, timeout=30)
            task = asyncio.create_task(Smtp(settings).run(feed, MAILING))
            await asyncio.sleep(0.2)
            handed_over = len(feed.announced)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.05)
        outcomes = audit(feed, server, 500, window=3)
        assert set(outcomes) == {"accepted", "pending"}
        assert outcomes["accepted"] == handed_over
        assert not any(server.unfinished)  # not even a QUIT where the server wants a message

    asyncio.run(run())


def test_cancelled_twice_every_delivery_is_still_reported():
    async def run() -> None:
        feed = SmtpFeed(readers(20))
        async with SmtpTestServer(always(BODY, Say(silent=True))) as server:
            settings = replace(HURRIED, port=server.port, timeout=30, grace=30)
            task = asyncio.create_task(Smtp(settings).run(feed, MAILING))
            for _ in range(2):
                await asyncio.sleep(0.1)
                task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert audit(feed, server, 20, window=3) == {"uncertain": 3, "pending": 17}

    asyncio.run(run())


def test_a_feed_that_ends_in_mid_run_ends_it_when_what_was_taken_is_answered():
    async def run() -> None:
        feed = SmtpFeed(readers(5_000))
        async with SmtpTestServer() as server:
            asyncio.get_running_loop().call_later(0.1, feed.close)
            await Smtp(replace(HURRIED, port=server.port)).run(feed, MAILING)
        outcomes = audit(feed, server, 5_000, window=3)
        assert set(outcomes) == {"accepted", "pending"}

    asyncio.run(run())


@pytest.mark.parametrize("method", ["handing_over", "accepted", "take"])
def test_what_the_feed_raises_ends_the_run_with_it(method):
    """A full disk, say. The error comes out of `run`, not into the event loop's log."""

    class Full(SmtpFeed):
        calls = 0

        def _maybe(self, name: str) -> None:
            if name == method:
                self.calls += 1
                if self.calls == 10:
                    raise OSError("disk full")

        def take(self):
            self._maybe("take")
            return super().take()

        def handing_over(self, delivery):
            self._maybe("handing_over")
            super().handing_over(delivery)

        def accepted(self, delivery, provider_id=""):
            super().accepted(delivery, provider_id)
            self._maybe("accepted")

    async def run() -> None:
        feed = Full(readers(100))
        async with SmtpTestServer() as server:
            with pytest.raises(OSError, match="disk full"):
                await Smtp(replace(HURRIED, port=server.port)).run(feed, MAILING)
        audit(feed, server, 100, window=3)

    asyncio.run(run())


def test_rset_that_is_refused_gives_the_connection_up_and_loses_nothing(capabilities):
    def script(moment: Moment) -> str | None:
        if moment.command == RSET:
            return "500 5.5.2 what?"
        return "550 5.1.1 no" if moment.command == RCPT and moment.message == 1 else None

    played = play(script, capabilities=capabilities)
    assert played.outcomes["accepted"] + played.outcomes["refused for good"] == 12
