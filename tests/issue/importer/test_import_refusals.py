"""What cannot be imported is said in one line, never by a traceback; nothing is half-written."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import import_samples as samples
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import ContentError, StorageError, UsageError
from newsletter.issue.importer import Imported, import_file, write_import

DAY = date(2024, 4, 16)


def read(path: Path, content: str | bytes) -> Imported:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_file(path, published=DAY)


def zipped(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return buffer.getvalue()


UNREADABLE = {
    "empty": ("page.txt", b"", "is empty"),
    "blank": ("page.txt", b" \n\t\n", "is empty"),
    "only a byte-order mark": ("page.txt", b"\xef\xbb\xbf", "is empty"),
    "binary": ("page.txt", bytes(range(256)) * 20, "not text"),
    "NUL in text": ("page.txt", b"Vol 3.7\n\x00\n", "U+0000"),
    "PDF": ("page.pdf", b"%PDF-1.7 ...", "a PDF"),
    "JPEG": ("page.jpg", samples.picture_bytes(), "a JPEG"),
    "damaged UTF-16": ("page.txt", "Vol 3.7".encode("utf-16") + b"x", "damaged"),
    "20 MB of text": ("page.txt", b"a " * 10_000_000, "more than 5 MB"),
    "page of a million tags": ("page.html", b"<html>" + b"<p>" * 200_000, "150,000 tags"),
    "page of too many breaks": ("page.html", b"<html><p>" + b"a<br>" * 9_000, "5,000 lines"),
    "text of too many lines": ("page.txt", b"a line\n" * 9_000, "5,000 lines"),
    "draft of a whole book": ("draft.md", b"- a line\n" * 30_000, "200,000 characters"),
    "old or locked Word": ("draft.docx", b"\xd0\xcf\x11\xe0" + b"x" * 600, "password"),
    "docx that is no zip": ("draft.docx", b"hello", "not a zip"),
    "truncated docx": ("draft.docx", b"PK\x03\x04" + b"x" * 50, "not a zip"),
    "other zip": ("draft.docx", zipped({"a.txt": b"x"}), "no Word file"),
    "zip bomb": (
        "draft.docx",
        zipped({"word/document.xml": b" " * 30_000_000, "a.xml": b"x"}),
        "too much",
    ),
    "damaged Word": ("draft.docx", zipped({"word/document.xml": b"<w:docum"}), "damaged"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_source_is_one_error_that_says_why(tmp_path: Path, case: str) -> None:
    name, data, words = UNREADABLE[case]
    imported = read(tmp_path / name, data)
    assert [d.code for d in imported.diagnostics] == ["NL901"]
    assert words in imported.diagnostics[0].message
    assert imported.diagnostics[0].hint
    assert not imported.writable


def test_missing_source_and_folder_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        import_file(tmp_path / "no.txt")
    with pytest.raises(UsageError, match="is a folder"):
        import_file(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        import_file(Path("a\0b"))


def test_scripts_and_hidden_text_of_a_page_are_never_taken(tmp_path: Path) -> None:
    page = samples.html_page(samples.html_lists())
    page = page.replace("<ul>", '<script>document.write("<li>evil</li>")</script><ul>', 3)
    page = page.replace("</ul>", '<li style="display:none">hidden</li></ul>')
    imported = read(tmp_path / "page.html", page)
    assert imported.issue_file is not None
    assert b"evil" not in imported.issue_file
    assert b"hidden" not in imported.issue_file
    assert imported.issue is not None
    assert len(imported.issue.items) == 5


@pytest.mark.parametrize(
    "page",
    ["<div>" * 30_000, "<ul><li>" * 5_000, "<b>" * 20_000 + "x", "<html>", "<!doctype html>"],
)
def test_odd_html_gives_errors_and_no_traceback(tmp_path: Path, page: str) -> None:
    imported = read(tmp_path / "page.html", page)
    assert imported.issue is None
    assert {"NL903", "NL906"} <= {d.code for d in imported.diagnostics}


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    "<li>",
                    "</li>",
                    "<p>",
                    "• ",
                    "- ",
                    "# ",
                    "---\n",
                    "Vol 3.7",
                    "a b c d",
                    "\n",
                    "<br>",
                    "<a href='[",
                    "](",
                    "&amp;",
                    "![x](y)",
                    "<!--",
                    "Oct 39",
                    "é",
                    "\u2028",
                ]
            ),
            max_size=60,
        ).map(lambda parts: "".join(parts).encode()),
    ),
    suffix=st.sampled_from([".txt", ".html", ".md", ".docx", ""]),
)
def test_no_content_whatever_makes_the_importer_raise(
    tmp_path: Path, content: bytes, suffix: str
) -> None:
    imported = read(tmp_path / f"source{suffix}", content)
    assert imported.writable or imported.diagnostics


# ── writing ─────────────────────────────────────────────────────────────────


@pytest.fixture
def imported(tmp_path: Path) -> Imported:
    (tmp_path / "ferry.png").write_bytes(samples.picture_bytes("PNG"))
    title = f"# {samples.TITLE}\n\n![Ferries](ferry.png)\nImage Source: Harbor Press\n\n"
    return read(tmp_path / "draft.md", samples.two_lists_draft(title=title))


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_folder_is_written_whole_under_its_number(imported: Imported, tmp_path: Path) -> None:
    into = tmp_path / "new" / "issues"
    assert write_import(imported, into) == into / "vol-3-07"
    assert tree(into) == {"vol-3-07", "vol-3-07/issue.md", "vol-3-07/hero.png"}
    assert (into / "vol-3-07" / "issue.md").read_bytes() == imported.issue_file


def test_existing_folder_is_refused_without_force(imported: Imported, tmp_path: Path) -> None:
    folder = tmp_path / "issues" / "vol-3-07"
    folder.mkdir(parents=True)
    with pytest.raises(UsageError, match="exists already"):
        write_import(imported, tmp_path / "issues")
    assert tree(folder) == set()


def test_force_replaces_the_issue_and_keeps_other_files(imported: Imported, tmp_path: Path) -> None:
    folder = tmp_path / "issues" / "vol-3-07"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text("old")
    (folder / "notes.txt").write_text("mine")
    write_import(imported, tmp_path / "issues", force=True)
    assert tree(tmp_path / "issues") == {
        "vol-3-07", "vol-3-07/issue.md", "vol-3-07/hero.png", "vol-3-07/notes.txt"
    }  # fmt: skip
    assert (folder / "issue.md").read_bytes() == imported.issue_file


def test_force_does_not_write_through_a_symbolic_link(imported: Imported, tmp_path: Path) -> None:
    folder = tmp_path / "issues" / "vol-3-07"
    folder.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere.md"
    elsewhere.write_text("precious")
    (folder / "issue.md").symlink_to(elsewhere)
    write_import(imported, tmp_path / "issues", force=True)
    assert elsewhere.read_text() == "precious"
    assert not (folder / "issue.md").is_symlink()


def test_folder_that_is_a_link_is_refused_even_with_force(
    imported: Imported, tmp_path: Path
) -> None:
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / "vol-3-07").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="no folder"):
        write_import(imported, tmp_path / "issues", force=True)


def test_failure_in_the_middle_leaves_nothing_behind(imported: Imported, tmp_path: Path) -> None:
    into = tmp_path / "issues"
    into.mkdir()
    too_long = Imported(
        source=imported.source,
        diagnostics=(),
        number=imported.number,
        issue_file=imported.issue_file,
        hero=("h" * 300 + ".png", b"x"),
    )
    with pytest.raises(StorageError, match="cannot be written"):
        write_import(too_long, into)
    assert tree(into) == set()


def test_target_below_a_file_is_a_storage_error(imported: Imported, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written"):
        write_import(imported, blocked / "issues")


def test_import_with_errors_is_never_written(tmp_path: Path) -> None:
    faulty = read(tmp_path / "page.txt", samples.text_page(title="No number here"))
    with pytest.raises(ContentError, match="which issue it is"):
        write_import(faulty, tmp_path / "issues")
    assert not (tmp_path / "issues").exists()
