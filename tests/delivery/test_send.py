"""Sending: one message per subscriber, with links of their own; one bad row stops nobody else."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.audience.links import UNSUBSCRIBE, Links
from newsletter.audience.model import Status, Subscriber
from newsletter.audience.tokens import Tokens
from newsletter.compose.message import Headers, MessageTemplate
from newsletter.compose.slots import Slot
from newsletter.delivery.send import Summary, send
from newsletter.delivery.transports.outbox import Outbox

NOW = datetime(2024, 3, 5, 9, 53, tzinfo=UTC)
TOKENS = Tokens([b"k" * 32])
HEADERS = Headers(
    from_name="Harbor Digest",
    from_email="digest@news.example.org",
    reply_to=None,
    subject="Harbor Digest Vol 3.4",
    date=NOW,
    list_name="Harbor Digest",
    list_id="newsletter.news.example.org",
    archive_url="https://digest.example.org/",
    help_email="digest@example.org",
    feedback_id="vol-3-4:edition:newsletter:newsexampleorg",
    language="en",
)
BODY = "".join(f"<p>{slot.marker}</p>\n" for slot in Slot)


def person(number: int, email: str, name: str = "") -> Subscriber:
    return Subscriber(
        id=number,
        email=email,
        name=name,
        language="",
        timezone="",
        format="html",
        status=Status.ACTIVE,
        tags=(),
        source="",
        created_at=NOW,
        updated_at=NOW,
    )


def sent(folder: Path, *people: Subscriber, edition: str = "3.4") -> Summary:
    return send(
        MessageTemplate(HEADERS, BODY, BODY),
        people,
        Links(site_url="https://digest.example.org", tokens=TOKENS),
        Outbox(folder),
        edition=edition,
        web_url="https://digest.example.org/vol-3-04/",
    )


def messages(folder: Path) -> dict[str, object]:
    found = [
        message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.iterdir()
    ]
    return {str(message["To"].addresses[0].addr_spec): message for message in found}


def test_unsubscribe_link_names_the_subscriber_and_only_for_that_purpose(tmp_path):
    assert sent(tmp_path, person(7, "a@example.org"), person(300, "b@example.org")).accepted == 2
    for email, number in (("a@example.org", 7), ("b@example.org", 300)):
        header = messages(tmp_path)[email]["List-Unsubscribe"]  # type: ignore[index]
        token = header.partition(">")[0].rpartition("/")[2]
        assert TOKENS.verify(UNSUBSCRIBE, token) == number
        assert TOKENS.verify("preferences", token) is None


def test_message_ids_differ_by_reader_and_edition_and_stay_the_same_when_sent_again(tmp_path):
    people = (person(1, "a@example.org"), person(2, "b@example.org"))

    def ids(folder: str, edition: str) -> list[str]:
        sent(tmp_path / folder, *people, edition=edition)
        found = messages(tmp_path / folder)
        return [str(found[p.email]["Message-ID"]) for p in people]  # type: ignore[index]

    first, again, other = ids("one", "3.4"), ids("two", "3.4"), ids("three", "3.5")
    assert first == again
    assert len({*first, *other}) == 4


@pytest.mark.parametrize(
    "bad",
    [
        person(2, "b@example.org", "Ann\r\nBcc: everyone@example.org"),
        person(2, "jürgen@example.org"),
    ],
)
def test_subscriber_who_cannot_be_mailed_is_reported_by_id_and_stops_nobody(tmp_path, bad):
    done: list[int] = []
    summary = send(
        MessageTemplate(HEADERS, BODY, BODY),
        [person(1, "a@example.org"), bad, person(3, "c@example.org")],
        Links(site_url="https://digest.example.org", tokens=TOKENS),
        Outbox(tmp_path),
        edition="3.4",
        web_url="https://digest.example.org/vol-3-04/",
        on_progress=done.append,
    )
    assert summary.accepted == 2
    assert done == [1, 2, 3]
    (reason,) = summary.rejected
    assert reason.startswith("subscriber 2: ")
    assert bad.email not in reason
    assert sorted(messages(tmp_path)) == ["a@example.org", "c@example.org"]
