"""The preview: every form on one page, from the disk alone, harmless."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from composed import an_issue, with_item
from workspaces import a_workspace

from newsletter.compose.edition import Edition, compose, verify
from newsletter.compose.preview import preview_page, write_preview

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture(scope="module")
def edition(tmp_path_factory) -> Edition:
    workspace, folder = a_workspace(tmp_path_factory.mktemp("workspace"))
    return compose(an_issue(), folder, workspace)


def frames(page: str) -> dict[str, str]:
    """Title of each frame and what stands in it."""
    found = re.findall(r'<iframe title="([^"]*)" sandbox srcdoc="([^"]*)">', page)
    return {title: unescape(content) for title, content in found}


def test_preview_stands_beside_a_whole_edition(edition, tmp_path):
    page = write_preview(edition, TEMPLATES, tmp_path / "out")
    assert page == tmp_path / "out" / "preview.html"
    assert verify(tmp_path / "out") == []
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*edition.files, "preview.html"}
    write_preview(edition, TEMPLATES, tmp_path / "out")  # and can be written again


def test_every_form_is_shown(edition):
    page = preview_page(edition, TEMPLATES)
    assert set(frames(page)) == {
        "E-mail, 600 pixels",
        "E-mail, 375 pixels",
        "E-mail, dark",
        "E-mail, dark, 600 pixels",
        "Web page",
    }
    assert len(re.findall(r'<img class="page" src="data:image/png;base64,[^"]+"', page)) == 2
    headline = an_issue().items[0].headline.text
    assert all(headline in content for content in frames(page).values())
    assert headline in page[page.index("<pre") : page.index("</pre>")]


def test_dark_frame_always_and_light_frame_never_obeys_the_dark_rules(edition):
    shown = frames(preview_page(edition, TEMPLATES))
    assert "prefers-color-scheme: dark" in edition.files["email.html"].decode()
    assert "@media all " in shown["E-mail, dark"]
    assert "@media not all " in shown["E-mail, 600 pixels"]
    assert "prefers-color-scheme: dark" not in shown["E-mail, dark"] + shown["E-mail, 600 pixels"]


def test_head_shows_subject_preheader_sizes_and_hash(edition):
    page = preview_page(edition, TEMPLATES)
    head = unescape(page[: page.index("<main>")])
    mail = ("alex@example.org", "Tue, 31 Oct 2023 09:53:00 -0400", "List-Unsubscribe=One-Click")
    for fact in (edition.view.subject, edition.view.preheader, edition.hash, *mail, "email.html"):
        assert fact in head
    assert "All gates passed" in head


def test_no_slot_is_left_and_nothing_is_loaded_from_the_network(edition):
    page = preview_page(edition, TEMPLATES)
    assert "slot.invalid" not in page
    everything = page + "".join(frames(page).values())
    loaded = re.findall(r'\s(?:src|data|background)="([^"]*)"', everything)
    assert loaded
    assert {address.partition(":")[0] for address in loaded} == {"data"}
    assert not re.findall(r"<script(?! type=\"application/ld\+json\")", everything)
    assert not re.findall(r"<link[^>]*stylesheet|@import|url\(\s*['\"]?http", everything)


def test_markup_typed_by_editors_stays_inside_its_frame(tmp_path):
    workspace, folder = a_workspace(tmp_path)
    typed = '"></iframe><script>alert(1)</script>'
    page = preview_page(
        compose(an_issue(items=with_item(headline=typed)), folder, workspace), TEMPLATES
    )
    assert "<script" not in page
    assert len(frames(page)) == 5
