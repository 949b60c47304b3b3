"""Drafts in Markdown and Word, and issue files in our own form."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import docx
import import_samples as samples
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from newsletter.issue.importer import Imported, import_file
from newsletter.issue.number import IssueNumber
from newsletter.issue.prose import Run

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


# ── Markdown ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sign", ["- ", "* ", "1. ", "+ ", "• "])
def test_two_list_draft_gives_the_items(read: Import, sign: str) -> None:
    imported = read(samples.two_lists_draft(sign=sign), "draft.md")
    assert pairs(imported) == list(samples.PAIRS)
    assert imported.number == IssueNumber(3, 7)
    assert codes(imported) == []


def test_front_matter_of_a_draft_is_taken_and_unknown_keys_are_named(read: Import) -> None:
    front = "---\nissue: 3.7\ndate: 2024-04-17\nsubject: “3+3” at last\nauthor: someone\n---\n\n"
    imported = read(samples.two_lists_draft(front=front, title=""), "draft.md", published=None)
    assert imported.issue is not None
    assert imported.issue.date == date(2024, 4, 17)
    assert imported.issue.subject == "“3+3” at last"
    assert codes(imported) == ["NL909"]
    assert "author" in imported.diagnostics[0].message
    assert imported.diagnostics[0].line == 5


def test_paragraphs_below_a_list_of_headlines_are_the_bullets(read: Import) -> None:
    headlines = "\n".join(f"- **{headline}**" for headline in samples.HEADLINES)
    bullets = "\n\n".join(text.replace("*", "\\*") for text in samples.BULLETS)
    imported = read(f"# {samples.TITLE}\n\n{headlines}\n\n{bullets}\n", "draft.md")
    assert pairs(imported) == list(samples.PAIRS)
    assert imported.issue is not None
    assert not any(run.strong for run in imported.issue.items[0].headline.runs)


def test_marks_and_links_of_a_draft_are_kept(read: Import) -> None:
    draft = samples.two_lists_draft().replace("Each side", "_Each_ [side](https://example.org/)")
    imported = read(draft, "draft.md")
    assert imported.issue is not None
    runs = imported.issue.items[0].bullet.runs
    assert Run("Each", emphasis=True) in runs
    assert Run("side", href="https://example.org/") in runs


def test_picture_beside_a_draft_is_taken_with_alt_and_credit(read: Import, tmp_path: Path) -> None:
    (tmp_path / "ferry.png").write_bytes(samples.picture_bytes("PNG"))
    title = f"# {samples.TITLE}\n\n![Two ferries](ferry.png)\n\nPhoto: Harbor Press\n\n"
    imported = read(samples.two_lists_draft(title=title), "draft.md")
    assert imported.hero == ("hero.png", samples.picture_bytes("PNG"))
    assert imported.issue is not None
    assert imported.issue.hero is not None
    assert imported.issue.hero.credit.text == "Harbor Press"
    assert codes(imported) == []


def test_bullet_that_would_become_the_sources_line_is_refused(read: Import) -> None:
    draft = samples.two_lists_draft().replace("- Two chip", "- Sources: two chip")
    imported = read(draft, "draft.md")
    assert "NL911" in codes(imported)
    assert not imported.writable


def test_issue_file_passes_byte_for_byte_with_its_picture(read: Import, tmp_path: Path) -> None:
    (tmp_path / "sea.jpg").write_bytes(samples.picture_bytes())
    body = "".join(f"##  {head}\r\n\r\n{text}\r\n\r\n" for head, text in samples.PAIRS)
    hero = "![Sea](sea.jpg)\r\nImage Source: Harbor Press\r\n\r\n"
    data = f"---\r\nissue: 3.7\r\ndate: 2024-04-17\r\n---\r\n\r\n{hero}{body}".encode()
    imported = read(data, "issue.md", published=None)
    assert imported.issue_file == data
    assert imported.hero == ("sea.jpg", samples.picture_bytes())
    assert pairs(imported)[2] == samples.PAIRS[2]
    assert codes(imported) == []


def test_issue_file_with_a_wrong_number_is_refused(read: Import) -> None:
    text = "---\nissue: 3.07\ndate: 2024-04-17\n---\n\n## A headline\n\nA text.\n"
    imported = read(text, "issue.md", published=None)
    assert codes(imported) == ["NL903"]
    assert imported.diagnostics[0].line == 2
    assert not imported.writable


# ── Word ────────────────────────────────────────────────────────────────────


def saved(document: docx.document.Document) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def two_lists(style: str | None = "List Bullet") -> docx.document.Document:
    document = docx.Document()
    document.add_heading(samples.TITLE, 0)
    for texts in (samples.HEADLINES, samples.BULLETS):
        for text in texts:
            document.add_paragraph(text, style=style)
        document.add_paragraph("")
    document.add_paragraph(samples.ABOUT)
    return document


@pytest.mark.parametrize("style", ["List Bullet", "List Number", "List Paragraph", None])
def test_two_lists_in_word_give_the_items(read: Import, style: str | None) -> None:
    imported = read(saved(two_lists(style)), "draft.docx")
    assert pairs(imported) == list(samples.PAIRS)
    assert imported.number == IssueNumber(3, 7)
    assert codes(imported) == []


def test_bold_headlines_above_their_texts_give_the_items(read: Import) -> None:
    document = docx.Document()
    document.add_paragraph(samples.TITLE)
    for headline, text in samples.PAIRS:
        document.add_paragraph().add_run(headline).bold = True
        document.add_paragraph(text)
    imported = read(saved(document), "draft.docx")
    assert pairs(imported) == list(samples.PAIRS)
    assert imported.issue is not None
    assert imported.issue.items[0].headline.runs == (Run(samples.HEADLINES[0]),)


def test_links_and_emphasis_of_word_are_kept(read: Import) -> None:
    document = two_lists()
    paragraph = next(p for p in document.paragraphs if p.text == samples.BULLETS[0])
    paragraph.add_run(" More ")
    link = OxmlElement("w:hyperlink")
    relation = document.part.relate_to(
        "https://example.org/notes", RELATIONSHIP_TYPE.HYPERLINK, is_external=True
    )
    link.set(qn("r:id"), relation)
    run = paragraph.add_run("here")
    run.italic = True
    link.append(run._r)
    paragraph._p.append(link)
    imported = read(saved(document), "draft.docx")
    assert imported.issue is not None
    assert imported.issue.items[0].bullet.runs[-1] == Run(
        "here", emphasis=True, href="https://example.org/notes"
    )


def test_embedded_picture_becomes_the_hero_and_missing_parts_are_said(read: Import) -> None:
    document = two_lists()
    document.paragraphs[0].insert_paragraph_before("").add_run().add_picture(
        io.BytesIO(samples.picture_bytes())
    )
    imported = read(saved(document), "draft.docx")
    assert imported.hero == ("hero.jpg", samples.picture_bytes())
    assert codes(imported) == ["NL908"]
    assert "description" in imported.diagnostics[0].message
    assert "Image Source:" in imported.diagnostics[0].message


def test_insertions_are_taken_deletions_left_out_and_both_said(read: Import) -> None:
    document = two_lists()
    paragraph = next(p for p in document.paragraphs if p.text == samples.BULLETS[2])
    for tag, text in (("w:ins", " Inserted."), ("w:del", " Deleted.")):
        change = OxmlElement(tag)
        change.append(paragraph.add_run(text)._r)
        paragraph._p.append(change)
    imported = read(saved(document), "draft.docx")
    assert pairs(imported)[2][1] == samples.BULLETS[2] + " Inserted."
    assert codes(imported) == ["NL910"]


def test_footnote_that_is_not_read_is_said_with_its_paragraph(read: Import) -> None:
    document = two_lists()
    document.paragraphs[2].add_run()._r.append(OxmlElement("w:footnoteReference"))
    imported = read(saved(document), "draft.docx")
    assert codes(imported) == ["NL910"]
    assert imported.diagnostics[0].line == 3
