"""DKIM: an independent verifier agrees, and what must not be altered cannot be."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dkim.canonicalization import CanonicalizationPolicy
from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.links import Links
from newsletter.audience.tokens import Tokens
from newsletter.compose.message import Headers
from newsletter.compose.slots import Slot
from newsletter.config import CONFIG_NAME, open_workspace
from newsletter.delivery.dkim import Signer, relaxed_body, signer_of
from newsletter.delivery.mailing import Frozen, Mailing
from newsletter.delivery.model import Delivery
from newsletter.errors import ConfigError
from tests.store.worlds import ROOT

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SIGNER = Signer(KEY, domain="news.example.org", selector="s2026")
NOW = datetime(2026, 3, 5, 9, 53, tzinfo=UTC)
HEADERS = Headers(
    from_name="Harbor Digest",
    from_email="digest@news.example.org",
    reply_to="digest@example.org",
    subject="Harbor Digest Vol 3.4: ports, tariffs and a very long subject line that is folded",
    date=NOW,
    list_name="Harbor Digest",
    list_id="newsletter.news.example.org",
    archive_url="https://digest.example.org/",
    help_email="digest@example.org",
    feedback_id="vol-3-4:edition:newsletter:newsexampleorg",
    language="en",
)
BODY = "".join(f"<p>{slot.marker}</p>\n\n" for slot in Slot)
MAILING = Mailing(
    campaign_id=1,
    frozen=Frozen(number="3.4", headers=HEADERS, web_url="https://digest.example.org/vol-3-04/"),
    html=BODY,
    text=BODY,
    links=Links(site_url="https://digest.example.org", tokens=Tokens([b"k" * 32])),
)
ANN = Delivery(1, "ann@example.com", "Ann Ångström", attempts=1, place=0)
MESSAGE = replace(MAILING, signer=SIGNER).message(ANN)

PATH_KEY = "keys/dkim.pem"
SIGNED = (
    "from to reply-to subject date message-id mime-version content-type content-language list-id"
    " list-unsubscribe list-unsubscribe-post list-help list-archive list-post precedence"
    " feedback-id"
).split()


def record(name: bytes, timeout: float = 5) -> bytes:
    assert name == b"s2026._domainkey.news.example.org."
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(PUBLIC)


def verifies(message: bytes) -> bool:
    return bool(dkim.verify(message, dnsfunc=record))


def tags_of(message: bytes) -> dict[str, str]:
    field = re.match(rb"DKIM-Signature:((?:.|\r\n[ \t])*)\r\n", message)
    assert field is not None
    tags = re.sub(r"\s", "", field[1].decode()).split(";")
    return dict(tag.split("=", 1) for tag in tags)  # type: ignore[misc]


def test_message_of_a_mailing_is_signed_and_verifies():
    assert MESSAGE.endswith(MAILING.message(ANN))
    assert verifies(MESSAGE)


def test_signature_says_what_it_covers_and_never_expires():
    tags = tags_of(MESSAGE)
    names = tags["h"].split(":")
    assert names.count("from") == 2
    assert sorted({*names}) == sorted(SIGNED)
    assert (tags["a"], tags["c"]) == ("rsa-sha256", "relaxed/relaxed")
    assert (tags["d"], tags["s"]) == ("news.example.org", "s2026")
    assert int(tags["t"]) == NOW.timestamp()
    assert not {"x", "l"} & set(tags)


def test_header_that_is_not_there_is_not_named():
    headers = replace(HEADERS, reply_to=None)
    frozen = Frozen(number="3.4", headers=headers, web_url=MAILING.frozen.web_url)
    message = replace(MAILING, frozen=frozen, signer=SIGNER).message(ANN)
    assert "reply-to" not in tags_of(message)["h"].split(":")
    assert verifies(message)


def test_lines_of_the_signature_have_at_most_76_characters_and_are_ascii():
    signature = SIGNER.sign(MAILING.message(ANN))
    assert signature.isascii()
    assert signature.endswith(b"\r\n")
    assert max(map(len, signature.split(b"\r\n"))) <= 76
    assert all(line[:1] == b" " and line.strip() for line in signature.split(b"\r\n")[1:-1])


def test_same_message_is_signed_with_the_same_bytes():
    message = MAILING.message(ANN)
    assert SIGNER.sign(message) == SIGNER.sign(message)


def test_relay_that_folds_headers_anew_and_changes_their_spaces_does_no_harm():
    head, _, body = MESSAGE.partition(b"\r\n\r\n")
    signature, _, rest = head.partition(b"From: ")
    refolded = re.sub(rb"\r\n[ \t]+", b" ", b"From: " + rest)  # unfolded,
    refolded = re.sub(rb"(?m)^([A-Za-z-]+): ", rb"\1:\t  ", refolded)
    refolded = refolded.replace(b", ", b",\r\n \t ").replace(b"Digest ", b"Digest\r\n  ")
    assert refolded != b"From: " + rest
    spaced = body.replace(b"\r\n", b" \t\r\n") + b"\r\n\r\n"
    altered = (
        b"Received: by relay.example.org;\r\n now\r\n" + signature + refolded + b"\r\n\r\n" + spaced
    )
    assert verifies(altered)


@pytest.mark.parametrize("name", SIGNED)
def test_altering_any_signed_header_breaks_the_signature(name):
    pattern = rf"(?im)^({name}: )".encode()
    altered, count = re.subn(pattern, rb"\1x", MESSAGE)
    assert count >= 1
    assert verifies(MESSAGE)
    assert not verifies(altered)


@pytest.mark.parametrize("name", [b"List-Unsubscribe", b"List-Unsubscribe-Post"])
def test_taking_the_unsubscribe_headers_out_breaks_the_signature(name):
    altered = re.sub(rb"\r\n" + name + rb": [^\r]*", b"", MESSAGE)
    assert altered != MESSAGE
    assert not verifies(altered)


def test_second_from_breaks_the_signature():
    assert not verifies(b"From: somebody@example.com\r\n" + MESSAGE)


def test_altering_the_body_breaks_the_signature():
    assert not verifies(MESSAGE.replace(b"</p>", b"</q>", 1))


def test_message_without_body_verifies():
    message = b"From: digest@news.example.org\r\nDate: Thu, 05 Mar 2026 09:53:00 +0000\r\n\r\n"
    assert verifies(SIGNER.sign(message) + message)


def test_message_without_date_is_our_own_fault():
    with pytest.raises(ValueError, match="Date"):
        SIGNER.sign(b"From: digest@news.example.org\r\n\r\n")


def line_by_line(body: bytes) -> bytes:
    """RFC 6376 §3.4.4 as it is written."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


PIECES = st.sampled_from([b" ", b"  ", b"\t", b"\r\n", b"\r\n\r\n", b"a", b"=20", b"\r", b"\n"])


@given(st.lists(PIECES, max_size=30).map(b"".join))
def test_body_is_canonicalized_as_line_by_line(body):
    assert relaxed_body(body) == line_by_line(body)


# No message of ours has bare line ends or a last line without one, where readings differ.
@given(st.lists(PIECES.filter(lambda piece: piece.strip(b"\r\n") or len(piece) > 1), max_size=30))
def test_body_is_canonicalized_as_by_the_verifier(pieces):
    body = b"".join(pieces) + b"\r\n"
    relaxed = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed").canonicalize_body(body)
    assert relaxed_body(body) == relaxed


# ── configuration ───────────────────────────────────────────────────────────


def pem(key: object, *, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)  # type: ignore[attr-defined,no-any-return]


def configured(root, text: str, key: bytes | None = None, mode: int = 0o600):
    config = (ROOT / CONFIG_NAME).read_text(encoding="utf-8")
    (root / CONFIG_NAME).write_text(f"{config}\n[dkim]\n{text}\n", encoding="utf-8")
    if key is not None:
        path = root / PATH_KEY
        path.parent.mkdir()
        path.write_bytes(key)
        path.chmod(mode)
    return open_workspace(root)


WHOLE = f'domain = "news.example.org"\nselector = "s2026"\nkey_file = "{PATH_KEY}"'


def test_signer_of_a_configured_workspace_signs(tmp_path):
    signer = signer_of(configured(tmp_path, WHOLE, pem(KEY)))
    assert signer is not None
    message = MAILING.message(ANN)
    assert verifies(signer.sign(message) + message)


def test_workspace_without_dkim_has_no_signer(tmp_path):
    assert signer_of(configured(tmp_path, "")) is None


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ('domain = "news.example.org"', "dkim.selector and dkim.key_file"),
        (f'domain = "news.example.org"\nkey_file = "{PATH_KEY}"', "dkim.selector"),
    ],
)
def test_half_a_configuration_is_an_error_that_names_what_is_missing(tmp_path, text, missing):
    with pytest.raises(ConfigError, match="half configured") as caught:
        signer_of(configured(tmp_path, text))
    assert missing in caught.value.message


@pytest.mark.parametrize(
    ("key", "mode", "words"),
    [
        (None, 0o600, "No such file"),
        (pem(KEY), 0o640, "other users"),
        (pem(KEY), 0o604, "other users"),
        (pem(KEY, password=b"correct horse"), 0o600, "password"),
        (b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", 0o600, "not a pri"),
        (pem(ec.generate_private_key(ec.SECP256R1())), 0o600, "not an RSA key"),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), 0o600, "1,024 bits"),
    ],
    ids=["missing", "group", "others", "locked", "garbage", "not RSA", "short"],
)
def test_key_that_cannot_or_must_not_be_used_is_refused_without_showing_it(
    tmp_path, key, mode, words
):
    with pytest.raises(ConfigError, match=words) as caught:
        signer_of(configured(tmp_path, WHOLE, key, mode))
    error = caught.value
    assert error.hint
    assert "c2VjcmV0" not in f"{error.message}{error.hint}{error.__cause__}"


def test_folder_in_the_place_of_the_key_is_an_error_with_advice(tmp_path):
    workspace = configured(tmp_path, WHOLE)
    (tmp_path / PATH_KEY).mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        signer_of(workspace)
    assert "dkim.key_file" in str(caught.value.hint)


def test_signer_shows_nothing_of_its_key():
    assert "RSAPrivateKey" not in repr(SIGNER)
    assert not hasattr(SIGNER, "__dict__")
