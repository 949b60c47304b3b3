"""SendGrid's webhook: only what SendGrid signed, and of that everything that can be used."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.feedback.events import Event, Kind
from newsletter.feedback.sendgrid_events import MAX_AGE, MAX_AHEAD, WebhookRefused, parse, verify

NOW = datetime(2026, 3, 2, 9, 53, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b'[{"email":"ada@example.org","event":"delivered"}]\r\n'
KEY = ec.generate_private_key(ec.SECP256R1())
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # FIPS 186-5, P-256


def public(key=KEY, encoding=Encoding.DER):
    data = key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    return data.decode() if encoding is Encoding.PEM else base64.b64encode(data).decode()


def signed(body=BODY, stamp=STAMP, key=KEY, hashed=None):
    data = stamp.encode() + body
    return base64.b64encode(key.sign(data, ec.ECDSA(hashed or hashes.SHA256()))).decode()


def check(*, key=None, signature=None, timestamp=STAMP, body=BODY, now=NOW):
    verify(
        key or public(),
        signature=signed() if signature is None else signature,
        timestamp=timestamp,
        body=body,
        now=now,
    )


# ── verify ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
def test_signature_of_the_key_holds_in_both_spellings_of_the_key(encoding):
    check(key=public(encoding=encoding))


def test_signature_is_over_the_bytes_whatever_they_are():
    body = b"\xff\x00 no JSON"
    check(signature=signed(body), body=body)


def refused(**values):
    with pytest.raises(WebhookRefused) as caught:
        check(**values)
    assert caught.value.message == WebhookRefused().message  # says nothing about which check
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "values",
    [
        {"body": BODY + b" "},
        {"body": BODY.replace(b"delivered", b"bounce")},
        {"body": b""},
        {"timestamp": str(int(STAMP) + 1)},
        # Signed as one, so the signature holds: only the age tells it apart.
        {"timestamp": STAMP[:-1], "body": STAMP[-1:].encode() + BODY},
        {"timestamp": STAMP + "\n"},
        {"timestamp": "٣" + STAMP[1:]},
        {"timestamp": ""},
        {"timestamp": None},
        {"timestamp": "9" * 5_000},
        {"signature": ""},
        {"signature": "no base64"},
        {"signature": "é" * 96},
        {"signature": "A" * 100_000},
        {"signature": base64.b64encode(b"0" * 64).decode()},
        {"signature": signed(key=ec.generate_private_key(ec.SECP256R1()))},
        {"signature": signed(hashed=hashes.SHA512())},
    ],
    ids=lambda values: next(iter(values)),
)
def test_altered_request_is_refused(values):
    refused(**values)


def test_request_without_a_signature_is_refused():
    with pytest.raises(WebhookRefused):
        verify(public(), signature=None, timestamp=STAMP, body=BODY, now=NOW)


def wrapped(r, s):
    return base64.b64encode(encode_dss_signature(r, s)).decode()


def test_signatures_out_of_range_or_in_another_encoding_are_refused():
    der = base64.b64decode(signed())
    r, s = decode_dss_signature(der)
    for forged in ((0, 0), (0, s), (r, 0), (1, 1), (ORDER, s), (r, ORDER), (r + ORDER, s), (s, r)):
        refused(signature=wrapped(*forged))
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")  # as JOSE writes it
    for other in (raw, der + b"\0", der[:-1], b"\x30\x81" + der[1:], b"\x30\x80" + der[2:]):
        refused(signature=base64.b64encode(other).decode())


def test_any_flipped_bit_is_refused():
    der = bytearray(base64.b64decode(signed()))
    for index in range(len(der)):
        for bit in range(8):
            der[index] ^= 1 << bit
            refused(signature=base64.b64encode(der).decode())
            der[index] ^= 1 << bit


def test_retries_of_a_day_are_taken_and_older_or_future_ones_refused():
    second = timedelta(seconds=1)
    check(now=NOW + timedelta(hours=24, minutes=30))
    check(now=NOW + MAX_AGE)
    check(now=NOW - MAX_AHEAD)
    refused(now=NOW + MAX_AGE + second)
    refused(now=NOW - MAX_AHEAD - second)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "no key",
        public(ec.generate_private_key(ec.SECP384R1())),
        public(rsa.generate_private_key(65537, 2048)),
        base64.b64encode(b"\x30\x00").decode(),
    ],
)
def test_key_that_is_no_p256_key_is_our_fault_and_said(key):
    with pytest.raises(ConfigError, match="no P-256 public key"):
        verify(key, signature=signed(), timestamp=STAMP, body=BODY, now=NOW)


# ── parse ───────────────────────────────────────────────────────────────────


def entry(**values):
    made = {
        "email": "ada@example.org",
        "timestamp": int(STAMP),
        "event": "delivered",
        "sg_event_id": "ZGVsaXZlcmVk",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "delivery": "our-token",
        **values,
    }
    return {key: value for key, value in made.items() if value is not None}


def parsed(*entries):
    return parse(json.dumps(entries).encode())


def only(**values) -> Event:
    events, others = parsed(entry(**values))
    assert others == {}
    (found,) = events
    return found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("processed", Kind.PROCESSED),
        ("delivered", Kind.DELIVERED),
        ("deferred", Kind.DEFERRED),
        ("bounce", Kind.BOUNCED),
        ("dropped", Kind.DROPPED),
        ("spamreport", Kind.COMPLAINED),
        ("unsubscribe", Kind.UNSUBSCRIBED),
        ("group_unsubscribe", Kind.UNSUBSCRIBED),
    ],
)
def test_each_type_has_its_kind(name, kind):
    found = only(event=name)
    assert (found.provider, found.kind, found.at) == ("sendgrid", kind, NOW)
    assert (found.token, found.email) == ("our-token", "ada@example.org")


@pytest.mark.parametrize(
    ("values", "permanent"),
    [
        ({"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"}, True),
        ({"type": "bounce", "status": "5.0.0", "reason": "500 unknown recipient"}, True),
        ({"type": "bounce", "bounce_classification": "Invalid Address"}, True),
        ({"type": "blocked", "status": "5.1.1", "reason": "550 5.1.1 no such user"}, False),
        ({"type": "bounce", "bounce_classification": "Reputation", "status": "5.0.0"}, False),
        ({"type": "bounce", "status": "5.2.2", "reason": "552 5.2.2 mailbox full"}, False),
        ({"type": "bounce", "status": "4.4.7", "reason": "time ran out"}, False),
        ({"type": ["bounce"], "status": 5, "reason": {}}, True),
    ],
)
def test_bounce_is_permanent_only_where_the_mailbox_is_gone(values, permanent):
    assert only(event="bounce", **values).is_permanent is permanent


def test_detail_is_the_server_s_reply_without_addresses():
    reply = "550 5.1.1 <ada@example.org>: user ada unknown"
    found = only(event="bounce", type="bounce", status="5.1.1", reason=reply)
    assert found.detail == "550 5.1.1 <…>: user … unknown"
    assert only(event="deferred", response="450 later").detail == "450 later"
    assert only(event="bounce", status="4.0.0", reason="later").detail == "4.0.0 later"


def test_message_id_names_the_delivery_where_sendgrid_is_the_relay():
    found = only(delivery=None, **{"smtp-id": "<our-token@news.example.org>"})
    assert found.token == "our-token"
    assert only(delivery=None).token is None


def test_retry_with_another_event_id_is_the_same_event_and_other_events_are_not():
    first = only()
    assert only(sg_event_id="changed", useragent="new").event_id == first.event_id
    others = [
        only(timestamp=int(STAMP) + 1),
        only(event="processed"),
        only(sg_message_id="another"),
        only(delivery="another"),
        only(delivery=None),
        only(delivery=None, email="eve@example.org"),
    ]
    assert len({item.event_id for item in others} | {first.event_id}) == 7


def test_other_types_are_counted_by_name_and_only_so_many():
    events, others = parsed(*[entry(event="click")] * 3, entry(event="open"), entry())
    assert len(events) == 1
    assert others == {"not used: click": 3, "not used: open": 1}
    names = [f"type_{'x' * number}" for number in range(1, 31)]
    _, others = parsed(*[entry(event=name) for name in names])
    assert sum(others.values()) == 30
    assert others["not used: other types"] == 10


@pytest.mark.parametrize(
    "broken",
    [
        None,
        7,
        "text",
        [],
        {},
        entry(event=None),
        entry(event=["delivered"]),
        entry(event="delivered\n"),
        entry(event="a b"),
        entry(timestamp=None),
        entry(timestamp="soon"),
        entry(timestamp=True),
        entry(timestamp=-1),
        entry(timestamp=10**30),
        entry(email=None),
        entry(email=""),
        entry(email={"a": 1}),
    ],
)
def test_malformed_entry_is_counted_and_costs_the_others_nothing(broken):
    events, others = parsed(entry(), broken, entry(event="processed"))
    assert [item.kind for item in events] == [Kind.DELIVERED, Kind.PROCESSED]
    assert others == {"malformed": 1}


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[", b"\xff", b"[" * 100_000, b"[1e999]", b'"\\ud800"']
)
def test_body_that_is_no_list_is_malformed(body):
    assert parse(body) == ([], {"malformed": 1})


KEYS = st.sampled_from(
    "email timestamp event type status reason response delivery smtp-id sg_message_id "
    "sg_event_id bounce_classification".split()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NAMES = st.sampled_from(["bounce", "delivered", "open"])


@given(st.lists(st.dictionaries(KEYS, SCALARS | NAMES | st.lists(SCALARS)) | SCALARS))
def test_any_json_is_counted_whole(entries):
    body = json.dumps(entries, ensure_ascii=True).encode("utf-8", "replace")
    events, others = parse(body)
    assert len(events) + sum(others.values()) in (len(entries), 1)


@given(st.binary())
def test_any_bytes_are_taken_without_a_crash(body):
    events, others = parse(body)
    assert events == []
    assert sum(others.values()) <= 1
