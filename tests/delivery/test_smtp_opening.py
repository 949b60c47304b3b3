"""Connections: greeting, TLS, AUTH, and the single messages and probes that go over them."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import ssl
from dataclasses import replace

import msgspec
import pytest
import uvloop

from newsletter.config import Workspace
from newsletter.config.secrets import Secret
from newsletter.config.sending import SmtpConfig
from newsletter.delivery.model import Outcome
from newsletter.delivery.transports import transport_of
from newsletter.delivery.transports.smtp import Smtp, smtp_of
from newsletter.delivery.transports.smtp_envelope import wire_address
from newsletter.delivery.transports.smtp_opening import UnreachableError
from newsletter.delivery.transports.smtp_server import SmtpServer, greeting_name
from newsletter.errors import ConfigError, RecipientRejected, TransportError
from tests.compose.composed import a_config
from tests.delivery.certificates import Certificates
from tests.delivery.list_feed import a_mailing, readers
from tests.delivery.smtp_server import (
    AUTH,
    BODY,
    DATA,
    EHLO,
    GREETING,
    MAIL,
    QUIT,
    RCPT,
    STARTTLS,
    Moment,
    Say,
    SmtpFeed,
    SmtpTestServer,
    audit,
)

PASSWORD = "correct horse ‘battery’ staple"
MAILING = a_mailing("<p>x</p>", "x")
MESSAGE = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\n\r\nHello\r\n"
PLAIN = SmtpServer(
    host="localhost",
    port=0,
    security="none",
    envelope_from="a@example.org",
    timeout=1,
    patience=0.2,
    back_off=0.01,
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def verified(certificates):
    """Over STARTTLS, with our authority trusted and a password."""
    return replace(
        PLAIN,
        security="starttls",
        tls=ssl.create_default_context(cafile=certificates.ca_file),
        username="editor",
        password=Secret(PASSWORD),
    )


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Run `use(transport)` against a server, on either loop."""
    factory = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[request.param]

    def run(server, settings, use):
        async def both():
            async with server, asyncio.timeout(10):
                return await use(Smtp(replace(settings, port=server.port)))

        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(both())

    return run


def probe(transport):
    return transport.probe()


def deliver(transport):
    return transport.deliver("b@example.org", MESSAGE)


def sending(feed):
    return lambda transport: transport.run(feed, MAILING)


def said(server: SmtpTestServer) -> list[str]:
    return [line for _, line in server.commands]


# ── TLS ─────────────────────────────────────────────────────────────────────────────


def test_probe_says_who_answered_and_how(run, verified, certificates):
    server = SmtpTestServer(tls=certificates.server("localhost"))
    text = run(server, verified, probe)
    assert text == f"localhost:{server.port}, TLS 1.3, PIPELINING, authenticated as editor"
    assert said(server)[-1] == "QUIT"


def test_probe_in_the_clear_says_so(run):
    server = SmtpTestServer(capabilities=())
    text = run(server, PLAIN, probe)
    assert text == f"localhost:{server.port}, in the clear, no PIPELINING"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_campaign_goes_out_encrypted(run, verified, certificates, security):
    server = SmtpTestServer(tls=certificates.server("localhost"), implicit_tls=security == "tls")
    feed = SmtpFeed(readers(300))

    run(server, replace(verified, security=security), sending(feed))
    assert audit(feed, server, 300, window=10) == {"accepted": 300}


def test_after_starttls_only_what_is_said_then_counts(run, verified, certificates):
    """The mechanisms are in the second EHLO only; PIPELINING, here, in the first only."""

    def script(moment: Moment) -> str | None:
        if moment.command != EHLO:
            return None
        greetings.append(moment)
        if len(greetings) == 1:
            return "250-mx\r\n250-PIPELINING\r\n250-AUTH FORGED\r\n250 STARTTLS"
        return "250-mx\r\n250 AUTH PLAIN"

    greetings: list[Moment] = []
    server = SmtpTestServer(script, tls=certificates.server("localhost"))
    assert "no PIPELINING, authenticated" in run(server, verified, probe)
    assert [line.partition(" ")[0] for line in said(server)[:4]] == [
        "EHLO",
        "STARTTLS",
        "EHLO",
        "AUTH",
    ]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("names", "options", "reason"),
    [
        (["smtp.example.org"], {}, "(?i)host ?name mismatch"),
        (["localhost"], {"expired": True}, "expired"),
        (["localhost"], {"self_signed": True}, "self.signed"),
    ],
    ids=["wrong name", "expired", "self-signed"],
)
def test_a_certificate_that_is_not_theirs_stops_before_a_word_is_said(
    run, verified, certificates, security, names, options, reason
):
    server = SmtpTestServer(
        tls=certificates.server(*names, **options), implicit_tls=security == "tls"
    )
    feed = SmtpFeed(readers(3))

    with pytest.raises(TransportError, match=reason) as caught:
        run(server, replace(verified, security=security), sending(feed))
    assert not isinstance(caught.value, UnreachableError)
    assert len(feed.waiting) == 3
    assert not any(line.startswith(("AUTH", "MAIL")) for line in said(server))


def test_a_number_as_host_is_verified_as_a_number(run, verified, certificates):
    good = SmtpTestServer(tls=certificates.server("127.0.0.1"))
    assert "TLS" in run(good, replace(verified, host="127.0.0.1"), probe)
    bad = SmtpTestServer(tls=certificates.server("localhost"))
    with pytest.raises(TransportError, match="is not who it should be"):
        run(bad, replace(verified, host="127.0.0.1"), probe)


def test_starttls_that_is_not_offered_is_not_done_without(run, verified):
    """Stripped by somebody on the way, or never there."""
    server = SmtpTestServer()
    with pytest.raises(TransportError, match="offers no STARTTLS"):
        run(server, verified, deliver)
    assert [line.partition(" ")[0] for line in said(server)] == ["EHLO"]


def test_a_server_from_before_ehlo_has_no_starttls_either(run, verified):
    server = SmtpTestServer(lambda moment: "502 what?" if moment.command == EHLO else None)
    with pytest.raises(TransportError):
        run(server, verified, deliver)
    assert not any(line.startswith("AUTH") for line in said(server))


@pytest.mark.parametrize("injected", ["250 forged", "250-half", "235 2.7.0 welcome\r\n250 forged"])
def test_what_is_said_in_the_clear_after_starttls_is_an_attack(
    run, verified, certificates, injected
):
    """CVE-2011-0411 and its kin."""

    def script(moment: Moment) -> Say | None:
        if moment.command == STARTTLS:
            return Say(text=f"220 go ahead\r\n{injected}")
        return None

    server = SmtpTestServer(script, tls=certificates.server("localhost"))
    with pytest.raises(TransportError, match="in the clear after STARTTLS") as caught:
        run(server, verified, deliver)
    assert not isinstance(caught.value, UnreachableError)
    assert not any(line.startswith("AUTH") for line in said(server))


def test_what_is_injected_a_moment_later_breaks_the_handshake(verified):
    """Past the check above: then it is no TLS. Nothing is believed, nothing is told."""

    async def attacker(reader, writer):
        for answer in (b"220 mx\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go ahead\r\n"):
            writer.write(answer)
            heard.append(await reader.read(4096))
        writer.write(b"250-mx\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 Ok\r\n")
        heard.append(await reader.read(4096))
        writer.close()
        over.set()

    heard: list[bytes] = []

    over = asyncio.Event()

    async def use() -> None:
        server = await asyncio.start_server(attacker, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, asyncio.timeout(10):
            with pytest.raises(TransportError):
                await Smtp(replace(verified, port=port)).probe()
            await over.wait()

    asyncio.run(use())
    assert not any(b"AUTH" in part or b"EHLO" in part for part in heard[2:])


@pytest.mark.parametrize("answer", ["454 4.7.0 TLS not available", "502 no"])
def test_starttls_that_is_refused_may_be_tried_again(run, verified, certificates, answer):
    server = SmtpTestServer(
        lambda moment: answer if moment.command == STARTTLS else None,
        tls=certificates.server("localhost"),
    )
    with pytest.raises(UnreachableError, match=answer):
        run(server, verified, probe)


def test_tls_on_a_port_that_speaks_in_the_clear_says_which_port_goes_with_what(run, verified):
    with pytest.raises(TransportError) as caught:
        run(SmtpTestServer(), replace(verified, security="tls"), probe)
    assert "465" in str(caught.value.hint)


# ── AUTH ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN", "GSSAPI PLAIN"])
def test_name_and_password_arrive(run, verified, certificates, mechanisms):
    server = SmtpTestServer(tls=certificates.server("localhost"), mechanisms=mechanisms)
    run(server, verified, probe)
    told = said(server)[said(server).index("STARTTLS") + 2 : -1]
    if mechanisms == "LOGIN":
        assert told[0] == "AUTH LOGIN"
        assert [base64.b64decode(line).decode() for line in told[1:]] == ["editor", PASSWORD]
    else:
        assert base64.b64decode(told[0].split()[2]).decode() == f"\0editor\0{PASSWORD}"


def test_a_long_password_goes_on_a_line_of_its_own(run, verified, certificates):
    server = SmtpTestServer(tls=certificates.server("localhost"))
    run(server, replace(verified, password=Secret("x" * 600)), probe)
    at = said(server).index("AUTH PLAIN")
    assert base64.b64decode(said(server)[at + 1]) == b"\0editor\0" + b"x" * 600


def test_auth_without_tls_is_for_this_machine_only(run):
    settings = replace(PLAIN, username="editor", password=Secret(PASSWORD))
    assert "authenticated" in run(SmtpTestServer(), settings, probe)


def test_auth_without_tls_does_not_go_to_another_machine(run):
    elsewhere = replace(PLAIN, host="127.1", username="editor", password=Secret(PASSWORD))
    server = SmtpTestServer()
    with pytest.raises(TransportError, match="in the clear"):
        run(server, elsewhere, probe)
    assert not any(line.startswith("AUTH") for line in said(server))


def test_no_mechanism_that_we_know_stops_it(run, verified, certificates):
    server = SmtpTestServer(tls=certificates.server("localhost"), mechanisms="GSSAPI NTLM")
    with pytest.raises(TransportError, match="offers GSSAPI, NTLM"):
        run(server, verified, probe)


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN"])
def test_a_wrong_password_stops_the_campaign_at_once_and_fails_nobody(
    run, verified, certificates, mechanisms
):
    server = SmtpTestServer(
        lambda moment: "535 5.7.8 bad credentials" if moment.command == AUTH else None,
        tls=certificates.server("localhost"),
        mechanisms=mechanisms,
    )
    feed = SmtpFeed(readers(1_000))

    with pytest.raises(TransportError, match=r"535 5\.7\.8 bad credentials") as caught:
        run(server, verified, sending(feed))
    assert audit(feed, server, 1_000, window=10) == {"pending": 1_000}
    assert "NEWSLETTER_SMTP_PASSWORD" in str(caught.value.hint)


def test_auth_that_is_refused_for_now_is_tried_again(run, verified, certificates):
    answers = iter(["454 4.7.0 temporary authentication failure"])
    server = SmtpTestServer(
        lambda moment: next(answers, None) if moment.command == AUTH else None,
        tls=certificates.server("localhost"),
    )
    feed = SmtpFeed(readers(5))

    run(server, replace(verified, connections=1), sending(feed))
    assert audit(feed, server, 5, window=1) == {"accepted": 5}


@pytest.mark.parametrize("command", [AUTH, MAIL, RCPT, BODY])
def test_a_server_that_repeats_the_password_does_not_get_it_shown(
    run, verified, certificates, command, caplog
):
    caplog.set_level(logging.DEBUG)
    plain = base64.b64encode(f"\0editor\0{PASSWORD}".encode()).decode()
    alone = base64.b64encode(PASSWORD.encode()).decode()
    echo = f"535 5.7.8 you said {plain}, that is {alone},\r\n535 {PASSWORD}".replace("\r\n", " ")
    server = SmtpTestServer(
        lambda moment: echo if moment.command == command else None,
        tls=certificates.server("localhost"),
    )

    async def use(transport):
        try:
            return repr(transport) + (await deliver(transport)).reply
        except TransportError as error:
            return error.message + str(error.hint) + repr(error)

    text = run(server, verified, use)
    assert "535 5.7.8 you said …" in text
    for secret in (PASSWORD, plain, alone):
        assert secret not in text + caplog.text


# ── names and capabilities ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mail.example.org", "mail.example.org"),
        ("localhost", "[192.0.2.1]"),
        ("my machine", "[192.0.2.1]"),
        ("a..example.org", "[192.0.2.1]"),
        ("x.example.org\r\nMAIL", "[192.0.2.1]"),
        ("198.51.100.7", "[198.51.100.7]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("", "[192.0.2.1]"),
    ],
)
def test_the_name_for_ehlo_is_a_domain_or_an_address_literal(name, expected):
    assert greeting_name(name, "192.0.2.1") == expected


def test_an_ipv6_address_of_ones_own_is_a_literal_too():
    assert greeting_name("localhost", "fe80::1%eth0") == "[IPv6:fe80::1]"
    assert greeting_name("localhost", "") == "[127.0.0.1]"


def test_ehlo_that_is_refused_is_helo_and_the_mail_goes(run):
    server = SmtpTestServer(lambda moment: "500 what?" if moment.command == EHLO else None)
    feed = SmtpFeed(readers(20))

    run(server, replace(PLAIN, helo="sender.example.org"), sending(feed))
    assert audit(feed, server, 20, window=10) == {"accepted": 20}
    assert "HELO sender.example.org" in said(server)


def test_addresses_outside_ascii_need_smtputf8_and_their_domains_do_not(run):
    people = readers(4)
    people[1].email = "zoë@example.org"
    people[2].email = "reader2@bücher.example.org"
    people[3].email = "a b\u2003@example.org"

    for extension in ("SMTPUTF8", "8BITMIME"):
        feed = SmtpFeed(people)
        server = SmtpTestServer(capabilities=("PIPELINING", extension))
        run(server, PLAIN, sending(feed))
        recipients = {recipient for seen in server.seen for recipient in seen.recipients}
        if extension == "SMTPUTF8":
            assert feed.places(Outcome.ACCEPTED) == {0, 1, 2}
            assert "zoë@example.org" in recipients
            (mail,) = [line for line in said(server) if line.endswith(" SMTPUTF8")]
            assert mail.startswith("MAIL FROM:<a@example.org>")
            (zoe,) = [s.content for s in server.seen if "zoë@example.org" in s.recipients]
            assert "zoë@example.org".encode() in zoe
        else:
            assert feed.places(Outcome.ACCEPTED) == {0, 2}
        assert "reader2@xn--bcher-kva.example.org" in recipients


def test_a_refusal_of_smtputf8_is_about_that_message_only(run):
    people = readers(30)
    for place in range(10, 20):
        people[place].email = f"zoë{place}@example.org"
    server = SmtpTestServer(
        lambda moment: "553 5.6.7 no" if moment.argument.endswith("SMTPUTF8") else None,
        capabilities=("PIPELINING", "SMTPUTF8"),
    )
    feed = SmtpFeed(people)

    run(server, replace(PLAIN, connections=1), sending(feed))
    assert feed.places(Outcome.REFUSED_FOR_GOOD) == set(range(10, 20))
    assert len(feed.places(Outcome.ACCEPTED)) == 20


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b@c\r\nDATA", "a>\r\nRSET@example.org", "ö>@example.org", "ö\n@a.de"]
)
def test_what_is_no_address_never_reaches_the_wire(email):
    with pytest.raises(RecipientRejected):
        wire_address(email)


# ── single messages ─────────────────────────────────────────────────────────────────


def test_a_single_message_arrives_as_it_is_with_dots_and_line_ends_made_right(run):
    server = SmtpTestServer()
    message = b"Subject: x\n\n.\n..\r\n.dot\nend"

    def use(transport):
        return transport.deliver("b@example.org", message)

    result = run(server, PLAIN, use)
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, "Q0")
    assert server.seen[0].content == b"Subject: x\r\n\r\n.\r\n..\r\n.dot\r\nend\r\n"
    assert server.seen[0].recipients == ("b@example.org",)
    assert said(server)[-1] == "QUIT"


@pytest.mark.parametrize("command", [MAIL, RCPT, DATA, BODY])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("451 4.3.0 no", Outcome.REFUSED_FOR_NOW), ("550 5.1.1 no", Outcome.REFUSED_FOR_GOOD)],
)
def test_a_single_message_that_is_refused_is_said_so(run, command, answer, outcome):
    server = SmtpTestServer(lambda moment: answer if moment.command == command else None)
    result = run(server, PLAIN, deliver)
    assert (result.outcome, result.reply) == (outcome, answer)


@pytest.mark.parametrize("answer", [Say(close=True), Say(silent=True), "250-", "999 what"])
def test_a_single_message_without_an_answer_is_uncertain(run, answer):
    server = SmtpTestServer(lambda moment: answer if moment.command == BODY else None)
    result = run(server, replace(PLAIN, timeout=0.2), deliver)
    assert result.outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize("command", [GREETING, EHLO, MAIL, RCPT, DATA])
def test_a_connection_lost_before_a_single_message_left_is_an_error(run, command):
    server = SmtpTestServer(lambda moment: Say(close=True) if moment.command == command else None)
    with pytest.raises(UnreachableError):
        run(server, PLAIN, deliver)


def test_a_server_that_does_not_answer_quit_does_not_keep_anybody_waiting(run):
    server = SmtpTestServer(lambda moment: Say(silent=True) if moment.command == QUIT else None)
    assert run(server, replace(PLAIN, timeout=30), deliver).outcome is Outcome.ACCEPTED


def test_a_single_message_to_an_address_that_is_none_is_refused_for_good(run):
    def use(transport):
        return transport.deliver("nobody", MESSAGE)

    server = SmtpTestServer()
    assert run(server, PLAIN, use).outcome is Outcome.REFUSED_FOR_GOOD
    assert not any(line.startswith("MAIL") for line in said(server))


# ── configuration ───────────────────────────────────────────────────────────────────


def workspace(tmp_path, **smtp):
    config = msgspec.structs.replace(a_config(), smtp=SmtpConfig(**smtp))
    return Workspace(tmp_path, config)


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_the_security(tmp_path, security, port):
    transport = smtp_of(workspace(tmp_path, security=security))
    assert (transport.name, transport.window) == ("smtp", 10)
    assert transport.server.port == port
    assert transport.server.envelope_from == a_config().sender.email
    assert (transport.server.tls is None) == (security == "none")


def test_transport_of_makes_it(tmp_path):
    assert isinstance(transport_of(workspace(tmp_path), "smtp"), Smtp)


def test_a_name_without_a_password_says_which_variable_to_set(tmp_path, monkeypatch):
    monkeypatch.delenv("NEWSLETTER_SMTP_PASSWORD", raising=False)
    with pytest.raises(ConfigError) as caught:
        smtp_of(workspace(tmp_path, username="editor"))
    assert "NEWSLETTER_SMTP_PASSWORD" in str(caught.value.hint)


def test_the_password_is_not_in_the_repr(tmp_path, monkeypatch):
    monkeypatch.setenv("NEWSLETTER_SMTP_PASSWORD", PASSWORD)
    transport = smtp_of(workspace(tmp_path, username="editor"))
    assert transport.server.password is not None
    assert PASSWORD not in repr(transport)


def test_the_password_is_not_asked_for_where_there_is_no_user_name(tmp_path, monkeypatch):
    monkeypatch.delenv("NEWSLETTER_SMTP_PASSWORD", raising=False)
    assert smtp_of(workspace(tmp_path)).server.password is None


def test_mail_does_not_go_to_another_machine_in_the_clear(tmp_path):
    with pytest.raises(ConfigError, match="in the clear"):
        smtp_of(workspace(tmp_path, host="smtp.example.org", security="none"))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        smtp_of(workspace(tmp_path, ca_file="ca.pem"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_server_that_is_not_there_is_said_in_words_whatever_the_loop(host, loop):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        server = replace(PLAIN, host=host, port=taken.getsockname()[1])
        with asyncio.Runner(loop_factory=loop) as runner, pytest.raises(UnreachableError) as caught:
            runner.run(Smtp(server).probe())
    assert caught.value.message == f"{server} cannot be reached: Connection refused"
