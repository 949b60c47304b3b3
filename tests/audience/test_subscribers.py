"""Subscriber files: a bad row is named and passed over, a bad file is refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.audience.subscribers import Reject, Subscriber, read_file, read_folder
from newsletter.errors import NewsletterError

ROOT = Path(__file__).parents[2]


def rows(tmp_path: Path, data: str | bytes) -> list[Subscriber | Reject]:
    path = tmp_path / "list.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(read_file(path))


def test_example_list_is_sound_and_has_names_beyond_ascii():
    found = list(read_folder(ROOT / "subscribers"))
    assert len(found) == 200
    assert all(isinstance(row, Subscriber) for row in found)
    assert sum(not row.name.isascii() for row in found if isinstance(row, Subscriber)) > 50


def test_columns_are_found_by_name_in_any_order(tmp_path):
    data = "Name,x,EMAIL\n佐藤 健,1,ken@example.org\n"
    assert rows(tmp_path, data) == [Subscriber(email="ken@example.org", name="佐藤 健")]


def test_name_column_may_be_missing(tmp_path):
    assert rows(tmp_path, "email\na@example.org\n") == [Subscriber(email="a@example.org", name="")]


def test_bad_rows_are_reported_with_their_line_and_do_not_stop_the_file(tmp_path):
    data = 'email,name\nno-address,A\n"a@example.org","x\ry"\n\n,B\ngood@example.org,C\n'
    found = rows(tmp_path, data)
    assert [type(row).__name__ for row in found] == ["Reject", "Reject", "Reject", "Subscriber"]
    assert isinstance(found[0], Reject)
    assert found[0].line == 2
    assert "no-address" in found[0].reason
    assert isinstance(found[1], Reject)
    assert "U+000D" in found[1].reason


@pytest.mark.parametrize("char", ["\n", "\r", "\0", "\x0b", "\x85", "\u2028"])
def test_name_that_could_inject_a_header_is_rejected(tmp_path, char):
    (row,) = rows(tmp_path, f'email,name\na@example.org,"x{char}Bcc: b@example.org"\n')
    assert isinstance(row, Reject)


def test_huge_field_is_rejected(tmp_path):
    (row,) = rows(tmp_path, f"email,name\na@example.org,{'x' * 10_000}\n")
    assert isinstance(row, Reject)


def test_an_address_counts_once_whatever_the_case_of_its_domain(tmp_path):
    (tmp_path / "a.csv").write_text("email,name\nA@Example.ORG,first\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("email,name\nA@example.org,second\na@example.org,other\n")
    assert list(read_folder(tmp_path)) == [
        Subscriber(email="A@example.org", name="first"),
        Subscriber(email="a@example.org", name="other"),
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no column"),
        (b"name,address\n", "no column"),
        (b"email,email\n", "no column"),
        ("email,name\na@example.org,José\n".encode("latin-1"), "not UTF-8"),
        (b'email,name\n"a@example.org\n', "not a CSV file"),
        (b"email,name\n" + b"a" * 200_000 + b",x\n", "not a CSV file"),
    ],
)
def test_bad_file_is_refused_with_its_name_and_a_reason(tmp_path, data, reason):
    with pytest.raises(NewsletterError) as caught:
        rows(tmp_path, data)
    assert "list.csv" in caught.value.message
    assert reason in caught.value.message


def test_empty_folder_says_what_to_put_there(tmp_path):
    with pytest.raises(NewsletterError) as caught:
        list(read_folder(tmp_path))
    assert "email,name" in str(caught.value.hint)
