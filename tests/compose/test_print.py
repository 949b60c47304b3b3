"""The PDF: PDF/UA-1, the same bytes anywhere, editors' text is never code."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from composed import TEMPLATES, a_view, with_item
from workspaces import a_photo, encoded

from newsletter.compose import fonts
from newsletter.compose.print import compose_pdf
from newsletter.compose.view import View
from newsletter.errors import NewsletterError, TemplateError

HERO = {"hero.jpg": encoded(a_photo(1104, 621))}

JAPANESE = "岸田文雄"


def pdf_of(view: View, templates: Path = TEMPLATES) -> bytes:
    return compose_pdf(view, templates, HERO if view.hero else {})


def text_of(pdf: bytes) -> str:
    """The words as a reader would copy them; pdftotext is on the developers' machines."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (poppler-utils)")
    run = subprocess.run(
        ["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True
    )
    return " ".join(run.stdout.decode().split())


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    shutil.copytree(TEMPLATES / "print", tmp_path / "templates" / "print")
    return tmp_path / "templates"


def changed(templates: Path, old: str, new: str) -> Path:
    path = templates / "print" / "issue.typ"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    return templates


def test_usual_issue_is_a_tagged_pdf_of_at_most_two_pages():
    view = a_view()
    with pikepdf.open(io.BytesIO(pdf_of(view))) as pdf:
        assert str(pdf.Root.Lang) == "en"
        assert pdf.Root.MarkInfo.Marked
        assert len(pdf.pages) <= 2
        with pdf.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "Pacific Alliance Digest Vol 2.20"
            assert "Harbor Street Institute" in str(metadata["dc:creator"])
            assert metadata["xmp:CreateDate"].startswith("2023-10-31")
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert [float(side) for side in pdf.pages[0].MediaBox] == [0, 0, 612, 792]


def test_a4_is_taken_from_the_configuration():
    with pikepdf.open(io.BytesIO(pdf_of(replace(a_view(), paper="a4")))) as pdf:
        assert [round(float(side)) for side in pdf.pages[0].MediaBox] == [0, 0, 595, 842]


def test_issue_of_560_words_with_a_picture_has_two_pages():
    words = " ".join(f"word{n}" for n in range(112))
    items = tuple(
        replace(item, bullet=replace(item.bullet, runs=(replace(item.bullet.runs[0], text=words),)))
        for item in a_view().items
    )
    with pikepdf.open(io.BytesIO(pdf_of(replace(a_view(), items=items)))) as pdf:
        assert len(pdf.pages) == 2


def test_issue_without_picture_and_tall_picture_compile():
    tall = a_view()
    assert tall.hero is not None
    tall = replace(tall, hero=replace(tall.hero, width=800, height=1656))
    pictures = {"hero.jpg": encoded(a_photo(800, 1656))}
    assert compose_pdf(tall, TEMPLATES, pictures).startswith(b"%PDF")
    assert pdf_of(replace(a_view(), hero=None)).startswith(b"%PDF")


def test_links_are_clickable_and_headlines_lead_to_their_bullets():
    with pikepdf.open(io.BytesIO(pdf_of(a_view()))) as pdf:
        annotations = [note for page in pdf.pages for note in page.get("/Annots", [])]
        addresses = {str(note.A.URI) for note in annotations if "/A" in note and "/URI" in note.A}
        inner = [note for note in annotations if "/URI" not in note.get("/A", {})]
    assert "https://harbor.example.com/news/fuel-rule.html" in addresses
    assert "https://example.org/a?b=1&c=2" in addresses
    assert "mailto:digest@example.org" in addresses
    assert len(inner) >= 5


HOSTILE = (
    '#read("/etc/passwd") $x^2$ @label *bold* _it_ `raw` <tag> \\ // # = - + / ~ "q" '
    '#import "@preview/cetz:0.3.0" ] } ) #panic() \\u{41} {{ 7*7 }} &amp; %'
)


def test_text_that_looks_like_typst_appears_literally():
    view = a_view(items=with_item(headline="#panic() $ and @ and \\", bullet=HOSTILE), note=HOSTILE)
    text = text_of(pdf_of(view))
    assert "#panic() $ and @ and \\" in text
    for part in ('#read(“/etc/passwd”) $x^2$ @label *bold* _it_ `raw` <tag> \\ // # = - + / ~',
                 "] } ) #panic() \\u{41} {{ 7*7 }} &amp; %"):  # fmt: skip
        assert part in text
    assert "root:" not in text


def test_same_issue_gives_the_same_bytes_in_another_process_place_and_zone(tmp_path):
    script = (
        "import sys, hashlib; sys.path[:0] = sys.argv[1:]\n"
        "from test_print import pdf_of, a_view\n"
        "print(hashlib.sha256(pdf_of(a_view())).hexdigest())"
    )
    here = Path(__file__)
    found = set()
    for zone, name in (("Asia/Tokyo", "one"), ("America/New_York", "two")):
        (tmp_path / name).mkdir()
        run = subprocess.run(
            [sys.executable, "-c", script, str(here.parents[2]), str(here.parent)],
            cwd=tmp_path / name,
            env={**os.environ, "TZ": zone, "TMPDIR": str(tmp_path / name), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(run.stdout)
    assert len(found) == 1


# ── templates ───────────────────────────────────────────────────────────────


def test_missing_template_is_named(tmp_path):
    with pytest.raises(TemplateError, match=r"print/issue\.typ is missing") as caught:
        pdf_of(a_view(), tmp_path)
    assert "newsletter init" in str(caught.value.hint)


def test_error_in_the_template_has_file_and_line(templates):
    changed(templates, "#let navy", "#let x = nonsense\n#let navy")
    source = (templates / "print/issue.typ").read_text(encoding="utf-8")
    line = source[: source.index("nonsense")].count("\n") + 1
    with pytest.raises(
        TemplateError, match=rf"print/issue\.typ:{line}: unknown variable: nonsense"
    ):
        pdf_of(a_view(), templates)


def test_picture_without_alternative_text_is_refused(templates):
    changed(templates, "alt: issue.hero.alt,", "")
    with pytest.raises(TemplateError, match=r"issue\.typ:\d+: .*PDF/UA-1.*alt"):
        pdf_of(a_view(), templates)


def test_font_that_is_not_there_is_refused(templates):
    changed(templates, '"Libertinus Serif",', '"No Such Face", "Libertinus Serif",')
    with pytest.raises(TemplateError, match="unknown font family: no such face"):
        pdf_of(a_view(), templates)


def test_package_from_the_network_is_refused(templates):
    changed(templates, "#let navy", '#import "@preview/cetz:0.3.0"\n#let navy')
    with pytest.raises(TemplateError, match=r"issue\.typ:\d+: .*fetched from the network"):
        pdf_of(a_view(), templates)


def test_template_cannot_read_outside_its_folder(templates):
    for path in ("/etc/passwd", "../../../../../../etc/passwd"):
        fresh = templates.parent / path.replace("/", "_").replace(".", "")
        shutil.copytree(templates, fresh)
        changed(fresh, "#let navy", f'#let x = read("{path}")\n#let navy')
        with pytest.raises(TemplateError, match=r"issue\.typ:\d+: "):
            pdf_of(a_view(), fresh)


def test_link_out_of_the_template_folder_is_refused(templates, tmp_path):
    (tmp_path / "private.txt").write_text("x", encoding="utf-8")
    (templates / "print" / "logo.svg").symlink_to(tmp_path / "private.txt")
    with pytest.raises(TemplateError, match=r"logo\.svg leads out of its folder"):
        pdf_of(a_view(), templates)


# ── fonts ───────────────────────────────────────────────────────────────────


def test_character_that_no_font_has_is_named():
    view = a_view(items=with_item(headline="A headline with a \N{GRINNING FACE} in it"))
    with pytest.raises(
        NewsletterError, match=r"no font has “\N{GRINNING FACE}” \(U\+1F600\)"
    ) as caught:
        pdf_of(view)
    assert "templates/print/fonts" in str(caught.value.hint)


def test_japanese_name_is_printed_where_the_system_has_a_font_else_it_says_what_to_install():
    view = a_view(items=with_item(headline=f"A visit by {JAPANESE} to the harbor"))
    system = fonts._east_asian_fonts()
    if system:
        print("this machine has", system[0][0])
        assert JAPANESE in text_of(pdf_of(view))
    else:
        print("this machine has no Japanese font")
        with pytest.raises(NewsletterError, match=r"“岸” \(U\+5CB8\)") as caught:
            pdf_of(view)
        assert caught.value.hint == "apt-get install fonts-noto-cjk"


def test_letters_of_european_and_vietnamese_names_need_no_system_font():
    names = "Łukasz Żółć, Gülşen Åström, Nguyễn Đức, Þóra, Ōta, ½ ² € … – — • “x” ‘y’"
    view = a_view(items=with_item(bullet=names))
    assert "Nguyễn Đức" in text_of(pdf_of(view))


def test_fonts_of_the_workspace_are_used(templates):
    face = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    if not face.is_file():
        pytest.skip("DejaVu Sans is not installed (fonts-dejavu-core)")
    view = a_view(
        items=with_item(headline="A cloud \N{CLOUD} and an ace \N{PLAYING CARD ACE OF SPADES}")
    )
    with pytest.raises(NewsletterError, match="no font has"):
        pdf_of(view, templates)
    (templates / "print" / "fonts").mkdir()
    shutil.copy(face, templates / "print" / "fonts")
    assert "\N{PLAYING CARD ACE OF SPADES}" in text_of(pdf_of(view, templates))
