"""NL120 to NL124: the hero picture, with real files in a real folder."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from newsletter.diagnostics import Severity
from newsletter.issue.picture import MAX_FILE_BYTES
from newsletter.issue.rules import Context
from tests.builders import FOLDER, check_text, context_of, findings, valid_issue

ALT, CREDIT = "Two fishing boats in a harbor at dawn", "Image Source: Example Agency"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / FOLDER
    path.mkdir()
    (path / "hero.jpg").write_bytes(picture(1200, 800))
    return path


@pytest.fixture
def context(folder: Path) -> Context:
    return context_of(folder)


def picture(
    width: int, height: int, form: str = "JPEG", mode: str = "RGB", **options: object
) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, form, **options)
    return file.getvalue()


def with_picture(file: str = "hero.jpg", *, alt: str = ALT, credit: str = CREDIT) -> str:
    return valid_issue(above=f"![{alt}]({file})\n{credit}\n\n")


def codes(text: str, context: Context) -> list[tuple[str, int, int]]:
    return [(d.code, d.line, d.column) for d in check_text(text, context).diagnostics]


FILE_AT = (6, len(ALT) + 5)


def test_sound_picture_with_alt_and_credit_is_silent(context: Context):
    checked = check_text(with_picture(), context)
    assert checked.diagnostics == ()
    assert checked.issue is not None
    assert checked.issue.hero is not None
    assert (checked.issue.hero.file, checked.issue.hero.alt) == ("hero.jpg", ALT)
    assert checked.issue.hero.credit.text == "Example Agency"


def test_issue_without_a_picture_is_silent(context: Context):
    assert codes(valid_issue(), context) == []


@pytest.mark.parametrize("name", ["a boat.jpg", "写真.jpg", "a%b.jpg", "deeper/hero.jpg"])
def test_unusual_but_fair_file_names_are_found(folder: Path, context: Context, name: str):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(picture(1200, 800))
    assert codes(with_picture(f"<{name}>"), context) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../hero.jpg", "outside"),
        ("..%2fhero.jpg", "outside"),
        ("a/../../hero.jpg", "outside"),
        ("/etc/hostname", "outside"),
        ("https://example.org/hero.jpg", "is an address"),
        ("//example.org/hero.jpg", "is an address"),
        ("file:///etc/hostname", "is an address"),
        ("data:image/png;base64,AAAA", "is an address"),
        ("", "names no file"),
        ("a%00b.jpg", "control character"),
        ("x" * 300 + ".jpg", "cannot be read"),
        ("missing.jpg", "is missing"),
        ("hero.jpg/more.jpg", "is missing"),
        ("folder.jpg", "is not a file"),
        ("pipe.jpg", "is not a file"),
        ("out.jpg", "leads out"),
        ("loop.jpg", "in a circle"),
    ],
)
def test_file_that_is_not_in_the_folder_is_one_error(
    folder: Path, context: Context, name: str, words: str
):
    (folder.parent / "hero.jpg").write_bytes(picture(1200, 800))
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "out.jpg").symlink_to(folder.parent / "hero.jpg")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (found,) = check_text(with_picture(name), context).diagnostics
    assert (found.code, found.line, found.column) == ("NL120", *FILE_AT)
    assert words in found.message


def test_link_inside_the_folder_is_followed(folder: Path, context: Context):
    (folder / "link.jpg").symlink_to("hero.jpg")
    assert codes(with_picture("link.jpg"), context) == []


def test_missing_file_suggests_the_near_one(context: Context):
    (found,) = findings(with_picture("Hero.JPG"), "NL120", context)
    assert found.hint == "did you mean “hero.jpg”?"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty file"),
        (b"hello", "is no JPEG"),
        (b"<svg xmlns='x'/>", "an SVG"),
        (b"%PDF-1.7", "a PDF"),
        (picture(1200, 800, "GIF", "P"), "a GIF"),
        (picture(1200, 800)[:2000], "damaged"),
        (picture(1200, 800)[:200], "damaged"),
        (picture(1200, 800, "PNG")[:-60], "damaged"),
        (picture(1200, 800, "WEBP")[:-60], "damaged"),
        (picture(10_000, 5_001, "PNG", "1"), "10,000 × 5,001 pixels"),
        (picture(10_000, 5_001, "JPEG", "L"), "10,000 × 5,001 pixels"),
        (picture(20_000, 20_000, "PNG", "1"), "far too many pixels"),
    ],
)
def test_file_that_is_no_whole_picture_is_one_error(
    folder: Path, context: Context, data: bytes, words: str
):
    (folder / "bad.jpg").write_bytes(data)
    (found,) = check_text(with_picture("bad.jpg"), context).diagnostics
    assert (found.code, found.line, found.column) == ("NL121", *FILE_AT)
    assert words in found.message


def test_file_above_the_size_limit_is_not_opened(folder: Path, context: Context):
    with (folder / "big.jpg").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    (found,) = findings(with_picture("big.jpg"), "NL121", context)
    assert "20 MB" in found.message


def test_changed_picture_is_looked_at_again(folder: Path, context: Context):
    assert codes(with_picture(), context) == []
    (folder / "hero.jpg").write_bytes(b"no picture any more")
    assert [code for code, *_ in codes(with_picture(), context)] == ["NL121"]


@pytest.mark.parametrize(
    ("width", "severity"),
    [(551, Severity.WARNING), (552, Severity.INFO), (1103, Severity.INFO), (1104, None)],
)
def test_narrow_picture_is_a_warning_and_a_small_one_a_note(
    folder: Path, context: Context, width: int, severity: Severity | None
):
    (folder / "narrow.png").write_bytes(picture(width, 300, "PNG"))
    found = check_text(with_picture("narrow.png"), context).diagnostics
    expected = [("NL122", severity)] if severity else []
    assert [(d.code, d.severity) for d in found] == expected


def test_width_is_that_of_the_upright_picture(folder: Path, context: Context):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    (folder / "turned.jpg").write_bytes(picture(1200, 500, exif=exif))
    assert [d.message for d in findings(with_picture("turned.jpg"), "NL122", context)] == [
        "“turned.jpg” is 500 pixels wide; the mail shows 552"
    ]


@pytest.mark.parametrize(
    ("alt", "column"),
    [
        ("", 1),
        ("…", 1),
        ("photo", 3),
        ("Image 1", 3),
        ("Describe the photo", 3),
        ("hero", 3),
        ("hero.jpg", 3),
        ("IMG_1234", 3),
    ],
)
def test_alt_text_that_describes_nothing_is_an_error(context: Context, alt: str, column: int):
    assert codes(with_picture(alt=alt), context) == [("NL123", 6, column)]


@pytest.mark.parametrize("alt", ["A photo of the harbor", "Boats", "写真を見る人々"])
def test_alt_text_that_says_something_is_silent(context: Context, alt: str):
    assert codes(with_picture(alt=alt), context) == []


@pytest.mark.parametrize(
    ("credit", "place", "severity"),
    [
        ("", (6, 1), Severity.ERROR),
        ("Example Agency", (7, 1), Severity.ERROR),
        ("Image Source:", (7, 1), Severity.ERROR),
        ("Photo: Example Agency", (7, 1), Severity.WARNING),
        ("Credit: Example Agency", (7, 1), Severity.WARNING),
    ],
)
def test_missing_credit_or_label_is_found(
    context: Context, credit: str, place: tuple[int, int], severity: Severity
):
    (found,) = check_text(with_picture(credit=credit), context).diagnostics
    assert (found.code, found.line, found.column) == ("NL124", *place)
    assert found.severity is severity


@pytest.mark.parametrize(
    "credit", ["\nImage Source: Agency", "image source: A & B", "Image Source: *A*"]
)
def test_credit_with_its_label_is_silent(context: Context, credit: str):
    assert codes(with_picture(credit=credit), context) == []


def test_second_picture_is_an_error_at_its_place(context: Context):
    text = with_picture(credit=f"{CREDIT}\n\n![Another boat](hero.jpg)")
    assert codes(text, context) == [("NL125", 9, 1)]
