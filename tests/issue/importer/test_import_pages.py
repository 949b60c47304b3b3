"""Published pages, as text and as HTML, come out letter for letter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import import_samples as samples
import pytest

from newsletter.diagnostics import Severity
from newsletter.issue.check import build
from newsletter.issue.importer import Imported, import_file
from newsletter.issue.number import IssueNumber
from newsletter.issue.parse import parse_bytes
from newsletter.issue.prose import Run

EDITIONS = Path(__file__).parents[3] / "../shared/editions"
DAY = date(2024, 4, 16)

Import = Callable[..., Imported]


@pytest.fixture
def read(tmp_path: Path) -> Import:
    def read(content: str | bytes, name: str, **options: object) -> Imported:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        options = {"published": DAY, **options}
        return import_file(path, **options)  # type: ignore[arg-type]

    return read


def codes(imported: Imported) -> list[str]:
    return [diagnostic.code for diagnostic in imported.diagnostics]


def pairs(imported: Imported) -> list[tuple[str, str]]:
    assert imported.issue is not None, imported.diagnostics
    return [(item.headline.text, item.bullet.text) for item in imported.issue.items]


def test_text_page_gives_the_items_letter_for_letter_and_no_furniture(read: Import) -> None:
    imported = read(samples.text_page(), "page.txt")
    assert pairs(imported) == list(samples.PAIRS)
    assert imported.number == IssueNumber(3, 7)
    assert codes(imported) == ["NL908"]


def test_issue_file_that_was_imported_reads_back_as_the_same_issue(read: Import) -> None:
    imported = read(samples.text_page(), "page.txt")
    assert imported.issue_file is not None
    assert build(parse_bytes(imported.issue_file, Path("issue.md"))) == imported.issue
    assert b"Download" not in imported.issue_file
    assert b"2031" not in imported.issue_file


def test_credit_without_picture_stays_as_a_remark(read: Import) -> None:
    imported = read(samples.text_page(), "page.txt")
    assert imported.issue is not None
    assert imported.issue.hero is None
    assert b"<!-- Image Source: Harbor Press -->" in (imported.issue_file or b"")
    assert "Harbor Press" in imported.diagnostics[0].message


@pytest.mark.parametrize("sign", ["• ", "\u00a0\u00a0•\u00a0", "- ", "* ", "· ", "•"])
def test_every_usual_bullet_sign_is_taken_off(read: Import, sign: str) -> None:
    assert pairs(read(samples.text_page(sign=sign), "page.txt")) == list(samples.PAIRS)


def test_lines_wrapped_in_the_middle_of_an_entry_are_joined(read: Import) -> None:
    wrapped = [(head, body.replace(". ", ".\n    ", 1)) for head, body in samples.PAIRS]
    imported = read(samples.text_page(pairs=tuple(wrapped)), "page.txt")
    assert pairs(imported) == list(samples.PAIRS)


def test_blank_lines_between_all_entries_change_nothing(read: Import) -> None:
    page = samples.text_page().replace("\n  •", "\n\n  •")
    assert pairs(read(page, "page.txt")) == list(samples.PAIRS)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_are_followed_without_a_word(read: Import, encoding: str) -> None:
    imported = read(samples.text_page(credit=None).encode(encoding), "page.txt")
    assert pairs(imported) == list(samples.PAIRS)
    assert codes(imported) == []


def test_windows_1252_is_read_and_said(read: Import) -> None:
    page = samples.text_page(credit=None).replace("東京 ", "").encode("cp1252")
    imported = read(page.replace(b"\n", b"\r\n"), "page.txt")
    assert pairs(imported)[0] == samples.PAIRS[0]
    assert codes(imported) == ["NL902"]
    assert imported.diagnostics[0].column == 3
    assert imported.diagnostics[0].source_line == f"  • {samples.HEADLINES[0]}"


def test_text_that_is_no_item_is_named_with_its_place(read: Import) -> None:
    page = samples.text_page(extra="\nThe editors thank their readers for many letters.\n")
    found = [d for d in read(page, "page.txt").diagnostics if d.code == "NL909"]
    assert len(found) == 1
    assert "The editors thank" in found[0].message
    assert page.split("\n")[found[0].line - 1].startswith("The editors thank")


@pytest.mark.parametrize(
    "headline",
    [
        "Next Quad summit set for Tokyo in May",
        "Share of Japanese public that backs alliance rises",
        "Privacy policy rules align in both countries",
        "Digital agency moves its web site design in house by July",
        "Previous envoy returns to Washington",
    ],
)
def test_headlines_that_resemble_menus_are_kept(read: Import, headline: str) -> None:
    changed = ((headline, samples.BULLETS[0]), *samples.PAIRS[1:])
    assert pairs(read(samples.text_page(pairs=changed), "page.txt")) == list(changed)


# ── HTML ────────────────────────────────────────────────────────────────────

FORMS = {
    "lists": samples.html_lists,
    "lists with signs": lambda: samples.html_lists("• "),
    "paragraphs with signs": samples.html_signs,
    "line breaks": samples.html_breaks,
    "strong headlines": samples.html_strong,
    "headings by turns": samples.html_by_turns,
    "list by turns": samples.html_list_by_turns,
}


@pytest.mark.parametrize("form", FORMS)
def test_html_gives_the_items_letter_for_letter(read: Import, form: str) -> None:
    imported = read(samples.html_page(FORMS[form]()), "page.html")
    assert pairs(imported) == list(samples.PAIRS)
    assert imported.number == IssueNumber(3, 7)
    assert not [d for d in imported.diagnostics if d.code == "NL909"]


def test_html_on_one_line_is_read_the_same(read: Import) -> None:
    page = " ".join(samples.html_page(samples.html_lists()).split("\n"))
    assert pairs(read(page, "page.html")) == list(samples.PAIRS)


def test_html_is_recognized_without_its_suffix(read: Import) -> None:
    page = samples.html_page(samples.html_lists())
    assert pairs(read(page, "saved")) == list(samples.PAIRS)


def test_html_keeps_emphasis_and_links_and_drops_dead_links(read: Import) -> None:
    page = samples.html_page(samples.html_lists())
    page = page.replace("a recycling plant", 'a <a href="https://example.org/a b">plant</a>')
    page = page.replace("Some 400 residents", 'Some <em>400</em> <a href="#top">residents</a>')
    imported = read(page, "page.html")
    assert imported.issue is not None
    assert Run("plant", href="https://example.org/a%20b") in imported.issue.items[2].bullet.runs
    assert Run("400", emphasis=True) in imported.issue.items[1].bullet.runs
    dropped = [d for d in imported.diagnostics if d.code == "NL910"]
    assert len(dropped) == 2  # the second is the hidden address of the standard text
    assert "residents" in dropped[0].message


def test_picture_on_the_web_is_named_and_not_fetched(read: Import) -> None:
    figure = (
        '<figure><img src="https://example.org/up/photo.jpg" alt="Ferries">'
        "<figcaption>Image Source: Harbor Press</figcaption></figure>"
    )
    imported = read(samples.html_page(samples.html_lists(), picture=figure), "page.html")
    assert imported.hero is None
    messages = [d.message for d in imported.diagnostics if d.code == "NL908"]
    assert "https://example.org/up/photo.jpg" in messages[0]
    assert "Image Source: Harbor Press" in messages[1]


def test_picture_beside_the_page_becomes_the_hero(read: Import, tmp_path: Path) -> None:
    (tmp_path / "page_files").mkdir()
    (tmp_path / "page_files" / "a photo.jpg").write_bytes(samples.picture_bytes())
    figure = (
        '<figure><img src="page_files/a%20photo.jpg" alt="Two ferries"/>'
        '<figcaption class="wp-caption-text">Image Source: Harbor Press</figcaption></figure>'
    )
    imported = read(samples.html_page(samples.html_lists(), picture=figure), "page.html")
    assert imported.hero == ("hero.jpg", samples.picture_bytes())
    assert imported.issue is not None
    assert imported.issue.hero is not None
    assert imported.issue.hero.alt == "Two ferries"
    assert imported.issue.hero.credit.text == "Harbor Press"
    assert not [d for d in imported.diagnostics if d.code == "NL908"]


@pytest.mark.parametrize("address", ["../secret.jpg", "/etc/hostname", "file:///etc/hostname"])
def test_picture_outside_of_the_page_folder_is_left_out(read: Import, address: str) -> None:
    figure = f'<p><img src="{address}" alt="x"></p>'
    imported = read(samples.html_page(samples.html_lists(), picture=figure), "page.html")
    assert imported.hero is None
    assert "NL908" in codes(imported)


# ── number and date ─────────────────────────────────────────────────────────


def test_no_date_and_no_first_year_is_an_error_and_nothing_is_written(read: Import) -> None:
    imported = read(samples.text_page(), "page.txt", published=None)
    assert "NL904" in codes(imported)
    assert not imported.writable


def test_date_is_inferred_from_the_latest_mention_and_said(read: Import) -> None:
    imported = read(samples.text_page(), "page.txt", published=None, first_year=2022)
    assert imported.issue is not None
    assert imported.issue.date == date(2024, 4, 13)
    said = next(d for d in imported.diagnostics if d.code == "NL905")
    assert "2024-04-13" in said.message
    assert said.source_line is not None
    assert said.source_line[said.column - 1 :].startswith("April 12 and 13")


def test_date_line_of_the_page_is_taken(read: Import) -> None:
    page = samples.text_page().replace("Image Source", "April 18, 2024\n\nImage Source")
    imported = read(page, "page.txt", published=None)
    assert imported.issue is not None
    assert imported.issue.date == date(2024, 4, 18)
    assert "NL905" not in codes(imported)


def test_december_in_the_first_numbers_of_a_volume_lies_in_the_year_before(read: Import) -> None:
    page = samples.text_page(title="US-Japan Alliance Digest Vol 3.1")
    page = page.replace("April 12 and 13", "December 28").replace("April", "Jan")
    imported = read(page, "page.txt", published=None, first_year=2022)
    assert imported.issue is not None
    assert imported.issue.date == date(2024, 1, 9)


def test_page_without_number_is_an_error(read: Import) -> None:
    imported = read(samples.text_page(title="US-Japan Alliance Digest"), "page.txt")
    assert "NL903" in codes(imported)
    assert not imported.writable


def test_two_numbers_are_an_error_that_names_both(read: Import) -> None:
    page = samples.text_page().replace("Download US-Japan Alliance Digest Vol 3.7", "Vol 3.8", 1)
    found = [d for d in read(page, "page.txt").diagnostics if d.code == "NL903"]
    assert len(found) == 1
    assert "3.7" in found[0].message
    assert "3.8" in found[0].message


def test_number_of_the_caller_settles_it(read: Import) -> None:
    page = samples.text_page(title="US-Japan Alliance Digest")
    assert read(page, "page.txt", number=IssueNumber(3, 9)).number == IssueNumber(3, 9)


@pytest.mark.parametrize("count", [4, 6])
def test_four_or_six_items_are_imported_with_a_warning(read: Import, count: int) -> None:
    chosen = (*samples.PAIRS, ("Sixth headline about a harbor", samples.BULLETS[0] + " Again."))
    imported = read(samples.text_page(pairs=chosen[:count]), "page.txt")
    assert len(pairs(imported)) == count
    assert "NL907" in codes(imported)


def test_more_headlines_than_bullets_is_an_error_with_both_counts(read: Import) -> None:
    page = samples.text_page().replace("  • " + samples.BULLETS[4] + "\n", "")
    imported = read(page, "page.txt")
    found = [d for d in imported.diagnostics if d.code == "NL906"]
    assert found[0].severity is Severity.ERROR
    assert "5 headlines and 4 paragraphs" in found[0].message
    assert not imported.writable


# ── the published editions, where they are at hand ──────────────────────────


def editions() -> list[Path]:
    return sorted(EDITIONS.glob("*.txt"))


@pytest.mark.skipif(not editions(), reason="the published editions are not beside the repository")
def test_published_editions_are_imported_letter_for_letter() -> None:
    for path in editions():
        lines = re.findall(r"(?m)^\s*•\s*(.*?)\s*$", path.read_text(encoding="utf-8"))
        imported = import_file(path, first_year=2022)
        assert pairs(imported) == list(zip(lines[:5], lines[5:], strict=True))
        assert imported.number == IssueNumber.from_folder(path.stem)
        assert not [d for d in imported.diagnostics if d.severity is Severity.ERROR]
        assert set(codes(imported)) <= {"NL905", "NL908"}
