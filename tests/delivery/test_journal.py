"""The journal: what it says after a kill, after a power cut, and after somebody damaged it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.journal import BLOCKS, PLACES, Journal, Mark, boot_id, read
from newsletter.delivery.lock import SenderBusy, lock_file
from newsletter.errors import StorageError

HEADER, STRIDE = 4_096, 8_192


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal" / "7"


def left_behind(path: Path, *claims: list[int]) -> Journal:
    """A journal with these claims; a mark is set as the subscriber's id modulo 4."""
    journal = Journal.create(path, 7)
    for claim in claims:
        for place, number in zip(journal.write(claim), claim, strict=True):
            journal.cells[place] = number % 4
    return journal


def test_marks_are_read_back_after_the_process_ended(path):
    journal = left_behind(path, [4, 5, 6, 7], [2**40, 9])
    journal.close()
    record = read(path)
    assert record is not None
    assert (record.id, record.campaign_id, record.is_of_this_boot) == (journal.id, 7, True)
    assert record.marks == {
        4: Mark.CLAIMED,
        5: Mark.HANDED_OVER,
        6: Mark.ACCEPTED,
        7: Mark.REFUSED,
        2**40: Mark.CLAIMED,
        9: Mark.HANDED_OVER,
    }


def test_newest_claim_of_a_subscriber_wins_over_older_blocks(path):
    journal = Journal.create(path, 7)
    for mark in (Mark.REFUSED, Mark.REFUSED, Mark.HANDED_OVER):
        (place,) = journal.write([5])
        journal.cells[place] = mark
    journal.close()
    record = read(path)
    assert record is not None
    assert record.marks == {5: Mark.HANDED_OVER}


def test_block_is_written_again_only_after_all_its_places_are_settled(path):
    journal = Journal.create(path, 7)
    first = journal.write([1, 2])
    journal.settle(first[:1])
    assert journal.write([3])[0] != first[0]
    journal.settle(first[1:])
    assert journal.write([4, 5, 6])[0] == first[0]
    journal.close()
    record = read(path)
    assert record is not None
    assert record.marks.keys() == {3, 4, 5, 6}


def test_journal_is_full_when_every_block_has_an_open_place(path):
    journal = Journal.create(path, 7)
    places = [journal.write(range(number, number + 2)) for number in range(1, 2 * BLOCKS, 2)]
    assert journal.is_full
    journal.settle(places[17])
    assert not journal.is_full
    journal.close()


@pytest.mark.parametrize("ids", [[], range(PLACES + 1)])
def test_claim_that_fits_no_block_is_a_mistake(path, ids):
    journal = Journal.create(path, 7)
    with pytest.raises(ValueError, match="1 to 1000"):
        journal.write(ids)
    journal.close()


def test_after_a_reboot_only_accepted_counts(path):
    left_behind(path, [4, 5, 6, 7, 10]).close()
    record = read(path, boot="another run of the machine")
    assert record is not None
    assert not record.is_of_this_boot
    assert record.marks == {6: Mark.ACCEPTED, 10: Mark.ACCEPTED}


def test_machine_without_a_boot_id_counts_as_rebooted(path):
    left_behind(path, [4, 6]).close()
    record = read(path, boot="")
    assert record is not None
    assert record.marks == {6: Mark.ACCEPTED}
    assert boot_id()


def test_after_a_power_cut_old_pages_beside_a_new_head_prove_nothing_about_new_subscribers(path):
    journal = left_behind(path, [2, 6, 10])
    old = path.read_bytes()
    places = journal.write([1])
    journal.settle(places)
    journal.close()
    # The head of another claim reached the disk, its places did not.
    new = bytearray(path.read_bytes())
    for block in range(BLOCKS):
        start = HEADER + block * STRIDE + 64
        new[start : start + 8_000] = old[start : start + 8_000]
    path.write_bytes(new)
    record = read(path, boot="another run of the machine")
    assert record is not None
    assert set(record.marks) == {2, 6, 10}


def test_block_that_a_kill_tore_is_no_block(path):
    left_behind(path, [4, 5]).close()
    data = bytearray(path.read_bytes())
    start = HEADER + 64  # the first block: id of its first place
    data[start + 1] ^= 0xFF
    path.write_bytes(data)
    record = read(path)
    assert record is not None
    assert record.marks == {}


@given(size=st.integers(min_value=0, max_value=HEADER + BLOCKS * STRIDE - 1))
def test_truncated_journal_is_no_journal(size, tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "7"
    left_behind(path, [4, 5]).close()
    os.truncate(path, size)
    assert read(path) is None


@pytest.mark.parametrize("at", [0, 17, 50, 60, 95])
def test_journal_whose_title_is_damaged_is_no_journal(path, at):
    left_behind(path, [4, 5]).close()
    data = bytearray(path.read_bytes())
    data[at] ^= 0x01
    path.write_bytes(data)
    assert read(path) is None


def test_missing_journal_is_no_journal(path):
    assert read(path) is None


def test_folder_in_the_place_of_the_journal_is_an_error_that_says_so(path):
    path.mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot be read"):
        read(path)


def test_journal_on_a_full_disk_is_refused_before_anything_is_sent():
    with pytest.raises(StorageError, match="cannot be written"):
        Journal.create(Path("/dev/full/journal/7"), 7)


def test_journal_larger_than_the_disk_allows_is_refused(path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StorageError, match="cannot be written"):
            Journal.create(path, 7)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(path.parent.iterdir()) == []


def test_journal_is_locked_while_its_sender_lives(path):
    journal = Journal.create(path, 7)
    with pytest.raises(SenderBusy):
        lock_file(path)
    journal.close()
    os.close(lock_file(path))


def test_journal_is_for_its_owner_alone(path):
    Journal.create(path, 7).close()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


claims = st.lists(
    st.lists(st.integers(1, 50), min_size=1, max_size=6, unique=True), min_size=1, max_size=40
)


@given(claims=claims, data=st.data())
def test_any_run_leaves_the_last_mark_of_everybody(claims, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "7"
    journal = Journal.create(path, 7)
    expected: dict[int, Mark] = {}
    held: dict[int, int] = {}  # by subscriber: the place that is not settled
    for claim in claims:
        new = [number for number in claim if number not in held]
        if new:
            held |= dict(zip(new, journal.write(new), strict=True))
            expected |= dict.fromkeys(new, Mark.CLAIMED)
        for number in data.draw(st.lists(st.sampled_from(sorted(held)), unique=True)):
            mark = data.draw(st.sampled_from(Mark))
            journal.cells[held[number]] = mark
            expected[number] = mark
        settled = data.draw(st.lists(st.sampled_from(sorted(held)), unique=True))
        journal.settle(held.pop(number) for number in settled)
    journal.close()
    record = read(path)
    assert record is not None
    assert {number: record.marks[number] for number in held} == {
        number: expected[number] for number in held
    }
