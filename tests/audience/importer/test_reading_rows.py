"""Rows come out of any CSV file; what is no CSV file is refused before anything is written."""

from __future__ import annotations

import gzip
import io
import os
import zipfile

import pytest

from newsletter.audience.importer.reading import MAX_LINE, Broken, Rows, look_through
from newsletter.errors import UsageError
from tests.audience.importer.csv_files import written


def read(path):
    nature = look_through(path)
    with Rows(path, nature) as rows:
        return nature, rows.header, list(rows)


TEXT = "email;name\nada@example.org;José Núñez\nzoe@example.org;Zoë “Z” Ørsted\n"


@pytest.mark.parametrize(
    ("encoding", "has_mark"),
    [
        ("utf-8", False),
        ("utf-8-sig", False),
        ("utf-16", False),
        ("utf-16-le", False),
        ("utf-16-be", False),
        ("utf-16-be", True),
        ("utf-32", False),
    ],
)
def test_unicode_files_are_read_without_a_warning(tmp_path, encoding, has_mark):
    data = (("\ufeff" if has_mark else "") + TEXT).encode(encoding)
    nature, header, rows = read(written(tmp_path, data))
    assert header == ["email", "name"]
    assert [row[1] for row in rows] == ["José Núñez", "Zoë “Z” Ørsted"]
    assert nature.warnings == ()


def test_windows_1252_is_read_with_a_warning_that_names_the_line(tmp_path):
    nature, _, rows = read(written(tmp_path, TEXT.encode("cp1252")))
    assert [row[1] for row in rows] == ["José Núñez", "Zoë “Z” Ørsted"]
    (warning,) = nature.warnings
    assert "line 2" in warning
    assert "Windows-1252" in warning


def test_wrong_byte_at_the_end_of_a_long_file_is_found_before_the_first_row(tmp_path):
    data = b"email,name\n" + b"ada@example.org,Ada\n" * 100_000 + b"zoe@example.org,Zo\xeb\n"
    nature, _, rows = read(written(tmp_path, data))
    assert nature.encoding == "cp1252"
    assert rows[-1] == ["zoe@example.org", "Zoë"]
    assert "line 100,002" in nature.warnings[0]


def test_utf_8_with_a_few_damaged_bytes_stays_utf_8(tmp_path):
    data = "email,name\na@example.org,José\nb@example.org,Zoë\n".encode() + b"c@example.org,\xff\n"
    nature, _, rows = read(written(tmp_path, data))
    assert nature.encoding == "utf-8"
    assert nature.has_bad_bytes
    assert rows[0][1] == "José"
    assert "line 4" in nature.warnings[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_found_in_the_header(tmp_path, delimiter):
    text = f'email{delimiter}"name, or; what"\na@example.org{delimiter}Ada\n'
    _, header, rows = read(written(tmp_path, text))
    assert header == ["email", "name, or; what"]
    assert rows == [["a@example.org", "Ada"]]


def test_excels_own_line_about_the_delimiter_is_followed(tmp_path):
    _, header, rows = read(written(tmp_path, "sep=|\r\nemail|name\r\na@example.org|Ada\r\n"))
    assert header == ["email", "name"]
    assert [(row.line, row[0]) for row in rows] == [(3, "a@example.org")]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system_and_empty_ones_are_passed_over(tmp_path, ending):
    text = ending.join(["", "email", "a@example.org", "", "b@example.org"])
    _, _, rows = read(written(tmp_path, text))
    assert [row[0] for row in rows] == ["a@example.org", "b@example.org"]
    assert rows[1].line == 5


def test_line_breaks_inside_quotes_belong_to_the_field(tmp_path):
    text = 'email,attributes\na@example.org,"{\n ""city"": ""Bergen""\n}"\nb@example.org,\n'
    _, _, rows = read(written(tmp_path, text))
    assert rows[0][1] == '{\n "city": "Bergen"\n}'
    assert [row.line for row in rows] == [2, 5]


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n \n", "is empty"),
        (zipped(), "Excel workbook"),
        (gzip.compress(b"email\n"), "compressed"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 99, "is not text"),
        (b"email\n" + bytes(range(256)) * 20, "is not text"),
        (b"\xff\xfee\0m\0a\0i\0l\0\n\0\x00\xd8\x00\xd8", "damaged"),
    ],
    # Archives hold the time they were made: workers would name these tests differently.
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_what_is_no_text_is_refused(tmp_path, data, message):
    with pytest.raises(UsageError, match=message):
        read(written(tmp_path, data))


def test_folder_pipe_and_missing_file_are_refused(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        look_through(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UsageError, match="a pipe"):
        look_through(tmp_path / "pipe.csv")
    with pytest.raises(UsageError, match="there is no file"):
        look_through(tmp_path / "gone.csv")


@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_first_line_that_never_ends_is_refused(tmp_path, size):
    with pytest.raises(UsageError, match="does not end"):
        read(written(tmp_path, b"a" * size))


def test_long_line_is_one_broken_record_and_the_next_is_read(tmp_path):
    text = f"email\na@example.org\n{'b' * (5 * MAX_LINE)}\nc@example.org\n"
    _, _, rows = read(written(tmp_path, text))
    first, broken, last = rows
    assert isinstance(broken, Broken)
    assert (broken.line, len(broken.text)) == (3, 1_000)
    assert "more than 65,536 characters" in broken.reason
    assert (first[0], last[0], last.line) == ("a@example.org", "c@example.org", 4)


def test_long_line_inside_quotes_costs_only_itself_and_the_open_quote(tmp_path):
    text = f'email\n"a@example.org\n{"b" * (2 * MAX_LINE)}\nc@example.org\n'
    _, _, rows = read(written(tmp_path, text))
    assert [(row.line, isinstance(row, Broken)) for row in rows] == [
        (2, True),
        (3, True),
        (4, False),
    ]


def test_quote_that_never_closes_costs_only_its_own_line(tmp_path):
    people = "".join(f"p{index}@example.org,Ann\n" for index in range(300))
    text = f'email,name\nx@example.org,"Ann\n{people}y@example.org,"Bob\n'
    _, _, rows = read(written(tmp_path, text))
    assert [row.line for row in rows if isinstance(row, Broken)] == [2, 303]
    assert len(rows) == 302


def test_thousands_of_columns_are_refused(tmp_path):
    with pytest.raises(UsageError, match="2,000 columns"):
        read(written(tmp_path, ",".join(f"c{number}" for number in range(2_000))))
