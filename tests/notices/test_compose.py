"""What a notice looks like to a mail program, and what a stranger can put into one: nothing."""

from __future__ import annotations

import asyncio
import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.links import Links
from newsletter.audience.tokens import Tokens
from newsletter.delivery.transports.sendgrid_request import request_of
from newsletter.delivery.transports.smtp import smtp_of
from newsletter.errors import ContentError, RecipientRejected
from newsletter.notices.compose import Composer, Notice
from newsletter.notices.model import Kind
from tests.audience.people import NOW
from tests.delivery.smtp_server import SmtpTestServer
from tests.delivery.test_dkim import KEY, pem, verifies
from tests.notices.noticing import ADA, LATEST, NEXT, a_workspace, asked, bodies, parsed, send

LINKS = Links(site_url="https://digest.example.org", tokens=Tokens([b"k" * 32]))
TOKEN = "Zm9vYmFyYmF6cXV4enp5eA"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return a_workspace(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def composer(workspace):
    return Composer(workspace, LINKS, latest=LATEST, next_at=NEXT)


def a_notice(kind=Kind.CONFIRM, **values):
    facts = {"id": 7, "subscriber_id": 42, "email": ADA, "name": "Ada Löwe", "token": TOKEN}
    return Notice(kind=kind, created_at=NOW, **{**facts, **values})


def links_of(message):
    """The links in text and in HTML."""
    text, html = bodies(message)
    in_html = {unescape(href) for href in re.findall(r'href="([^"#][^"]*)"', html)}
    in_text = set(re.findall(r"https://\S+", text)) | {
        f"mailto:{email}" for email in re.findall(r"complaints: (\S+)", text)
    }
    return in_text, in_html


@pytest.mark.parametrize("kind", list(Kind))
def test_notice_is_as_it_was_looked_at(kind, composer, snapshot):
    message = composer.message(a_notice(kind, is_paused=True, issues_left=2), now=NOW)
    assert message.decode("ascii").replace("\r\n", "\n") == snapshot


@pytest.mark.parametrize("kind", list(Kind))
def test_text_and_html_hold_the_same_links_and_lines_pass_every_server(kind, composer):
    message = composer.message(a_notice(kind), now=NOW)
    in_text, in_html = links_of(message)
    assert in_text == in_html
    personal = {
        Kind.CONFIRM: {LINKS.confirm(TOKEN)},
        Kind.WELCOME: {LINKS.unsubscribe(42), LINKS.preferences(42), LATEST.url, LATEST.pdf_url},
        Kind.KNOWN: {LINKS.unsubscribe(42), LINKS.preferences(42)},
    }[kind]
    assert personal <= in_text
    lines = message.split(b"\r\n")
    assert message.isascii()
    assert max(map(len, lines)) <= 998
    assert not [line for line in lines if line.startswith((b".", b"From ")) or b"\n" in line]
    assert [part.get_content_type() for part in parsed(message).iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert ".invalid" not in message.decode()


def test_headers_say_that_it_is_automatic_and_whom_to_answer(composer, workspace):
    message = parsed(composer.message(a_notice(), now=NOW))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["From"].addresses[0].addr_spec == workspace.config.sender.email
    assert message["Reply-To"] == workspace.config.sender.reply_to
    assert message["Date"].datetime == NOW
    assert not [name for name in message if name.startswith("List-") or name == "Precedence"]


def test_welcome_can_be_ended_with_one_click_as_an_issue_can(composer):
    message = parsed(composer.message(a_notice(Kind.WELCOME), now=NOW))
    assert message["List-Unsubscribe"] == f"<{LINKS.unsubscribe(42)}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "newsletter.news.example.org" in message["List-Id"]
    assert message["To"].addresses[0].display_name == "Ada Löwe"


def test_own_sender_of_notices_goes_before_that_of_issues(tmp_path):
    own = {"from_name": "Digest sign-up", "from_email": "hello@mail.example.org"}
    workspace = a_workspace(tmp_path, subscribe=own, sender={"reply_to": None})
    message = parsed(Composer(workspace, LINKS).message(a_notice(), now=NOW))
    assert message["From"] == "Digest sign-up <hello@mail.example.org>"
    assert message["Message-ID"].endswith("@mail.example.org>")
    assert message["Reply-To"] == workspace.config.publisher.contact


def test_same_notice_has_the_same_message_id_and_another_one_another(composer):
    ids = [
        parsed(composer.message(a_notice(id=number, token=token), now=NOW))["Message-ID"]
        for number, token in [(7, TOKEN), (7, "another"), (8, TOKEN)]
    ]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    "name", ["Ada\r\nBcc: b@example.org", "Ada\nX", "a\0b", "a\x0bb", "a\u2028b"]
)
def test_name_that_could_break_out_of_a_header_is_refused(composer, name):
    with pytest.raises(RecipientRejected, match="control character"):
        composer.message(a_notice(Kind.WELCOME, name=name), now=NOW)


SPAM = "Win at https://evil.example <b>now</b>"


def test_name_of_whoever_filled_in_the_form_is_nowhere_in_a_confirmation(composer):
    plain = composer.message(a_notice(name=""), now=NOW)
    assert composer.message(a_notice(name=SPAM), now=NOW) == plain


@given(name=st.text(max_size=80), local=st.from_regex(r"[a-z{}%'|!=?*+-]{1,30}", fullmatch=True))
def test_whatever_name_and_address_the_links_and_headers_stay_as_they_are(composer, name, local):
    clean = composer.message(a_notice(Kind.WELCOME, name="", email=ADA), now=NOW)
    try:
        message = composer.message(
            a_notice(Kind.WELCOME, name=name, email=f"{local}@example.org"), now=NOW
        )
    except RecipientRejected:
        return
    assert parsed(message).keys() == parsed(clean).keys()
    assert links_of(message) == links_of(clean)
    assert f"{local}@example.org" in bodies(message)[0]


def test_welcome_without_an_edition_and_a_slot_promises_neither(workspace):
    text, html = bodies(Composer(workspace, LINKS).message(a_notice(Kind.WELCOME), now=NOW))
    for body in (text, html):
        assert "The next issue comes to you when it is out." in body
        assert "latest" not in body


def test_next_date_is_told_in_the_time_zone_of_the_newsletter(composer):
    text, _ = bodies(composer.message(a_notice(Kind.WELCOME), now=NOW))
    assert "Tuesday, March 17, 2026, at 09:53\n(America/New_York)" in text


@pytest.mark.parametrize(
    ("is_paused", "left", "words"),
    [
        (False, None, "on the list already. Nothing"),
        (True, None, "paused until you say otherwise"),
        (True, 0, "the next issue comes to you again"),
        (True, 1, "paused for 1 more issue."),
        (True, 3, "paused for 3 more issues."),
    ],
)
def test_known_person_reads_how_their_subscription_stands(composer, is_paused, left, words):
    message = composer.message(a_notice(Kind.KNOWN, is_paused=is_paused, issues_left=left), now=NOW)
    for body in bodies(message):
        assert words in " ".join(body.split())


def test_headline_that_looks_like_a_slot_is_not_filled(workspace):
    latest = type(LATEST)(label="Vol 1", url=LATEST.url, pdf_url="", headlines=("⟦email⟧",))
    with pytest.raises(ContentError, match="stands for"):
        Composer(workspace, LINKS, latest=latest).message(a_notice(Kind.WELCOME), now=NOW)


def test_signature_verifies_and_covers_the_way_out(tmp_path):
    key = tmp_path / "dkim.pem"
    key.write_bytes(pem(KEY))
    key.chmod(0o600)
    section = {"domain": "news.example.org", "selector": "s2026", "key_file": "dkim.pem"}
    composer = Composer(a_workspace(tmp_path, dkim=section), LINKS)
    message = composer.message(a_notice(Kind.WELCOME), now=NOW)
    assert verifies(message)
    assert b"list-unsubscribe" in message.partition(b"bh=")[0].lower()


def test_sendgrid_takes_it(composer):
    for kind in Kind:
        assert request_of(ADA, composer.message(a_notice(kind), now=NOW))


def test_it_arrives_by_smtp_as_it_was_composed(store, tmp_path):
    asked(store)

    async def talk():
        async with SmtpTestServer() as server:
            smtp = {"host": "127.0.0.1", "port": server.port, "security": "none"}
            workspace = a_workspace(tmp_path, smtp=smtp, transport={"kind": "smtp"})
            sent = await asyncio.to_thread(send, store, workspace, smtp_of(workspace))
            return sent, server.seen

    sent, (seen,) = asyncio.run(talk())
    assert sent.accepted == 1
    assert seen.recipients == (ADA,)
    assert seen.taken
    assert parsed(seen.content)["Subject"] == "Please confirm: Pacific Alliance Digest"
