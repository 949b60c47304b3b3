"""The SendGrid transport against a fake that misbehaves: nobody twice, nobody lost, no guesses."""

from __future__ import annotations

import asyncio
import http.client
import io
import logging
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import redirect_stdout, suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.compose.slots import Slot
from newsletter.config import Workspace
from newsletter.config.secrets import Secret
from newsletter.config.sending import SendgridConfig
from newsletter.delivery.mailing import Mailing, delivery_of
from newsletter.delivery.model import Delivery, Outcome
from newsletter.delivery.transports.sendgrid import SendGrid, sendgrid_of
from newsletter.delivery.transports.sendgrid_client import SendGridClient
from newsletter.delivery.transports.sendgrid_errors import VARIABLE
from newsletter.delivery.transports.sendgrid_request import sandbox_request
from newsletter.errors import ConfigError, TransportError
from tests.compose.composed import ROOT, a_config
from tests.delivery.certificates import Certificates
from tests.delivery.list_feed import ListFeed, a_mailing, readers
from tests.delivery.sendgrid_fake import (
    ACCEPT,
    CLOSE_KEPT_ALIVE,
    DROP_AFTER_ACCEPT,
    DROP_BEFORE_ACCEPT,
    GARBAGE,
    HANG,
    KEY,
    TRUNCATE,
    TRUNCATE_BODY,
    Act,
    SendGridFake,
    refuse,
)

SLOTS = "".join(f"<p>{slot.marker}</p>\n" for slot in Slot)
MAILING = a_mailing(html=SLOTS, text=SLOTS)
HURRY = 100  # the loop's clock runs so much faster: pauses are real, and short

PASSES = refuse(429, ("too many requests", None), Retry_After="2")
MISSES = {
    "drop after accept": DROP_AFTER_ACCEPT,
    "drop before accept": DROP_BEFORE_ACCEPT,
    "hang": HANG,
    "truncated head": TRUNCATE,
    "truncated body": TRUNCATE_BODY,
    "garbage": GARBAGE,
    "500": refuse(500),
    "502 without JSON": Act(
        raw=b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>", accepts=True
    ),
    "503": refuse(503, ("unavailable", None)),
    "200": Act(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", accepts=True),
}


@pytest.fixture
def fake() -> Iterator[SendGridFake]:
    with SendGridFake() as fake:
        yield fake


class _Hurried(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout and timeout / HURRY)


def hurried_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.SelectorEventLoop(_Hurried())
    loop.time = lambda: time.monotonic() * HURRY  # type: ignore[method-assign]
    return loop


def ran(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with asyncio.Runner(loop_factory=hurried_loop) as runner:
        return runner.run(work())


def transport(url: str, *, key: str = KEY, **changes: Any) -> SendGrid:
    usual = {"personalizations": 10, "threads": 4, "timeout": 1}
    config = SendgridConfig(url=url, **usual | changes)
    return SendGrid(key=Secret(key), config=config, from_email="news@example.org")


def sent(
    fake: SendGridFake, deliveries: list[Delivery], mailing: Mailing = MAILING, **changes: Any
) -> ListFeed:
    """Run the transport to the end and check what holds whatever happens."""

    async def work() -> ListFeed:
        feed = ListFeed(deliveries)
        await transport(fake.url, **changes).run(feed, mailing)
        return feed

    feed = ran(work)
    audited(fake, feed, deliveries)
    assert not feed.waiting
    return feed


def failed(fake: SendGridFake, deliveries: list[Delivery], **changes: Any) -> tuple[Any, ListFeed]:
    """The same for a run that ends with a TransportError."""

    async def work() -> tuple[Any, ListFeed]:
        feed = ListFeed(deliveries)
        with pytest.raises(TransportError) as caught:
            await transport(fake.url, **changes).run(feed, MAILING)
        return caught.value, feed

    error, feed = ran(work)
    audited(fake, feed, deliveries)
    assert error.hint
    assert KEY not in f"{error.message} {error.hint}"
    return error, feed


def audited(fake: SendGridFake, feed: ListFeed, deliveries: list[Delivery]) -> None:
    """Every delivery ended once or waits; the fake got what the feed says, and nobody twice."""
    assert feed.held == {}
    waiting = {delivery.place for delivery in feed.waiting}
    assert waiting | set(feed.ended) == {delivery.place for delivery in deliveries}
    assert not waiting & set(feed.ended)
    got = Counter(delivery_of(MAILING.links, message.token) for message in fake.accepted)
    assert set(got.values()) <= {1}
    ids = {delivery.place: (7, delivery.subscriber_id) for delivery in deliveries}
    accepted = {ids[place] for place in feed.places(Outcome.ACCEPTED)}
    uncertain = {ids[place] for place in feed.places(Outcome.UNCERTAIN)}
    assert accepted <= set(got) <= accepted | uncertain


# ── all is well ─────────────────────────────────────────────────────────────


def test_everyone_gets_one_message_and_the_id_of_its_request(fake):
    feed = sent(fake, readers(2_500), a_mailing(), personalizations=1_000)
    assert len(feed.places(Outcome.ACCEPTED)) == 2_500
    requests = {message.email: message.message_id for message in fake.accepted}
    assert feed.ended[1_234] == (Outcome.ACCEPTED, requests["reader1234@example.org"])
    assert len(fake.received) == 3


def test_connections_stay_open_and_requests_run_at_once(fake):
    fake.delay = 0.02
    sent(fake, readers(400), threads=3)
    assert len(fake.received) == 40
    assert fake.connections == fake.most_under_way == 3


def test_the_window_is_what_may_be_under_way():
    assert transport("http://127.0.0.1:1", threads=3, personalizations=500).window == 1_500


def test_a_connection_that_the_other_side_has_closed_is_noticed_before_writing(fake):
    fake.script.extend([CLOSE_KEPT_ALIVE] * 3)
    request = sandbox_request("news@example.org")
    with SendGridClient(Secret(KEY), region="global", url=fake.url, timeout=1) as client:
        statuses = []
        for _ in range(5):
            statuses.append(client.post(request).status)
            time.sleep(0.05)  # for the end to arrive
    assert statuses == [200] * 5
    assert fake.connections == 4


def test_an_encrypted_connection_is_verified_and_stays_open(tmp_path, monkeypatch):
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    with SendGridFake(tls=certificates.server("127.0.0.1")) as fake:
        feed = sent(fake, readers(100), threads=1)
        assert len(feed.places(Outcome.ACCEPTED)) == 100
        assert fake.connections == 1
    for options in ({"self_signed": True}, {"expired": True}):
        with SendGridFake(tls=certificates.server("127.0.0.1", **options)) as fake:
            error, feed = failed(fake, readers(20), threads=1)
            assert "certificate" in error.message
            assert fake.received == []
            assert feed.ended == {}


def test_without_a_clear_answer_over_tls_the_deliveries_are_uncertain(tmp_path, monkeypatch):
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    with SendGridFake(tls=certificates.server("127.0.0.1")) as fake:
        fake.script.extend([ACCEPT, DROP_AFTER_ACCEPT, CLOSE_KEPT_ALIVE, HANG])
        feed = sent(fake, readers(100), threads=1)
        assert 20 <= len(feed.places(Outcome.UNCERTAIN)) <= 30  # the end may come too late


def test_a_repeated_address_is_sent_in_two_requests(fake):
    deliveries = [*readers(3), Delivery(50, "READER1@example.org", "Again", 1, 3)]
    feed = sent(fake, deliveries)
    assert len(feed.places(Outcome.ACCEPTED)) == 4
    assert len(fake.received) == 2


def test_a_reader_whose_message_cannot_be_made_is_refused_and_the_others_get_theirs(fake):
    deliveries = readers(5)
    deliveries[2].email = "jö@example.org"
    deliveries[3].name = "x" * 20_000
    feed = sent(fake, deliveries)
    assert feed.places(Outcome.REFUSED_FOR_GOOD) == {2, 3}
    assert feed.places(Outcome.ACCEPTED) == {0, 1, 4}
    assert feed.announced == {0, 1, 4}


# ── explicit refusals ───────────────────────────────────────────────────────


def test_readers_whom_a_refusal_names_are_refused_and_the_others_sent_again(fake):
    fake.refused = {"reader3@example.org": "to.0.email", "reader17@example.org": "to.0.email"}
    feed = sent(fake, readers(30), personalizations=30)
    assert feed.places(Outcome.REFUSED_FOR_GOOD) == {3, 17}
    assert len(feed.places(Outcome.ACCEPTED)) == 28
    assert feed.ended[17][1] == "400 Does not contain a valid address."
    assert len(fake.received) == 2


def test_a_refusal_that_names_nobody_is_halved_until_the_culprit_is_alone(fake):
    fake.refused = {"reader3@example.org": None, "reader700@example.org": None}
    feed = sent(fake, readers(1_000), personalizations=1_000)
    assert feed.places(Outcome.REFUSED_FOR_GOOD) == {3, 700}
    assert len(feed.places(Outcome.ACCEPTED)) == 998
    assert len(fake.received) < 45


def test_a_request_that_is_too_large_is_halved(fake):
    fake.script.append(refuse(413, ("too large", None)))
    feed = sent(fake, readers(10))
    assert len(feed.places(Outcome.ACCEPTED)) == 10
    assert [len(received.body["personalizations"]) for received in fake.received] == [10, 5, 5]


def test_an_answer_before_the_request_is_read_is_an_answer(fake):
    deliveries = readers(800)
    for delivery in deliveries:  # more than the buffers between us hold
        delivery.name = "é" * 1_300
    fake.script.append(Act(status=413, early=True))
    feed = sent(fake, deliveries, threads=1, personalizations=800)
    assert len(feed.places(Outcome.ACCEPTED)) == 800
    assert [len(received.body["personalizations"]) for received in fake.received] == [400, 400]


def test_a_message_that_is_refused_for_everybody_fails_nobody(fake):
    fake.refused = {reader.email: None for reader in readers(40)}
    error, feed = failed(fake, readers(40), personalizations=40, threads=1)
    assert "400 Bad Request" in error.message
    assert feed.ended == {}
    assert len(fake.received) < 30


def test_a_refusal_of_the_message_itself_fails_nobody(fake):
    fake.script.extend([refuse(400, ("jo@example.org is no sender", "from.email"))] * 4)
    error, feed = failed(fake, readers(40))
    assert feed.ended == {}
    assert "jo@example.org" not in error.message


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "key"), (403, "forbids"), (404, "404"), (301, "301"), (415, "415")],
)
def test_a_refusal_of_everything_stops_the_run_and_fails_nobody(fake, status, words):
    fake.script.extend([ACCEPT, *[refuse(status, ("no", None))] * 8])
    error, feed = failed(fake, readers(200))
    assert words in error.message
    assert len(feed.places(Outcome.ACCEPTED)) == 10
    assert len(feed.ended) == 10


def test_a_wrong_key_is_refused(fake):
    error, feed = failed(fake, readers(5), key="SG.wrong")
    assert "401 The provided authorization grant is invalid" in error.message
    assert VARIABLE in error.hint
    assert feed.ended == {}


def test_too_many_requests_are_sent_again_after_the_time_they_ask_for(fake):
    fake.script.extend([ACCEPT, ACCEPT, PASSES, PASSES, ACCEPT, PASSES])
    begin = time.monotonic()
    feed = sent(fake, readers(200))
    assert len(feed.places(Outcome.ACCEPTED)) == 200
    assert feed.returns == 30
    assert (time.monotonic() - begin) * HURRY > 2


@pytest.mark.parametrize(
    "after",
    [
        {"Retry_After": "Fri, 31 Dec 2100 23:59:59 GMT"},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "4133980799"},
        {"Retry_After": "3600"},
    ],
)
def test_too_many_requests_for_a_long_time_stop_the_run(fake, after):
    fake.script.append(refuse(429, ("too many requests", None), **after))
    error, feed = failed(fake, readers(20), threads=1)
    assert "no more requests for now" in error.message
    assert feed.ended == {}


# ── missing answers ─────────────────────────────────────────────────────────


@pytest.mark.parametrize("miss", MISSES)
def test_without_a_clear_answer_the_deliveries_of_that_request_are_uncertain(fake, miss):
    fake.script.extend([ACCEPT, MISSES[miss]])
    feed = sent(fake, readers(60), threads=1)
    assert len(feed.places(Outcome.UNCERTAIN)) == 10
    assert len(feed.places(Outcome.ACCEPTED)) == 50
    assert feed.returns == 0


def test_an_outage_makes_few_deliveries_uncertain_and_stops_the_run(fake):
    fake.script.extend([refuse(503)] * 100)
    error, feed = failed(fake, readers(1_000), threads=8)
    assert len(feed.places(Outcome.UNCERTAIN)) == 30
    assert len(feed.waiting) == 970
    assert "503" in error.message
    assert "reconcile" in error.hint


def test_a_host_that_refuses_connections_returns_everything_and_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    fake = SendGridFake(url=f"http://127.0.0.1:{port}")  # nobody listens there
    begin = time.monotonic()
    error, feed = failed(fake, readers(50))
    assert "connection refused" in error.message
    assert feed.ended == {}
    assert 60 <= (time.monotonic() - begin) * HURRY < 300


acts = st.sampled_from(
    [
        *(ACCEPT, ACCEPT, ACCEPT, PASSES, CLOSE_KEPT_ALIVE, DROP_AFTER_ACCEPT, DROP_BEFORE_ACCEPT),
        *(TRUNCATE, GARBAGE, refuse(500), refuse(413), refuse(400, ("x", "personalizations.1.to"))),
    ]
)


@settings(max_examples=30)
@given(st.lists(acts, max_size=12), st.integers(1, 4), st.integers(1, 7))
def test_whatever_happens_nobody_gets_two_and_every_delivery_is_accounted_for(
    script: list[Act], threads: int, personalizations: int
) -> None:
    deliveries = readers(20)
    with SendGridFake() as fake:
        fake.script.extend(script)

        async def work() -> ListFeed:
            feed = ListFeed(deliveries)
            sender = transport(fake.url, threads=threads, personalizations=personalizations)
            with suppress(TransportError):
                await sender.run(feed, MAILING)
            return feed

        audited(fake, ran(work), deliveries)


# ── being stopped ───────────────────────────────────────────────────────────


def stopped(
    fake: SendGridFake, deliveries: list[Delivery], when: int, timeout: int = 1
) -> ListFeed:
    """Cancel the run once the fake has *when* requests."""

    async def work() -> ListFeed:
        feed = ListFeed(deliveries)
        task = asyncio.create_task(transport(fake.url, timeout=timeout).run(feed, MAILING))
        while len(fake.received) < when:
            await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return feed

    feed = ran(work)
    audited(fake, feed, deliveries)
    return feed


def test_a_cancelled_run_waits_for_the_answers_under_way_and_starts_nothing_new(fake):
    fake.delay = 0.03
    feed = stopped(fake, readers(1_000), when=8)
    assert feed.places(Outcome.UNCERTAIN) == set()
    assert len(feed.places(Outcome.ACCEPTED)) == 10 * len(fake.received)
    assert len(fake.received) < 14


def test_a_cancelled_run_does_not_wait_for_ever(fake):
    fake.script.extend([ACCEPT, HANG])
    begin = time.monotonic()
    feed = stopped(fake, readers(20), when=2, timeout=30)
    assert len(feed.places(Outcome.UNCERTAIN)) == 10
    assert time.monotonic() - begin < 10  # seconds; the grace is hurried, the time-out is not


def test_a_run_that_is_cancelled_while_it_pauses_holds_nothing(fake):
    fake.script.extend([refuse(429, ("slow down", None), Retry_After="600")])
    feed = stopped(fake, readers(20), when=1)
    assert feed.ended == {}


def test_a_run_that_is_cancelled_while_it_makes_messages_hands_nothing_over(fake):
    async def work() -> ListFeed:
        feed = ListFeed(readers(1_000))
        run = transport(fake.url, personalizations=1_000).run(feed, MAILING)
        running = asyncio.create_task(run)
        while not feed.held:
            await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return feed

    feed = ran(work)
    assert (feed.held, feed.ended, feed.announced) == ({}, {}, set())
    assert fake.received == []


# ── one message, and none ───────────────────────────────────────────────────


def delivered(fake: SendGridFake, email: str = "editor@example.org") -> Any:
    message = MAILING.message(readers(1)[0])
    return ran(lambda: transport(fake.url).deliver(email, message))


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (ACCEPT, Outcome.ACCEPTED),
        (refuse(400, ("bad@example.org is bad", None)), Outcome.REFUSED_FOR_GOOD),
        (PASSES, Outcome.REFUSED_FOR_NOW),
        (refuse(500), Outcome.UNCERTAIN),
        (DROP_AFTER_ACCEPT, Outcome.UNCERTAIN),
    ],
)
def test_one_message_has_an_outcome(fake, act, outcome):
    fake.script.append(act)
    result = delivered(fake)
    assert result.outcome is outcome
    assert (result.provider_id == "id1") is (outcome is Outcome.ACCEPTED)
    assert "bad@example.org" not in result.reply
    assert len(fake.received) == 1


def test_one_message_to_an_impossible_address_is_refused_without_a_request(fake):
    assert delivered(fake, "jö@example.org").outcome is Outcome.REFUSED_FOR_GOOD
    assert fake.received == []


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_a_key_that_sendgrid_repeats_is_not_shown_nor_kept(fake, status):
    echo = refuse(status, (f"not with {KEY}, as {KEY}", None))
    fake.script.append(echo)
    try:
        single = delivered(fake).reply
    except TransportError as error:
        single = error.message
    fake.script.extend([ACCEPT, *[echo] * 50])
    feed = ListFeed(readers(40))
    shown = [single]
    try:
        ran(lambda: transport(fake.url).run(feed, MAILING))
    except TransportError as error:
        shown.append(error.message)
    shown += [reply for outcome, reply in feed.ended.values() if outcome is not Outcome.ACCEPTED]
    assert "not with …, as …" in single
    assert len(shown) > 1
    assert KEY not in " ".join(shown)


def test_one_message_with_a_wrong_key_is_an_error(fake):
    fake.script.append(refuse(401, ("no", None)))
    with pytest.raises(TransportError, match="refuses the key"):
        delivered(fake)


def test_a_probe_goes_through_the_sandbox_and_sends_nothing(fake):
    said = ran(lambda: transport(fake.url).probe())
    assert "sandbox" in said
    assert fake.url in said
    assert fake.accepted == []


def test_a_probe_says_what_is_wrong(fake):
    with pytest.raises(TransportError, match="401"):
        ran(lambda: transport(fake.url, key="SG.wrong").probe())
    fake.script.append(DROP_BEFORE_ACCEPT)
    with pytest.raises(TransportError, match="does not answer"):
        ran(lambda: transport(fake.url).probe())


# ── the key and the addresses stay where they are ───────────────────────────


def test_no_log_and_no_error_holds_the_key_or_an_address(fake, caplog, monkeypatch):
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    caplog.set_level(logging.DEBUG)
    fake.script.extend([ACCEPT, refuse(400, ("reader@example.org is bad", "from"))])
    printed = io.StringIO()
    with redirect_stdout(printed):
        error, _ = failed(fake, readers(40))
        delivered(fake)
    assert "POST Request" in caplog.text  # the SDK did log
    seen = caplog.text + printed.getvalue() + repr(error) + repr(transport(fake.url))
    assert KEY not in seen
    assert "example.org" not in caplog.text + printed.getvalue() + repr(error)
    assert fake.received[0].headers["authorization"] == f"Bearer {KEY}"


def workspace(**changes: Any) -> Workspace:
    config = a_config()
    changed = msgspec.structs.replace(config, sendgrid=SendgridConfig(**changes))
    return Workspace(ROOT, changed)


def test_the_transport_of_a_workspace_needs_a_key(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(ConfigError, match="the SendGrid API key is not set"):
        sendgrid_of(workspace())
    monkeypatch.setenv(VARIABLE, "SG.ключ")
    with pytest.raises(ConfigError, match="outside ASCII") as caught:
        sendgrid_of(workspace())
    assert "ключ" not in caught.value.message
    monkeypatch.setenv(VARIABLE, KEY)
    made = sendgrid_of(workspace(threads=5))
    assert (made.name, made.config.threads) == ("sendgrid", 5)


@pytest.mark.parametrize(
    ("region", "host"),
    [("global", "https://api.sendgrid.com"), ("eu", "https://api.eu.sendgrid.com")],
)
def test_the_region_chooses_the_host(region, host):
    assert SendGridClient(Secret(KEY), region=region, url=None, timeout=1).host == host
