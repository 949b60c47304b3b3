"""The same issue as other people type it: other signs, credits, dates and ways to pair."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import docx
import import_samples as samples
import pytest

from newsletter.issue.importer import Imported, import_file

DAY = date(2024, 4, 16)
Import = Callable[..., Imported]

SHORT = tuple(
    (f"Ministers plan a {thing}", f"Both agreed in spring on a {thing}.")
    for thing in ("ferry line", "rail line", "school fair", "harbor fund", "night market")
)


@pytest.fixture
def read(tmp_path: Path) -> Import:
    def read(content: str | bytes, name: str, **options: object) -> Imported:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        options = {"published": DAY, **options}
        return import_file(path, **options)  # type: ignore[arg-type]

    return read


def pairs(imported: Imported) -> list[tuple[str, str]]:
    assert imported.issue is not None, imported.diagnostics
    return [(item.headline.text, item.bullet.text) for item in imported.issue.items]


def credit(imported: Imported) -> str | None:
    assert imported.issue_file is not None
    _, mark, after = imported.issue_file.decode().partition("<!-- Image Source: ")
    return after.partition(" -->")[0] if mark else None


@pytest.mark.parametrize("sign", ["► ", "➢ ", "✓ ", "→ ", "» ", "o ", "§ ", "\uf0b7\t", "⦁ "])
def test_rarer_bullet_signs_are_taken_off(read: Import, sign: str) -> None:
    pairs_ = tuple(pair for pair in samples.PAIRS if not pair[0].startswith("東"))
    imported = read(samples.text_page(sign=sign, pairs=pairs_), "page.txt")
    assert pairs(imported) == list(pairs_)


@pytest.mark.parametrize("form", ["{}. ", "{}) "])
def test_typed_numbers_that_count_are_taken_off(read: Import, form: str) -> None:
    lines = [
        "\n".join(form.format(number) + text for number, text in enumerate(texts, 1))
        for texts in (samples.HEADLINES, samples.BULLETS)
    ]
    imported = read(f"{samples.TITLE}\n\n{lines[0]}\n\n{lines[1]}\n", "page.txt")
    assert pairs(imported) == list(samples.PAIRS)


def test_number_that_does_not_count_stays(read: Import) -> None:
    odd = ("2. Bundesliga club tours Japan", samples.BULLETS[0])
    imported = read(samples.text_page(pairs=(odd, *samples.PAIRS[1:])), "page.txt")
    assert pairs(imported)[0] == odd


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Photo by A. Writer/Harbor Press", "A. Writer/Harbor Press"),
        ("(Image Source: Harbor Press)", "Harbor Press"),
        ("Image Credit – Harbor Press", "Harbor Press"),
        ("Image Sources: Harbor Press, NASA", "Harbor Press, NASA"),
        ("Credit: Harbor Press", "Harbor Press"),
        ("U.S. Navy photo by Seaman A. Writer", "U.S. Navy photo by Seaman A. Writer"),
    ],
)
def test_credit_line_in_other_words_is_taken(read: Import, line: str, name: str) -> None:
    imported = read(samples.text_page(credit=f"{line}\n"), "page.txt")
    assert pairs(imported) == list(samples.PAIRS)
    assert credit(imported) == name


def test_headline_that_begins_like_a_credit_is_kept(read: Import) -> None:
    odd = ("Photo by sailor wins prize in Kobe", samples.BULLETS[0])
    imported = read(samples.text_page(pairs=(odd, *samples.PAIRS[1:]), credit=None), "page.txt")
    assert pairs(imported)[0] == odd


@pytest.mark.parametrize(
    "line",
    [
        "Posted on April 17, 2024 by admin",
        "By A. Writer | April 17, 2024",
        "April 17, 2024 | Publications",
        "Last updated: April 17, 2024",
        "Posted in Publications on April 17, 2024",
        "04/17/2024",
    ],
)
def test_date_line_with_company_is_taken(read: Import, line: str) -> None:
    page = samples.text_page().replace("Download this publication (PDF)", line)
    imported = read(page, "page.txt", published=None)
    assert imported.issue is not None
    assert imported.issue.date == date(2024, 4, 17)


def test_day_and_month_that_may_be_either_are_not_guessed(read: Import) -> None:
    page = samples.text_page().replace("Download this publication (PDF)", "04/05/2024")
    imported = read(page, "page.txt", published=None)
    assert imported.issue is None
    assert "NL904" in [diagnostic.code for diagnostic in imported.diagnostics]


@pytest.mark.parametrize("line", ["Click here to download the PDF.", "PDF Download", "Print page"])
def test_other_download_lines_are_furniture(read: Import, line: str) -> None:
    page = samples.text_page(credit=None).replace("Download this publication (PDF)", line)
    imported = read(page, "page.txt")
    assert pairs(imported) == list(samples.PAIRS)
    assert imported.diagnostics == ()


def test_headline_longer_than_its_bullet_is_paired_where_the_lists_are_apart(read: Import) -> None:
    odd = ("A headline of many words about " + "ferries and " * 8 + "trains", "They ran on time.")
    imported = read(samples.text_page(pairs=(odd, *samples.PAIRS[1:])), "page.txt")
    assert pairs(imported)[0] == odd


@pytest.mark.parametrize("between", ["\n\n", "\n", "\n\n## Bullets\n\n"])
def test_short_texts_are_told_from_headlines_by_their_ends(read: Import, between: str) -> None:
    lists = ["\n".join(f"- {text}" for text in texts) for texts in zip(*SHORT, strict=True)]
    imported = read(f"# {samples.TITLE}\n\n{between.join(lists)}\n", "draft.md")
    assert pairs(imported) == list(SHORT)


def test_short_lines_that_nothing_tells_apart_are_refused(read: Import) -> None:
    lines = "\n".join(f"- {headline}" for headline, _ in (*SHORT, *SHORT))
    imported = read(f"# {samples.TITLE}\n\n{lines}\n", "draft.md")
    assert imported.issue is None


@pytest.mark.parametrize("join", ["\n", "  \n", " "])
def test_strong_headline_at_the_head_of_its_paragraph_is_split_off(read: Import, join: str) -> None:
    body = "\n\n".join(f"**{headline}**{join}{text}" for headline, text in SHORT)
    body = body.replace("spring on", "the spring of this year, after long and open talks, on")
    imported = read(f"# {samples.TITLE}\n\n{body}\n", "draft.md")
    assert [headline for headline, _ in pairs(imported)] == [headline for headline, _ in SHORT]
    assert all(text.startswith("Both agreed") for _, text in pairs(imported))


def test_numbered_headings_lose_their_numbers(read: Import) -> None:
    body = "\n\n".join(f"### {n}. {head}\n\n{text}" for n, (head, text) in enumerate(SHORT, 1))
    assert pairs(read(f"# {samples.TITLE}\n\n{body}\n", "draft.md")) == list(SHORT)


def test_numbered_paragraphs_of_word_give_the_items(read: Import) -> None:
    document = docx.Document()
    document.add_paragraph(samples.TITLE)
    for texts in (samples.HEADLINES, samples.BULLETS):
        for number, text in enumerate(texts, 1):
            document.add_paragraph(f"{number}. {text}")
        document.add_paragraph("")
    buffer = io.BytesIO()
    document.save(buffer)
    assert pairs(read(buffer.getvalue(), "draft.docx")) == list(samples.PAIRS)


def test_headlines_that_link_to_their_bullets_lose_the_links_without_a_word(read: Import) -> None:
    headlines, bullets = samples.html_lists()
    headlines = headlines.replace("<li>", '<li><a href="#item">').replace("</li>", "</a></li>")
    imported = read(samples.html_page((headlines, bullets)), "page.html")
    assert pairs(imported) == list(samples.PAIRS)
    assert not any("“#" in diagnostic.message for diagnostic in imported.diagnostics)
