"""The e-mail as it is composed from the templates of the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from composed import TEMPLATES, a_view, with_item
from lxml import html as lxml_html
from lxml.html import HtmlElement
from mjml import mjml2html
from PIL import Image
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from newsletter.compose import slots
from newsletter.compose.email import compose_email
from newsletter.compose.environment import environment, render
from newsletter.compose.slots import Slot
from newsletter.errors import ContentError, TemplateError


class GoldenMail(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "html"


@pytest.fixture(scope="module")
def mail() -> str:
    return compose_email(a_view(), TEMPLATES).html


@pytest.fixture(scope="module")
def page(mail: str) -> HtmlElement:
    return lxml_html.document_fromstring(mail)


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the templates to break."""
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def broken(templates: Path, file: str, old: str, new: str) -> TemplateError:
    path = templates / "email" / file
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(TemplateError) as caught:
        compose_email(a_view(), templates)
    return caught.value


def words(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_usual_mail_is_the_golden_one(mail: str, snapshot: SnapshotAssertion) -> None:
    one_tag_a_line = re.sub(r">(?=<)", ">\n", mail)
    assert one_tag_a_line == snapshot(extension_class=GoldenMail)


def test_same_view_gives_the_same_bytes(mail: str) -> None:
    assert compose_email(a_view(), TEMPLATES).html == mail


def test_doctype_comes_first_so_that_no_client_goes_to_quirks_mode(mail: str) -> None:
    assert mail.startswith("<!DOCTYPE html>")


def test_usual_mail_is_far_below_the_clip_of_gmail(mail: str) -> None:
    assert len(mail.encode()) <= 30_000


def test_masthead_names_title_number_and_date(page: HtmlElement) -> None:
    assert [words(h1) for h1 in page.iter("h1")] == ["Pacific Alliance Digest"]
    assert "Vol 2.20 · October 31, 2023" in words(page)


def test_five_headlines_come_first_and_link_to_their_bullets(page: HtmlElement) -> None:
    view = a_view()
    links = page.cssselect("ol li a")
    assert [words(link) for link in links] == [item.headline.text for item in view.items]
    for link, item in zip(links, view.items, strict=True):
        target = page.get_element_by_id(link.get("href")[1:])
        assert target.get("name") == target.get("id")
        assert words(target) == item.headline.text
        assert item.bullet.text in words(target.getparent().getparent())


def test_bullets_stand_in_order_behind_all_headlines(page: HtmlElement) -> None:
    text = words(page)
    places = [text.index(item.bullet.text) for item in a_view().items]
    assert places == sorted(places)
    assert text.index("In this issue") < places[0]


def test_hero_is_shown_at_552_pixels_with_alt_and_credit(page: HtmlElement) -> None:
    (image,) = page.iter("img")
    assert image.get("width") == "552"
    assert image.get("alt") == "Two ships leave a harbor at dawn"
    assert image.get("src") == "https://digest.example.org/vol-2-20/hero.jpg"
    assert "Image Source: A. Person" in words(page)


def test_issue_without_a_hero_has_no_picture_and_no_credit() -> None:
    mail = compose_email(a_view(hero=None), TEMPLATES).html
    assert "<img" not in mail
    assert "Image Source" not in mail


def test_note_stands_above_the_headlines() -> None:
    text = words(
        lxml_html.document_fromstring(compose_email(a_view(note="A word first."), TEMPLATES).html)
    )
    assert text.index("A word first.") < text.index("In this issue")


def test_footer_carries_what_the_law_asks_for(page: HtmlElement) -> None:
    view, text = a_view(), words(page)
    links = {link.get("href"): words(link) for link in page.iter("a") if link.get("href")}
    for part in (view.about, view.reason, view.publisher_name, view.publisher_address):
        assert part in text
    assert "You may unsubscribe at any time" in text
    assert links[Slot.UNSUBSCRIBE_URL.marker] == "Unsubscribe"
    assert links[Slot.PREFERENCES_URL.marker] == "Change your preferences"
    assert links[f"mailto:{view.publisher_contact}"] == view.publisher_contact
    assert {view.privacy_url, view.site_url + "/", view.pdf_url} <= links.keys()


def test_every_layout_table_is_marked_as_presentation(mail: str) -> None:
    tables = re.findall(r"<table\b[^>]*>", mail)  # conditional comments included
    assert len(tables) > 10
    assert [table for table in tables if 'role="presentation"' not in table] == []


def test_language_and_direction_stand_on_html_and_on_the_inner_wrapper(page: HtmlElement) -> None:
    (wrapper,) = page.cssselect("body > div[role=article]")
    for element in (page, wrapper):
        assert (element.get("lang"), element.get("dir")) == ("en", "ltr")


def test_preheader_is_first_and_padded(page: HtmlElement) -> None:
    preheader = page.cssselect("div.preheader")[0]
    text = preheader.text_content()
    assert text.startswith(a_view().preheader)
    assert len(text) - len(a_view().preheader) >= 100
    assert text[len(a_view().preheader) :].strip("\u034f\u200c\u00a0") == ""
    assert words(page.find("body")).startswith(a_view().preheader)


def test_typed_script_stays_text_everywhere() -> None:
    script = "<script>alert(1)</script>"
    items = with_item(headline=script, bullet=script)
    view = replace(a_view(items=items, note=script, preheader=script), about=script)
    mail = compose_email(view, TEMPLATES).html
    assert "<script" not in mail.lower()
    page = lxml_html.document_fromstring(mail)
    assert words(page).count(script) == 6  # preheader, note, contents, headline, bullet, about


def test_quotes_in_alt_text_stay_in_the_attribute() -> None:
    view = a_view()
    assert view.hero is not None
    alt = "A \"ship\" & 'boat' <b>"
    mail = compose_email(replace(view, hero=replace(view.hero, alt=alt)), TEMPLATES).html
    (image,) = lxml_html.document_fromstring(mail).iter("img")
    assert image.get("alt") == alt


def test_outlook_conditionals_survive_byte_for_byte(mail: str) -> None:
    mjml = render(
        environment(TEMPLATES, html=True),
        "email/issue.mjml.j2",
        view=a_view(),
        slots=slots.markers(),
    )
    conditional = re.compile(r"<!--\[if [^\]]*\]>.*?<!\[endif\]-->", re.DOTALL)
    before = conditional.findall(mjml2html(mjml, fonts={}))
    assert len(before) > 10
    assert conditional.findall(mail) == before


def test_outlook_columns_are_552_pixels_wide(mail: str) -> None:
    widths = re.findall(r'<td [^>]*style="vertical-align:top;width:(\d+)px;"><!\[endif', mail)
    assert set(widths) == {"552"}


def test_dark_and_small_screen_rules_keep_their_weight(mail: str) -> None:
    style = "".join(re.findall(r"<style[^>]*>(.*?)</style>", mail, re.DOTALL))
    for rule in ("prefers-color-scheme: dark", "max-width: 479px", "[data-ogsc]", "[data-ogsb]"):
        assert rule in style
    assert style.count("!important") > 20
    assert 'name="color-scheme" content="light dark"' in mail


def test_no_font_script_or_picture_comes_from_elsewhere(mail: str) -> None:
    assert set(re.findall(r'(?:src|background)="https?://([^/"]+)', mail)) == {"digest.example.org"}
    assert "@import" not in mail
    assert "<link" not in mail


def test_slots_are_the_same_before_and_after_the_pipeline(mail: str) -> None:
    found = slots.count(mail)
    assert found[Slot.UNSUBSCRIBE_URL] == 1
    assert found.keys() >= slots.REQUIRED


def test_issue_that_types_a_slot_is_refused() -> None:
    with pytest.raises(ContentError, match="⟦name⟧"):
        compose_email(a_view(items=with_item(bullet="Hello ⟦name⟧")), TEMPLATES)


# ── broken templates ────────────────────────────────────────────────────────


def test_unknown_attribute_names_template_line_and_keeps_the_mjml(templates: Path) -> None:
    error = broken(templates, "footer.mjml.j2", 'padding="28px', 'pading="28px')
    assert "footer.mjml.j2:3: <mj-section> knows no attribute “pading”" in error.message
    kept = re.search(r"\((\S+failed\.mjml):(\d+)\)", error.message)
    assert kept is not None
    lines = (templates.parent / ".newsletter" / "failed.mjml").read_text().split("\n")
    assert 'pading="28px' in lines[int(kept[2]) - 1]
    assert "failed.mjml" in str(error.hint)


def test_unknown_tag_names_template_line(templates: Path) -> None:
    error = broken(templates, "issue.mjml.j2", "<mj-divider", "<mj-devider")
    assert re.search(r"issue\.mjml\.j2:\d+: unknown tag <mj-devider>", error.message)


def test_unclosed_tag_names_a_place(templates: Path) -> None:
    error = broken(templates, "issue.mjml.j2", "</h1>", "")
    assert re.search(r"failed\.mjml:\d+\)?.*", error.message)
    assert "<h1> is open since line" in error.message


def test_undefined_variable_names_template_line(templates: Path) -> None:
    error = broken(templates, "footer.mjml.j2", "view.about", "view.abuot")
    assert error.message.endswith("footer.mjml.j2:6: View has no “abuot”; did you mean “about”?")


def test_missing_unsubscribe_link_is_an_error(templates: Path) -> None:
    error = broken(templates, "footer.mjml.j2", "slots.unsubscribe_url", "slots.preferences_url")
    assert "NL806" in error.message
    assert "slots.unsubscribe_url" in str(error.hint)


def test_unknown_slot_names_the_near_one(templates: Path) -> None:
    error = broken(templates, "footer.mjml.j2", "slots.unsubscribe_url", "slots.unsubscribe")
    assert "did you mean “unsubscribe_url”?" in error.message


def test_slot_that_premailer_would_duplicate_is_counted(templates: Path) -> None:
    error = broken(
        templates,
        "head.mjml.j2",
        ".about {",
        ".about { background-image: url({{ slots.web_url }}); ",
    )
    assert "web_url" in error.message


def test_picture_from_elsewhere_is_an_error(templates: Path) -> None:
    error = broken(
        templates, "issue.mjml.j2", "{{ view.hero.url }}", "https://tracker.example.com/p.gif"
    )
    assert "NL805" in error.message


def test_missing_template_says_where_to_get_one(templates: Path) -> None:
    (templates / "email" / "footer.mjml.j2").unlink()
    with pytest.raises(TemplateError, match=r"footer\.mjml\.j2 is missing") as caught:
        compose_email(a_view(), templates)
    assert "newsletter init" in str(caught.value.hint)


def test_read_only_workspace_still_reports_the_fault(templates: Path) -> None:
    (templates.parent / ".newsletter").write_text("a file where the folder should be")
    error = broken(templates, "footer.mjml.j2", 'padding="28px', 'pading="28px')
    assert "knows no attribute “pading”" in error.message


# ── in a browser ────────────────────────────────────────────────────────────


def screenshot(mail: str, folder: Path, name: str) -> bytes:
    page, picture = folder / f"{name}.html", folder / f"{name}.png"
    page.write_text(mail, encoding="utf-8")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium is not None
    subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars", f"--user-data-dir={folder / ('profile-' + name)}",
         "--window-size=600,2600", f"--screenshot={picture}", page.as_uri()],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    with Image.open(picture) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.browser
@pytest.mark.skipif(
    not (shutil.which("chromium") or shutil.which("chromium-browser")), reason="no Chromium here"
)
def test_mail_without_any_style_element_looks_the_same_at_600_pixels(tmp_path: Path) -> None:
    mail = compose_email(a_view(hero=None, note="A word first."), TEMPLATES).html
    bare = re.sub(r"<style.*?</style>", "", mail, flags=re.DOTALL)
    assert len(bare) < len(mail)
    whole = screenshot(mail, tmp_path, "whole")
    assert len(set(whole)) > 50  # something was drawn
    assert screenshot(bare, tmp_path, "bare") == whole


# ── contrast ────────────────────────────────────────────────────────────────

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def declarations(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in text.split(";") if ":" in part)
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def dark_rules(mail: str) -> list[tuple[str, dict[str, str]]]:
    style = "".join(re.findall(r"<style[^>]*>(.*?)</style>", mail, re.DOTALL))
    start = style.index("prefers-color-scheme: dark")
    block = style[style.index("{", start) + 1 : style.index("[data-og", start)]
    return [(selector.strip(), declarations(body)) for selector, body in _RULE.findall(block)]


def outlook_com_rules(mail: str) -> list[tuple[str, dict[str, str]]]:
    style = "".join(re.findall(r"<style[^>]*>(.*?)</style>", mail, re.DOTALL))
    plain = re.sub(r"\[data-og\w+\] ", "", style[style.index("[data-og") :])
    return [(selector.strip(), declarations(body)) for selector, body in _RULE.findall(plain)]


def luminance(color: str) -> float:
    digits = color.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def shown_texts(
    page: HtmlElement, rules: list[tuple[str, dict[str, str]]]
) -> Iterator[tuple[str, str, str]]:
    """Text, color and ground of everything that can be read, inherited as a browser would."""
    over: dict[HtmlElement, dict[str, str]] = {}
    for selector, body in rules:
        for element in page.cssselect(selector):
            over.setdefault(element, {}).update(body)

    def walk(element: HtmlElement, color: str, ground: str) -> Iterator[tuple[str, str, str]]:
        if not isinstance(element.tag, str) or "preheader" in (element.get("class") or ""):
            return
        own = declarations(element.get("style") or "") | over.get(element, {})
        color = own.get("color", color)
        if element.get("alt"):  # readable where the picture is not loaded
            yield element.get("alt"), color, own.get("background-color", ground)
        ground = own.get("background-color", own.get("background", ground))
        for text in (element.text, *(child.tail for child in element)):
            if text and text.strip():
                yield text.strip(), color, ground
        for child in element:
            yield from walk(child, color, ground)

    yield from walk(page.find("body"), "#000000", "#ffffff")


@pytest.mark.parametrize("scheme", ["light", "dark", "Outlook.com dark"])
def test_all_text_has_enough_contrast(scheme: str) -> None:
    mail = compose_email(a_view(note="A word first."), TEMPLATES).html
    rules = {"light": [], "dark": dark_rules(mail), "Outlook.com dark": outlook_com_rules(mail)}
    texts = list(shown_texts(lxml_html.document_fromstring(mail), rules[scheme]))
    assert len(texts) > 30
    assert a_view().hero.alt in [text for text, _, _ in texts]
    if scheme != "light":
        assert all(luminance(ground) < 0.2 for _, _, ground in texts)
    poor = [found for found in texts if contrast(found[1], found[2]) < 4.5]
    assert poor == []


def test_prose_marks_reach_the_mail(page: HtmlElement) -> None:
    first = page.cssselect("p.bullet")[0]
    assert [words(e) for e in first.iter("strong", "em")] == ["Read", "slowly"]
    assert [(words(a), a.get("href")) for a in first.iter("a")] == [
        ("public", "https://example.com/plan")
    ]


def test_long_issue_that_gmail_would_clip_is_refused() -> None:
    with pytest.raises(TemplateError, match="NL801"):
        compose_email(a_view(items=with_item(bullet="word " * 16_000)), TEMPLATES)


def test_styles_that_cannot_be_read_name_a_place(templates: Path) -> None:
    error = broken(templates, "head.mjml.j2", ".title {", ".title ")
    assert "head.mjml.j2:" in error.message
    assert "this } closes nothing" in error.message


def test_white_preview_text_of_mjml_is_recolored(templates: Path) -> None:
    path = templates / "email" / "head.mjml.j2"
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace("</mj-title>", "</mj-title><mj-preview>Look</mj-preview>"))
    hidden = lxml_html.document_fromstring(compose_email(a_view(), templates).html).find("body")[0]
    assert hidden.text_content() == "Look"
    assert "#ffffff" not in hidden.get("style")


def test_sources_follow_their_bullet(page: HtmlElement) -> None:
    (sources,) = page.cssselect("p.sources")
    assert words(sources).startswith("Sources: Harbor authority, https://example.org/a?b=1&c=2")
