"""`check --fix`: what it mends, what it leaves alone, and that it writes whole files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.diagnostics import Diagnostic, Edit, Severity
from newsletter.errors import StorageError
from newsletter.issue import fix
from newsletter.issue.check import check_document
from newsletter.issue.parse import parse_bytes
from newsletter.issue.source import Source
from tests.builders import FOLDER, ITEMS, check_text, context_of, valid_issue, with_bullet
from tests.strategies import mutated_issues

BULLET = ITEMS[0][1]
SPACED = with_bullet(BULLET.replace("six ", "six  "))

# What the fixable rules look at, in a place where Markdown may see something else in it.
WORDS = "\u00a0 \u200b \u00ad \" ' a 1. # - * &nbsp; \\ “ <!--c--> é ` : | > [ ](x) 5".split(" ")
STRAY = st.lists(st.sampled_from([*WORDS, " ", "  ", "\t", "\n", "\ufeff"]), max_size=14).map(
    "".join
)


def mended(text: str | bytes) -> tuple[str, int]:
    checked = check_text(text)
    return fix.apply(checked.document.source, checked.diagnostics)


def settled(text: str) -> str:
    """*text* as `newsletter check --fix` leaves it."""
    for _ in range(fix.ROUNDS):
        text, count = mended(text.encode("utf-8", "surrogatepass"))
        if not count:
            break
    return text


def diagnostic(*edits: Edit) -> Diagnostic:
    return Diagnostic(
        code="NL403",
        name="double-spaces",
        severity=Severity.WARNING,
        message="",
        path="",
        edits=edits,
    )


def test_sound_issue_is_not_touched():
    assert mended(valid_issue()) == (valid_issue(), 0)


def test_overlapping_edits_are_applied_once_and_the_first_wins():
    source = Source(Path("issue.md"), SPACED)
    at = source.text.index("  ")
    found = [diagnostic(Edit(at, at + 2, " ")), diagnostic(Edit(at + 1, at + 2, ""))]
    assert fix.apply(source, found) == (valid_issue(), 1)


def test_edit_that_would_change_a_letter_is_left_out():
    source = Source(Path("issue.md"), SPACED)
    at = source.text.index("six")
    spaces = Edit(at + 3, at + 5, " ")
    found = [diagnostic(Edit(at, at + 3, "ten")), diagnostic(spaces)]
    assert fix.apply(source, found) == (valid_issue(), 1)


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
def test_line_ends_and_mark_stay_where_they_are_not_what_is_mended(newline: str):
    data = b"\xef\xbb\xbf" + SPACED.replace("\n", newline).encode()
    checked = check_text(data)
    spaces = [d for d in checked.diagnostics if d.code == "NL403"]
    text, count = fix.apply(checked.document.source, spaces)
    assert text == "\ufeff" + valid_issue().replace("\n", newline)
    assert count == 1


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n\r\n"])
def test_line_ends_and_mark_are_mended(newline: str):
    text, count = mended(b"\xef\xbb\xbf" + valid_issue().replace("\n", newline).encode())
    assert count == 2
    assert "\r" not in text
    assert check_text(text).diagnostics == ()


@pytest.mark.parametrize("start", ["1.\u00a0", "#\u00a0", "-\u00a0", "\u200b- "])
def test_edit_that_would_make_a_list_of_a_paragraph_is_left_out(start: str):
    text = with_bullet(start + BULLET.replace("six ", "six  "))
    changed, _ = mended(text)
    assert [len(item.paragraphs) for item in check_text(changed).document.items] == [1] * 5
    assert "six  " not in changed


@given(st.one_of(mutated_issues(), STRAY.map(lambda text: with_bullet(text + BULLET + text))))
def test_mending_twice_changes_nothing_more(text: str):
    once = settled(text)
    assert mended(once.encode("utf-8", "surrogatepass"))[0] == once


@given(STRAY)
def test_mending_keeps_items_and_their_letters(stray: str):
    text = with_bullet(f"{BULLET} {stray} end")
    before, after = check_text(text).document, check_text(mended(text)[0]).document
    assert [len(item.paragraphs) for item in after.items] == [
        len(item.paragraphs) for item in before.items
    ]
    for old, new in zip(before.items, after.items, strict=True):
        assert _letters(old.bullet.text) == _letters(new.bullet.text)


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / FOLDER / "issue.md"
    path.parent.mkdir()
    path.write_text(SPACED, encoding="utf-8")
    return path


def write(path: Path) -> int:
    document = parse_bytes(path.read_bytes(), path)
    return fix.write(document, check_document(document, context_of(path.parent)).diagnostics)


def test_file_is_replaced_whole_and_keeps_its_mode(file: Path):
    file.chmod(0o640)
    assert write(file) == 1
    assert file.read_text(encoding="utf-8") == valid_issue()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["issue.md"]


def test_sound_file_is_not_written(file: Path):
    file.write_text(valid_issue(), encoding="utf-8")
    os.utime(file, (1, 1))
    assert write(file) == 0
    assert file.stat().st_mtime == 1


def test_symbolic_link_is_refused_and_named(file: Path):
    real = file.with_name("real.md")
    file.rename(real)
    file.symlink_to(real)
    with pytest.raises(StorageError, match="symbolic link"):
        write(file)
    assert real.read_text(encoding="utf-8") == SPACED


def test_read_only_file_is_refused_and_left_alone(file: Path):
    file.chmod(0o444)
    with pytest.raises(StorageError, match=r"read-only; nothing was changed"):
        write(file)
    assert file.read_text(encoding="utf-8") == SPACED


def test_file_that_vanished_is_a_storage_error(file: Path):
    document = parse_bytes(file.read_bytes(), file)
    found = check_document(document, context_of(file.parent)).diagnostics
    file.unlink()
    with pytest.raises(StorageError, match="cannot be written"):
        fix.write(document, found)
    assert list(file.parent.iterdir()) == []
