"""Every link in every mail, on the site that is served: it answers, and asking changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.client import HTTPConnection
from itertools import cycle, islice
from urllib.parse import urldefrag, urlencode
from urllib.request import Request, urlopen

import pytest
import sqlalchemy as sa

from newsletter.audience import subscribers
from newsletter.audience.model import Status
from newsletter.store.engine import open_store
from newsletter.store.tables import metadata, view
from tests.web.newsletters import Newsletter, address, addresses, laid_out, messages
from tests.web.places import reader
from tests.web.serving import PATIENCE

READERS = [f"reader{number}@example.org" for number in range(20)]
ASKED, CONFIRMED = "asked@example.org", "confirmed@example.org"
ISSUE = "vol-2-24"


@dataclass(frozen=True)
class Mailed:
    """A newsletter that was sent, while it is served, and all the mail that left."""

    newsletter: Newsletter
    issues: list[EmailMessage]
    notices: list[EmailMessage]
    links: list[str] = field(default_factory=list)  # each once

    def ask(self, method: str, link: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.newsletter.port, timeout=PATIENCE)
        try:
            return asked(connection, method, link)
        finally:
            connection.close()

    def status(self, email: str) -> Status:
        with self.newsletter.changing() as conn:
            person = subscribers.find_exactly(conn, email)
        assert person is not None
        return person.status

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """All that the database holds, but for the views that are counted."""
        with open_store(self.newsletter.workspace) as store, store.read() as conn:
            return {
                table.name: sorted((tuple(row) for row in conn.execute(sa.select(table))), key=repr)
                for table in metadata.sorted_tables
                if table is not view
            }


@pytest.fixture(scope="module")
def mailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailed]:
    newsletter = laid_out(tmp_path_factory.mktemp("mailed") / "newsletter")
    for email in READERS:
        reader(newsletter, email)
    newsletter.run("send", "2.24", "--yes")
    with newsletter.served():
        for email in (ASKED, CONFIRMED, READERS[0]):
            press(f"{newsletter.url}/subscribe/", email=email)
        newsletter.mail(ASKED, "Please confirm")
        newsletter.mail(READERS[0], "")
        press(address(newsletter.mail(CONFIRMED, "Please confirm"), "/confirm/"))
        newsletter.mail(CONFIRMED, "Welcome")
        made = Mailed(newsletter, messages(newsletter.root / "outbox" / ISSUE), newsletter.sent())
        made.links.extend(links_of(newsletter, [*made.issues, *made.notices]))
        yield made


def press(link: str, **fields: str) -> None:
    with urlopen(Request(link, urlencode(fields).encode()), timeout=PATIENCE) as answer:
        assert answer.status == 200


def asked(connection: HTTPConnection, method: str, link: str) -> tuple[int, bytes]:
    connection.request(method, urldefrag(link).url, headers={"User-Agent": "Mozilla/5.0"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def links_of(newsletter: Newsletter, mails: list[EmailMessage]) -> list[str]:
    """What leads to the site, from the bodies and the headers; sources elsewhere are left out."""
    found = []
    for mail in mails:
        found += addresses(mail, "html") + addresses(mail, "plain")
        for name in ("List-Unsubscribe", "List-Archive"):
            found += [part.strip(" <>") for part in str(mail[name] or "").split(",")]
    return list(dict.fromkeys(link for link in found if link.startswith(newsletter.url)))


def test_each_mail_has_the_links_that_a_reader_needs(mailed: Mailed):
    assert {mail["To"].addresses[0].addr_spec for mail in mailed.issues} == set(READERS)
    assert len(mailed.issues) == len(READERS)
    for mail in mailed.issues:
        for kind in ("html", "plain"):
            links = " ".join(addresses(mail, kind))
            for path in ("/unsubscribe/", "/preferences/", f"/{ISSUE}/", "/privacy/"):
                assert mailed.newsletter.url + path in links, (kind, path)
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    personal = [link for link in mailed.links if "/unsubscribe/" in link]
    assert len(personal) == len(READERS) + 1  # and the welcome


def test_every_link_in_every_mail_answers(mailed: Mailed):
    for link in mailed.links:
        status, body = mailed.ask("GET", link)
        assert status == 200, link
        assert body, link
        status, body = mailed.ask("HEAD", link)
        assert (status, body) == (200, b""), link


def test_places_within_pages_that_mails_lead_to_are_there(mailed: Mailed):
    places = [link for link in mailed.links if "#" in link]
    for link in places:
        page, place = urldefrag(link)
        assert f'id="{place}"'.encode() in mailed.ask("GET", page)[1], link


def test_a_thousand_looks_at_all_links_change_nothing(mailed: Mailed):
    before = mailed.tables()
    connection = HTTPConnection("127.0.0.1", mailed.newsletter.port, timeout=PATIENCE)
    for method in ("GET", "HEAD"):
        for link in islice(cycle(mailed.links), 1_000):
            assert asked(connection, method, link)[0] == 200
    connection.close()
    assert mailed.tables() == before
    assert len(before["subscriber"]) == len(READERS) + 2
    assert len(before["delivery"]) == len(READERS)
    assert mailed.status(ASKED) is Status.PENDING


def test_a_scanner_that_looks_with_odd_methods_and_queries_changes_nothing(mailed: Mailed):
    before = mailed.tables()
    for link in mailed.links[:30]:
        for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
            assert mailed.ask(method, link)[0] in (404, 405), (method, link)
        page = urldefrag(link).url
        assert mailed.ask("GET", f"{page}?List-Unsubscribe=One-Click&sure=yes")[0] == 200
    assert mailed.tables() == before


def test_one_click_unsubscribes_without_cookies_and_only_whose_mail_it_was(mailed: Mailed):
    mail = next(m for m in mailed.issues if m["To"].addresses[0].addr_spec == READERS[7])
    link = str(mail["List-Unsubscribe"]).split(",")[0].strip(" <>")
    request = Request(link, b"List-Unsubscribe=One-Click")
    with urlopen(request, timeout=PATIENCE) as answer:
        assert (answer.status, answer.url) == (200, link)  # RFC 8058 §3.1: no redirect
        assert answer.headers["Set-Cookie"] is None
    assert mailed.status(READERS[7]) is Status.UNSUBSCRIBED
    assert all(mailed.status(email) is Status.ACTIVE for email in READERS if email != READERS[7])
    for again in links_of(mailed.newsletter, [mail]):
        assert mailed.ask("GET", again)[0] == 200, again


def test_what_was_mailed_stands_in_the_archive_as_it_was_mailed(mailed: Mailed):
    picture = next(link for link in addresses(mailed.issues[0], "html") if link.endswith(".jpg"))
    assert mailed.ask("GET", picture)[1].startswith(b"\xff\xd8\xff")
    pdf = next(link for link in mailed.links if link.endswith(".pdf"))
    assert mailed.ask("GET", pdf)[1].startswith(b"%PDF-")
