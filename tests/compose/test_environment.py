"""What templates may do, and what a broken one says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from composed import a_view

from newsletter.compose.environment import environment, render, to_html, to_linked
from newsletter.errors import TemplateError
from newsletter.issue.prose import Prose, Run


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    return folder


def rendered(templates: Path, source: str, *, html: bool = True, **context: object) -> str:
    (templates / "page.j2").write_text(source, encoding="utf-8")
    return render(environment(templates, html=html), "page.j2", **context)


def failure(templates: Path, source: str, **context: object) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        rendered(templates, source, **context)
    return caught.value


def test_html_environment_escapes_what_is_printed(templates: Path) -> None:
    assert rendered(templates, "{{ x }}", x="<b>&\"'") == "&lt;b&gt;&amp;&#34;&#39;"


def test_text_environment_prints_as_it_is(templates: Path) -> None:
    assert rendered(templates, "{{ x }}", html=False, x="<b>&") == "<b>&"


def test_prose_becomes_html_with_its_marks(templates: Path) -> None:
    prose = Prose.of(
        [
            Run("a < "),
            Run("b", strong=True, href="https://example.org/?a=1&b=2"),
            Run("c", emphasis=True, href="https://example.org/?a=1&b=2"),
        ]
    )
    assert rendered(templates, "{{ x | html }}", x=prose) == (
        'a &lt; <a href="https://example.org/?a=1&amp;b=2"><strong>b</strong><em>c</em></a>'
    )


@pytest.mark.parametrize("href", ["javascript:alert(1)", "data:text/html,x", "vbscript:x"])
def test_link_with_a_script_loses_its_address(href: str) -> None:
    assert href.partition(":")[0] not in to_html(Prose.of([Run("x", href=href)]))


def test_script_typed_into_prose_stays_text() -> None:
    assert to_html(Prose.plain("<script>alert(1)</script>")) == (
        "&lt;script&gt;alert(1)&lt;/script&gt;"
    )


def test_link_in_text_shows_its_address_once() -> None:
    prose = Prose.of(
        [
            Run("the plan", href="https://example.org/plan"),
            Run(" and "),
            Run("https://example.org/", href="https://example.org/"),
        ]
    )
    assert to_linked(prose) == "the plan <https://example.org/plan> and <https://example.org/>"


def test_missing_template_is_named(templates: Path) -> None:
    with pytest.raises(TemplateError, match=r"templates/email/none\.j2 is missing") as caught:
        render(environment(templates, html=True), "email/none.j2")
    assert "newsletter init" in str(caught.value.hint)


def test_missing_included_template_is_named(templates: Path) -> None:
    assert "part.j2 is missing" in failure(templates, "{% include 'part.j2' %}").message


def test_syntax_error_has_file_and_line(templates: Path) -> None:
    assert "page.j2:2: " in failure(templates, "a\n{% if x ? %}\nb").message


def test_undefined_name_has_place_and_near_name(templates: Path) -> None:
    error = failure(templates, "a\n\n{{ veiw.title }}", view=a_view())
    assert error.message.endswith("page.j2:3: “veiw” is undefined; did you mean “view”?")


def test_undefined_field_has_place_and_near_name(templates: Path) -> None:
    error = failure(templates, "\n{{ view.titel }}", view=a_view())
    assert error.message.endswith("page.j2:2: View has no “titel”; did you mean “title”?")


def test_undefined_slot_has_near_name(templates: Path) -> None:
    error = failure(templates, "{{ slots.unsubscribe }}", slots={"unsubscribe_url": "x"})
    assert "did you mean “unsubscribe_url”?" in error.message


def test_error_inside_an_included_template_names_that_template(templates: Path) -> None:
    (templates / "part.j2").write_text("\n\n{{ nothing }}")
    assert "part.j2:3: " in failure(templates, "{% include 'part.j2' %}").message


def test_error_inside_a_macro_names_its_line(templates: Path) -> None:
    error = failure(templates, "{% macro m() %}\n{{ 1 / 0 }}\n{% endmacro %}\n{{ m() }}")
    assert "page.j2:2: ZeroDivisionError" in error.message


def test_prose_without_a_filter_is_refused(templates: Path) -> None:
    error = failure(templates, "{{ x }}", x=Prose.plain("words"))
    assert "printed without a filter" in error.message


def test_missing_part_is_not_printed_as_none(templates: Path) -> None:
    error = failure(templates, "{{ view.note }}", view=a_view())
    assert "does not have" in error.message
    assert "{% if" in str(error.hint)


@pytest.mark.parametrize(
    "source",
    [
        "{{ view.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ view.date.today() }}",
        "{{ view.date.strftime('%A') }}",
        "{{ view.items.__init__.__globals__ }}",
        "{{ lipsum() }}",
        "{{ [1, 2] | random }}",
        "{{ range(100000000) }}",
        "{% for x in range(100000000) %}{% endfor %}",
        "{% include 'page.j2' %}",
        "{% include '../outside.j2' %}",
        "{% include '/etc/passwd' %}",
        "{{ 'x' | html }}",
    ],
)
def test_what_a_template_may_not_do_is_a_template_error(templates: Path, source: str) -> None:
    (templates.parent / "outside.j2").write_text("outside")
    assert failure(templates, source, view=a_view()).message


def test_link_out_of_the_templates_folder_is_refused(templates: Path) -> None:
    (templates.parent / "secret.txt").write_text("secret")
    (templates / "page.j2").symlink_to(templates.parent / "secret.txt")
    with pytest.raises(TemplateError, match="leads out of"):
        render(environment(templates, html=True), "page.j2")


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff\xfe", "not UTF-8"), (b"x" * 600_000, "characters")]
)
def test_file_that_is_no_template_is_refused(templates: Path, content: bytes, reason: str) -> None:
    (templates / "page.j2").write_bytes(content)
    with pytest.raises(TemplateError, match=reason):
        render(environment(templates, html=True), "page.j2")


def test_folder_in_place_of_a_template_is_a_template_error(templates: Path) -> None:
    (templates / "page.j2").mkdir()
    with pytest.raises(TemplateError, match=r"page\.j2"):
        render(environment(templates, html=True), "page.j2")


def test_changed_template_is_read_again(templates: Path) -> None:
    import os

    assert rendered(templates, "one") == "one"
    path = templates / "page.j2"
    path.write_text("two")
    os.utime(path, (1, 1))
    assert render(environment(templates, html=True), "page.j2") == "two"


def test_date_gives_its_numbers(templates: Path) -> None:
    source = "{{ d.year }}-{{ d.month }}-{{ d.day }} {{ d.isoformat() }}"
    assert rendered(templates, source, d=date(2023, 10, 31)) == "2023-10-31 2023-10-31"
