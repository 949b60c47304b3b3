"""The outbox: one whole file per message, doing it again changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.transports.outbox import Outbox, file_name
from newsletter.errors import StorageError


def test_delivering_twice_overwrites_and_never_duplicates(tmp_path):
    outbox = Outbox(tmp_path / "outbox" / "vol-2-24")
    outbox.open()
    first = outbox.deliver("a@example.org", b"one\r\n")
    second = outbox.deliver("a@example.org", b"two\r\n")
    assert first == second
    assert second.read_bytes() == b"two\r\n"
    assert list(outbox.folder.iterdir()) == [first]


@given(st.text(min_size=1))
def test_file_names_stay_in_the_folder(email):
    name = file_name(email)
    assert "/" not in name
    assert not name.startswith(".")
    assert len(name) < 120
    assert name.isascii()


def test_alike_addresses_get_files_of_their_own():
    assert file_name("a.b@example.org") != file_name("a/b@example.org")


def test_a_file_where_the_folder_should_be_is_an_error_with_advice(tmp_path):
    (tmp_path / "outbox").write_text("mine")
    with pytest.raises(StorageError) as caught:
        Outbox(tmp_path / "outbox").open()
    assert "--to" in str(caught.value.hint)
    assert (tmp_path / "outbox").read_text() == "mine"
