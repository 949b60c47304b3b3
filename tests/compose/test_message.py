"""Messages on the wire: what a parser reads is what went in, for any reader."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import Header, decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from html import escape

import pytest
from composed import TEMPLATES, a_config, a_view
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace as with_values

from newsletter.compose.address import ascii_address, mailbox, unstructured, utf8_address
from newsletter.compose.email import compose_email
from newsletter.compose.message import Headers, MessageTemplate, Recipient, headers_of
from newsletter.compose.quoted_printable import encode_value
from newsletter.compose.slots import Slot, fill
from newsletter.compose.text import compose_text
from newsletter.errors import ContentError, RecipientRejected

DATE = datetime(2023, 10, 31, 9, 53, tzinfo=timezone(timedelta(hours=-4)))
HEADERS = headers_of(a_view(), a_config(), DATE)
TOKEN = "k7Qm2Xw9-_AbCdEf"
READER = Recipient(
    email="alex@example.org",
    name="Alex Example",
    delivery=TOKEN,
    unsubscribe_url=f"https://digest.example.org/u/{TOKEN}",
    preferences_url=f"https://digest.example.org/p/{TOKEN}",
    web_url="https://digest.example.org/vol-2-20/?a=1&b=2",
)
BODY = "".join(f"<p>{slot.marker}</p>\n" for slot in Slot)


def wire(
    reader: Recipient = READER, headers: Headers = HEADERS, html: str = BODY, text: str = BODY
) -> bytes:
    return MessageTemplate(headers, html, text).assemble(reader)


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


def bodies(message: EmailMessage) -> list[str]:
    return [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()]


def name_read_from(data: bytes) -> str:
    """The name in To, decoded by RFC 2047.

    The newer parser of the standard library (Python 3.11) puts a space between two encoded
    words of a name, which §6.2 forbids; `decode_header` does not.
    """
    raw = message_from_bytes(data)["To"]
    if "=?" not in raw:
        return str(parsed(data)["To"].addresses[0].display_name)
    return str(make_header(decode_header(raw.rpartition("<")[0].strip())))


def values(reader: Recipient) -> dict[Slot, str]:
    return {
        Slot.NAME: reader.name,
        Slot.EMAIL: reader.email,
        Slot.WEB_URL: reader.web_url,
        Slot.UNSUBSCRIBE_URL: reader.unsubscribe_url,
        Slot.PREFERENCES_URL: reader.preferences_url,
    }


def of_the_standard_library(
    reader: Recipient, headers: Headers, html: str, text: str
) -> EmailMessage:
    """The message as EmailMessage writes and reads it."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(headers.from_name, addr_spec=headers.from_email)
    message["To"] = Address(reader.name, addr_spec=reader.email)
    message["Subject"] = headers.subject
    message.set_content(fill(text, values(reader), escape=False), cte="quoted-printable")
    message.add_alternative(
        fill(html, values(reader), escape=True), subtype="html", cte="quoted-printable"
    )
    return parsed(message.as_bytes())


def is_clean(text: str) -> bool:
    return not any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in text)


def without_spare_spaces(name: str) -> str:
    """*name* as parsers that fold white space read it; `mailbox` writes it so."""
    return re.sub(" +", " ", name).strip(" ")


names = st.text(max_size=120).filter(is_clean)
lines = st.text(
    alphabet=st.one_of(
        st.sampled_from(" .F=\n\t\u00a0é日😀-⟦⟧<>&"),
        st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
    ),
    max_size=300,
)
locals_ = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}(\.[a-z]{1,5}){0,2}", fullmatch=True)


@given(names)
@example("=?utf-8?q?x?=")
@example('Quote "d" \\ back')
@example("a  b")
@example(" padded ")
@example("Name, Jr. (III) <x@example.org>")
@example("田中 一郎" * 10)
@example("x" * 200)
@example("\u00ad\u200b\u202e")
def test_any_name_reads_back_as_it_was(name: str) -> None:
    data = wire(with_values(READER, name=name))
    assert parsed(data)["To"].addresses[0].addr_spec == READER.email
    assert name_read_from(data) == without_spare_spaces(name)


@given(names, locals_)
@example(": ", "a")
def test_headers_read_as_those_of_the_standard_library(name: str, local: str) -> None:
    reader = with_values(READER, name=name, email=f"{local}@example.org")
    ours = parsed(wire(reader))
    theirs = of_the_standard_library(reader, HEADERS, BODY, BODY)
    assert ours["From"].addresses == theirs["From"].addresses
    assert ours["To"].addresses[0].addr_spec == theirs["To"].addresses[0].addr_spec
    assert ours["Subject"] == theirs["Subject"]
    if theirs["To"].addresses[0].display_name == name:  # it loses some of its own
        assert name_read_from(wire(reader)) == without_spare_spaces(name)


@given(lines, lines, names)
def test_bodies_read_as_those_of_the_standard_library(html: str, text: str, name: str) -> None:
    html, text = html + Slot.NAME.marker + html, text + Slot.WEB_URL.marker + Slot.NAME.marker
    html, text = (re.sub(r"⟦(?!name⟧)", "", part) for part in (html, text))
    reader = with_values(READER, name=name)
    ours = parsed(wire(reader, html=html, text=text))
    assert bodies(ours) == bodies(of_the_standard_library(reader, HEADERS, html, text))
    assert [part.get_content_type() for part in ours.iter_parts()] == ["text/plain", "text/html"]


@given(lines, names)
def test_wire_is_seven_bit_in_short_lines_that_need_no_dot_stuffing(body: str, name: str) -> None:
    body = re.sub(r"⟦(?!name⟧)", "", f"{body}{Slot.NAME.marker}{body}\n.\n..\nFrom x\n")
    data = wire(with_values(READER, name=name), html=body, text=body)
    assert data.isascii()
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert b"\n" not in data.replace(b"\r\n", b"")
    long = [line for line in data.split(b"\r\n") if len(line) > 76]
    assert [line.partition(b":")[0] for line in long] == [b"List-Unsubscribe", b"Content-Type"]
    assert not re.search(rb"^(?:\.|From )", data.partition(b"\r\n\r\n")[2], re.MULTILINE)


@given(st.text(max_size=250).filter(is_clean))
@example("Digest Vol 2.20: " + "word " * 30)
@example("Economic “2+2” " * 12)
@example("x" * 300)
@example("a  b")
@example("=?utf-8?q?x?=")
def test_any_subject_reads_back_and_folds(subject: str) -> None:
    folded = unstructured("Subject", subject)
    assert all(len(line) <= 76 for line in f"Subject: {folded}".split("\r\n"))
    assert all(len(word) <= 75 for word in re.findall(r"=\?\S+?\?=", folded))
    read = parsed(wire(headers=replace(HEADERS, subject=subject)))["Subject"]
    assert read == subject


@pytest.mark.parametrize("bad", list("\r\n\0\t\x0b\x0c\x7f\x85\u2028\u2029\ud800"))
@pytest.mark.parametrize("place", ["name", "email"])
def test_control_character_in_name_or_address_is_rejected(bad: str, place: str) -> None:
    value = f"A{bad}B" if place == "name" else f"a{bad}@example.org"
    with pytest.raises(RecipientRejected, match="control character") as caught:
        wire(with_values(READER, **{place: value}))
    assert "example.org" not in caught.value.message  # messages end up in logs


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("", "not an address"),
        ("alex", "not an address"),
        ("@example.org", "not an address"),
        ("alex@", "not an address"),
        ("a b@example.org", "not an address"),
        ("a@b@example.org", "not an address"),
        ("a@example.org,b@example.org", "not an address"),
        ("<a@example.org>", "not a"),
        (".a@example.org", "not an address"),
        ("a..b@example.org", "not an address"),
        ('"a b"@example.org', "not an address"),
        ("a" * 65 + "@example.org", "not an address"),
        ("a@" + "b" * 64 + ".example", "not a domain"),
        ("a@exa_mple.org", "not a"),
        ("a@example", "not an address"),
        ("jörg@example.org", "not ASCII"),
        ("a@\u2024.example", "not a domain"),
        ("a@example.org ", "not a"),
    ],
)
def test_address_that_cannot_be_mailed_is_rejected_with_a_reason(email: str, reason: str) -> None:
    with pytest.raises(RecipientRejected, match=reason):
        ascii_address(email)


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("alex+tag@Example.org", "alex+tag@Example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("info@straße.example", "info@xn--strae-oqa.example"),  # IDNA2003 would say strasse
        ("info@日本.example", "info@xn--wgv71a.example"),
    ],
)
def test_domain_goes_over_the_wire_in_a_labels(email: str, expected: str) -> None:
    assert ascii_address(email) == expected
    assert utf8_address(email) == expected


# ── fast paths ──────────────────────────────────────────────────────────────

# Mostly what the fast paths are for, and all that lies just beside it.
nearly_plain = st.text(
    alphabet=st.sampled_from("abFz09.-_~+@:/?#=&<>\"' ,é日😀\u00a0\u0130"), max_size=90
)


def mailbox_without_fast_paths(name: str, email: str) -> str:
    """`mailbox("To", …)`, by `Header` and the rules of RFC 5322 and 2047, however slowly."""
    name = without_spare_spaces(name)
    if not name:
        return email
    is_text = name.isascii() and "=?" not in name
    is_plain = is_text and re.fullmatch(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+", name)
    phrase = name if is_plain else '"{}"'.format(re.sub(r'([\\"])', r"\\\1", name))
    if not is_text or len(phrase) > 72:
        phrase = Header(name, "utf-8", maxlinelen=76, header_name="To").encode(linesep="\r\n")
    last = ("To: " + phrase).split("\r\n")[-1]
    return f"{phrase}{'' if len(last) + len(email) + 3 <= 76 else chr(13) + chr(10)} <{email}>"


@given(names | nearly_plain, locals_)
@example("Ada Okafor", "ada")
@example("José Núñez", "jose")
@example("é" * 10, "x")
@example("é" * 25 + "xx", "x")
@example("x" * 40, "x" * 17)  # the last that fits one line
@example("x" * 40, "x" * 18)
@example("x =?utf-8?q?y?=", "x")
def test_name_is_written_as_without_the_fast_paths(name: str, local: str) -> None:
    email = f"{local}@example.org"
    assert mailbox("To", name, email) == mailbox_without_fast_paths(name, email)


@given(names | nearly_plain)
@example(" x")
@example("é ")
def test_subject_in_encoded_words_is_that_of_the_standard_library(text: str) -> None:
    text += "é"
    expected = Header(text, "utf-8", maxlinelen=76, header_name="Subject").encode(linesep="\r\n")
    assert unstructured("Subject", text) == expected


@given(names | nearly_plain)
@example("")
@example("F")
@example(".a")
@example("a" * 75)
@example("a" * 76)
@example("a ")
def test_value_stands_in_bodies_as_without_the_fast_path(name: str) -> None:
    marker = Slot.NAME.marker
    data = wire(with_values(READER, name=name), html=f"h\n{marker}", text=f"t\n{marker}")
    assert b"\r\n\r\nt\r\n" + encode_value(name) + b"\r\n" in data
    assert b"\r\n\r\nh\r\n" + encode_value(escape(name)) + b"\r\n" in data


@given(nearly_plain)
@example("https://example.org/\n")
@example("http://é.example/")
def test_link_is_taken_if_it_is_plain_ascii_without_delimiters(rest: str) -> None:
    url = f"https://{rest}"
    is_plain = re.fullmatch(r"https?://[!-~]+", url) and not set(url) & set("<>,")
    for place in ("unsubscribe_url", "preferences_url", "web_url"):
        reader = with_values(READER, **{place: url})
        if is_plain:
            assert bodies(parsed(wire(reader)))[1] == fill(BODY, values(reader), escape=True)
        else:
            with pytest.raises(ValueError, match="link"):
                wire(reader)


# ── internationalized addresses ─────────────────────────────────────────────


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("jörg@example.org", "jörg@example.org"),
        ("用户.名@例え.example", "用户.名@xn--r8jz45g.example"),
        ("ö" * 32 + "@example.org", "ö" * 32 + "@example.org"),
    ],
)
def test_server_with_smtputf8_gets_the_local_part_as_it_is(email: str, expected: str) -> None:
    reader = with_values(READER, email=email, name="Jörg Example")
    template = MessageTemplate(HEADERS, BODY, BODY)
    data = template.assemble(reader, smtputf8=True)
    head, _, body = data.partition(b"\r\n\r\n")
    assert f"\r\nTo: =?utf-8?q?J=C3=B6rg_Example?= <{expected}>\r\n".encode() in head.replace(
        b"\r\n <", b" <"
    )
    assert head.replace(expected.encode(), b"").isascii()
    assert body.isascii()
    assert bodies(parsed(data)) == [
        fill(BODY, values(reader), escape=False),
        fill(BODY, values(reader), escape=True),
    ]
    with pytest.raises(RecipientRejected, match="not ASCII"):
        template.assemble(reader)


@given(names, locals_)
def test_smtputf8_changes_nothing_for_an_ascii_address(name: str, local: str) -> None:
    template = MessageTemplate(HEADERS, BODY, BODY)
    reader = with_values(READER, name=name, email=f"{local}@bücher.example")
    assert template.assemble(reader, smtputf8=True) == template.assemble(reader)


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("jö\r\nrg@example.org", "control character"),
        ("jö\u0085@example.org", "control character"),
        ("jö rg@example.org", "not an address"),
        ("jö\u00a0rg@example.org", "not an address"),
        ("jö\u3000rg@example.org", "not an address"),
        ("jö<rg@example.org", "not an address"),
        ("jö@rg@example.org", "not an address"),
        ("jö,rg@example.org", "not an address"),
        (".jö@example.org", "not an address"),
        ("ö" * 33 + "@example.org", "not an address"),  # 66 octets
        ("jörg@example", "not an address"),
        ("jörg@exa_mple.org", "not a"),
        ("jörg@" + "b." * 124 + "org", "not an address"),
        ("jörg", "not an address"),
    ],
)
def test_address_that_no_server_takes_is_rejected_with_smtputf8_too(
    email: str, reason: str
) -> None:
    with pytest.raises(RecipientRejected, match=reason) as caught:
        utf8_address(email)
    assert "example" not in caught.value.message


# ── headers ─────────────────────────────────────────────────────────────────


def test_address_and_long_name_fold_before_the_address() -> None:
    value = mailbox("To", "Long Name " * 5 + "End", "someone.with.a.long.address@mail.example.org")
    assert value.split("\r\n") == [
        "Long Name " * 5 + "End",
        " <someone.with.a.long.address@mail.example.org>",
    ]


def test_headers_are_those_of_the_standards() -> None:
    message = parsed(wire())
    assert list(message.keys()) == [
        "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Id",
        "List-Unsubscribe", "List-Unsubscribe-Post", "List-Help", "List-Archive", "List-Post",
        "Precedence", "Feedback-ID", "Content-Language", "Content-Type",
    ]  # fmt: skip
    assert message["Date"] == "Tue, 31 Oct 2023 09:53:00 -0400"
    assert message["Message-ID"] == f"<{TOKEN}@news.example.org>"
    assert message["List-Id"] == "Pacific Alliance Digest <newsletter.news.example.org>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Post"] == "NO"
    assert message["Precedence"] == "bulk"
    assert message["Content-Language"] == "en"
    assert message["Feedback-ID"] == "vol-2-20:edition:newsletter:newsexampleorg"


def test_list_unsubscribe_is_one_plain_line_https_first() -> None:
    (line,) = [line for line in wire().split(b"\r\n") if line.startswith(b"List-Unsubscribe:")]
    assert line.decode() == (
        f"List-Unsubscribe: <{READER.unsubscribe_url}>,"
        f" <mailto:digest@example.org?subject=unsubscribe%20{TOKEN}>"
    )


def test_list_unsubscribe_above_998_characters_is_our_own_fault() -> None:
    def line(padding: int) -> bytes:
        url = READER.unsubscribe_url + "a" * padding
        data = wire(with_values(READER, unsubscribe_url=url))
        return next(line for line in data.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))

    most = 998 - len(line(0))  # RFC 5322 §2.1.1
    assert len(line(most)) == 998
    with pytest.raises(ValueError, match="998"):
        line(most + 1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "https://example.org/a b",
        "https://example.org/>",
        "https://é.example/",
        "https://example.org/\r\nX: y",
    ],
)
def test_malformed_link_is_our_own_fault(url: str) -> None:
    with pytest.raises(ValueError, match="link"):
        wire(with_values(READER, unsubscribe_url=url))


def test_malformed_delivery_token_is_our_own_fault() -> None:
    with pytest.raises(ValueError, match="token"):
        wire(with_values(READER, delivery="a@b>\r\nX: y"))


def test_senders_domain_goes_over_the_wire_in_a_labels() -> None:
    data = wire(headers=replace(HEADERS, from_email="digest@bücher.example"))
    assert b"From: Pacific Alliance Digest <digest@xn--bcher-kva.example>\r\n" in data
    assert b"@xn--bcher-kva.example>\r\n" in data.partition(b"Message-ID: ")[2]


def test_message_without_reply_to_has_no_such_header() -> None:
    assert "Reply-To" not in parsed(wire(headers=replace(HEADERS, reply_to=None)))


def test_reader_without_a_name_gets_the_bare_address() -> None:
    assert b"\r\nTo: alex@example.org\r\n" in wire(with_values(READER, name=" "))


def test_control_character_in_the_subject_is_refused() -> None:
    with pytest.raises(ContentError, match="control character"):
        wire(headers=replace(HEADERS, subject="Hello\r\nBcc: x@example.org"))


def test_same_edition_and_reader_give_the_same_bytes() -> None:
    assert wire() == wire()


def test_boundary_depends_on_the_content_and_not_on_the_reader() -> None:
    def boundary(data: bytes) -> str:
        return str(parsed(data).get_boundary())

    assert boundary(wire()) == boundary(wire(with_values(READER, name="Someone Else")))
    assert boundary(wire()) != boundary(wire(html=BODY + "x"))


def test_values_of_readers_differ_only_where_slots_are() -> None:
    one, other = wire(), wire(with_values(READER, name="Bo Other", delivery="zzz"))
    differing = [
        (a, b) for a, b in zip(one.split(b"\r\n"), other.split(b"\r\n"), strict=True) if a != b
    ]
    assert {a.partition(b" ")[0] for a, _ in differing} == {
        b"To:", b"Message-ID:", b"List-Unsubscribe:", b"Alex",
    }  # fmt: skip


def test_name_is_escaped_in_html_and_plain_in_text() -> None:
    text, html = bodies(parsed(wire(with_values(READER, name="<b>&\"x'"))))
    assert "<p><b>&\"x'</p>" in text
    assert "<p>&lt;b&gt;&amp;&quot;x&#x27;</p>" in html


def test_composed_edition_reads_back_with_all_slots_filled() -> None:
    view = a_view()
    html, text = compose_email(view, TEMPLATES).html, compose_text(view, TEMPLATES)
    message = parsed(wire(html=html, text=text))
    assert bodies(message) == [
        fill(text, values(READER), escape=False),
        fill(html, values(READER), escape=True),
    ]
    assert "slot.invalid" not in "".join(bodies(message))
