"""The outbox: a Maildir that others can open; doing it again changes nothing."""

from __future__ import annotations

import asyncio
import mailbox
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import open_workspace
from newsletter.delivery.maildir import Maildir
from newsletter.delivery.model import Delivery, Outcome
from newsletter.delivery.transports.outbox import BATCH, Outbox, file_name, files_of, outbox_of
from newsletter.errors import StorageError
from tests.delivery.list_feed import ListFeed, a_mailing, readers
from tests.store.worlds import ROOT

MAILING = a_mailing("<p>Harbor</p>\n", "Harbor\n")
VOLUME = "vol-2-20"


def written(outbox: Outbox, deliveries: list[Delivery], mailing=MAILING) -> ListFeed:
    """Run the transport over *deliveries*; the feed holds it to its contract."""

    async def run() -> ListFeed:
        feed = ListFeed(deliveries)
        async with asyncio.timeout(30):
            await outbox.run(feed, mailing)
        return feed

    return asyncio.run(run())


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_standard_library_opens_it_and_finds_each_message_once(tmp_path):
    people = readers(2 * BATCH + 7)
    feed = written(Outbox(tmp_path / "outbox"), people)
    assert feed.places(Outcome.ACCEPTED) == {person.place for person in people}
    box = mailbox.Maildir(tmp_path / "outbox" / VOLUME, create=False)
    assert sorted(message["To"] for message in box) == sorted(
        f"{person.name} <{person.email}>" for person in people
    )


def test_file_holds_the_message_byte_for_byte(tmp_path):
    (person,) = readers(1)
    written(Outbox(tmp_path), [person])
    path = tmp_path / VOLUME / "new" / file_name(person.email)
    assert path.read_bytes() == MAILING.message(person)


def test_folders_and_files_are_for_their_owner_alone(tmp_path):
    written(Outbox(tmp_path / "outbox"), readers(1))
    paths = [tmp_path / "outbox", *(tmp_path / "outbox").rglob("*")]
    assert len(paths) == 6
    assert not any(path.stat().st_mode & 0o077 for path in paths)


def test_doing_it_again_overwrites_and_never_duplicates(tmp_path):
    outbox, people = Outbox(tmp_path), readers(3)
    written(outbox, people)
    before = files(tmp_path)
    again = written(outbox, people, a_mailing("<p>Port</p>\n", "Port\n"))
    assert len(again.places(Outcome.ACCEPTED)) == 3
    assert files(tmp_path) == before
    assert b"Port" in (tmp_path / before[0]).read_bytes()


def test_message_that_was_read_is_overwritten_where_it_lies(tmp_path):
    outbox, people = Outbox(tmp_path), readers(3)
    written(outbox, people)
    volume, name = tmp_path / VOLUME, file_name(people[1].email)
    (volume / "new" / name).rename(volume / "cur" / f"{name}:2,RS")
    before = files(tmp_path)
    written(outbox, people, a_mailing("<p>Port</p>\n", "Port\n"))
    assert files(tmp_path) == before
    assert b"Port" in (volume / "cur" / f"{name}:2,RS").read_bytes()


def test_message_that_is_read_between_two_writes_is_overwritten_where_it_lies(tmp_path):
    maildir = Maildir(tmp_path)
    for content in (b"one", b"two"):
        maildir.write("a.eml", content)
        maildir.secure()
        maildir.show("a.eml")
        if content == b"one":
            (tmp_path / "new" / "a.eml").rename(tmp_path / "cur" / "a.eml:2,S")
    maildir.confirm()
    assert files(tmp_path) == ["cur/a.eml:2,S"]
    assert (tmp_path / "cur" / "a.eml:2,S").read_bytes() == b"two"


def test_two_audiences_of_an_issue_lie_in_one_maildir(tmp_path):
    one, two = readers(2)
    written(Outbox(tmp_path), [one])
    written(Outbox(tmp_path), [two])
    assert len(mailbox.Maildir(tmp_path / VOLUME, create=False)) == 2


def test_message_that_cannot_be_made_is_refused_for_good_and_stops_nobody(tmp_path):
    people = readers(3)
    people[1].name = "Ann\r\nBcc: everyone@example.org"
    feed = written(Outbox(tmp_path), people)
    assert feed.places(Outcome.ACCEPTED) == {0, 2}
    outcome, reply = feed.ended[1]
    assert outcome is Outcome.REFUSED_FOR_GOOD
    assert "line break" in reply
    assert len(files(tmp_path)) == 2


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Writing more fails, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def failure(outbox: Outbox, people: list[Delivery]) -> tuple[StorageError, ListFeed]:
    """The error of a run that fails, and its feed, which holds nothing any more."""

    async def run() -> tuple[StorageError, ListFeed]:
        feed = ListFeed(people)
        with pytest.raises(StorageError) as caught:
            await outbox.run(feed, MAILING)
        assert not feed.held
        return caught.value, feed

    return asyncio.run(run())


def test_disk_that_fills_up_is_an_error_with_advice_and_every_delivery_comes_back(tmp_path):
    people = readers(BATCH + 5)
    people[BATCH + 2].name = "x" * 200_000
    with files_of_at_most(100_000):
        error, feed = failure(Outbox(tmp_path), people)
    assert "make room" in str(error.hint)
    assert "example.org" not in f"{error.message}{error.hint}"
    assert feed.places(Outcome.ACCEPTED) == set(range(BATCH))
    assert feed.returns == 5
    assert len(files(tmp_path)) == BATCH  # nothing half-written is left


@pytest.mark.parametrize("place", ["outbox", f"outbox/{VOLUME}", f"outbox/{VOLUME}/new"])
def test_file_where_a_folder_should_be_is_an_error_and_stays(tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    error, _ = failure(Outbox(tmp_path / "outbox"), readers(2))
    assert "outbox.folder" in str(error.hint)
    assert path.read_text() == "mine"


def test_folder_in_the_place_of_a_message_gives_the_deliveries_back(tmp_path):
    people = readers(3)
    (tmp_path / VOLUME / "new" / file_name(people[1].email)).mkdir(parents=True)
    _, feed = failure(Outbox(tmp_path), people)
    assert feed.places(Outcome.ACCEPTED) == {0}
    assert feed.returns == 2
    assert len(files(tmp_path)) == 1


def test_cancelled_run_holds_no_delivery(tmp_path):
    async def run() -> ListFeed:
        feed = ListFeed(readers(10 * BATCH))
        task = asyncio.create_task(Outbox(tmp_path).run(feed, MAILING))
        while not feed.ended:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return feed

    feed = asyncio.run(run())
    assert not feed.held
    assert 0 < len(feed.ended) < 10 * BATCH
    assert len(files(tmp_path)) == len(feed.ended)


# ── tests and alerts, names ─────────────────────────────────────────────────


def test_tests_lie_apart_and_two_different_ones_to_an_address_are_both_kept(tmp_path):
    outbox = Outbox(tmp_path)
    for message in (b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n", b"Subject: two\r\n\r\n"):
        assert asyncio.run(outbox.deliver("a@example.org", message)).outcome is Outcome.ACCEPTED
    box = mailbox.Maildir(tmp_path / "test", create=False)
    assert sorted(message["Subject"] for message in box) == ["one", "two"]


def test_probe_says_where_and_leaves_nothing(tmp_path):
    assert "nothing is sent" in asyncio.run(Outbox(tmp_path / "outbox").probe())
    assert files(tmp_path) == []


def test_probe_of_a_file_in_the_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "outbox").write_text("mine")
    with pytest.raises(StorageError, match="Not a directory"):
        asyncio.run(Outbox(tmp_path / "outbox").probe())


def test_files_of_an_address_are_found_wherever_they_lie_and_nobody_elses(tmp_path):
    config = (ROOT / "newsletter.toml").read_text(encoding="utf-8")
    (tmp_path / "newsletter.toml").write_text(
        f'{config}\n[outbox]\nfolder = "mail/out"\n', encoding="utf-8"
    )
    workspace = open_workspace(tmp_path)
    outbox = outbox_of(workspace)
    people = readers(2)
    written(outbox, people)
    asyncio.run(outbox.deliver(people[0].email, b"Subject: test\r\n\r\n"))
    new = tmp_path / "mail" / "out" / VOLUME / "new"
    name = file_name(people[0].email)
    (new / name).rename(new.parent / "cur" / f"{name}:2,S")
    found = files_of(workspace, people[0].email)
    assert [path.parent.parent.name for path in found] == ["test", VOLUME]
    assert files_of(workspace, "nobody@example.org") == []


@given(st.text(min_size=1))
def test_file_names_stay_in_the_folder(email):
    name = file_name(email)
    assert not {"/", ":"} & set(name)
    assert not name.startswith(".")
    assert len(name) < 120
    assert name.isascii()


def test_alike_addresses_get_files_of_their_own():
    assert file_name("a.b@example.org") != file_name("a/b@example.org")
